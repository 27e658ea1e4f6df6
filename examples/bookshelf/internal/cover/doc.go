// Package cover draws book covers: a title, an author, a picture of flat shapes, and a barcode that scans.
//
//	for _, s := range cover.Samples() {
//		f, err := os.Create(s.Name + ".png")
//		…
//		err = cover.Render(f, s, nil)
//	}
//
// [Samples] are the three covers that the bookshelf offers to people who have no photo at hand. [Render] writes any
// [Sample] as PNG or JPEG; the same sample always gives the same bytes. [EAN13] gives the bars of a barcode alone.
//
// The package reads no images and no fonts from disk: the shapes are computed, the fonts are Go's own.
package cover
