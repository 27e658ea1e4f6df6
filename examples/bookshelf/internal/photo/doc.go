// Package photo reads uploaded photos with limited memory.
//
//	d := photo.NewDecoder(nil)
//	img, err := d.Gray(ctx, root, ref) // at most MaxSide pixels a side
//
// The size of a compressed file does not limit the memory for reading it: decoding 391 kB of progressive JPEG can take
// 1 GB. [Decoder.Gray] therefore reads the header first and estimates an upper bound of the memory that the decoders
// allocate. It rejects a photo above [MaxMemory]. All other photos share one budget. The result is the photo in
// shades of gray with a bounded size, so that the decoded pixels exist only during one call. The newest results are
// cached, so that a run decodes its photo once.
//
// Tenants take turns: one tenant may use every processor and nearly all memory, but a piece of another tenant's work
// can always begin at once. Use [Decoder.Do] for other work that takes a processor for long or much memory, such as the
// search for a barcode.
//
// [Decoder.Thumbnail] returns a small JPEG in colour, with the same limits and turns.
//
// The package decodes PNG, JPEG (also progressive, gray and CMYK) and WebP (lossy, lossless and transparent). It turns
// and mirrors a photo as its EXIF states, and ignores a damaged EXIF. It rejects animated WebP, GIF, HEIC, AVIF and all
// other files with a message that says what to do. A lossless or transparent WebP may have a few megapixels only, since
// a hostile one can have Huffman trees of 200 MB.
//
// In memory, a process has at most one photo that is decoded within [MaxMemory], ordinary photos of other tenants in 64
// MB, the files that wait for their turn in 60 MB, and the cache.
package photo
