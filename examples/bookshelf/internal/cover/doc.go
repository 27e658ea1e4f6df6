// Package cover draws book covers with a title, an author, a picture of flat shapes and a barcode that scanners can
// read.
//
//	for _, s := range cover.Samples() {
//		f, err := os.Create(s.Name + ".png")
//		…
//		err = cover.Render(f, s, nil)
//	}
//
// [Samples] returns three covers for people without a photo. [Render] writes any [Sample] as PNG or
// JPEG, and [RenderThumbnail] as a small JPEG. Equal samples have equal bytes. [EAN13] returns the bars of a barcode.
//
// The package does not read files. It computes the shapes and uses the Go fonts.
package cover
