// Package photo reads uploaded photos with limited memory.
//
//	d := photo.NewDecoder(nil)
//	img, err := d.Gray(ctx, root, ref) // at most MaxSide pixels a side
//
// The size of a compressed file does not limit the memory for reading it: 391 kB of progressive JPEG can take 1 GB.
// [Decoder.Gray] therefore reads the header first and estimates, conservatively, how much Go's decoders allocate. It
// rejects a photo above [MaxMemory]. All others share one budget, in turns by tenant. The result is the photo in shades
// of gray with a bounded size, so that the decoded pixels exist only during one call. The newest results are cached, so
// that a run decodes its photo once.
//
// Other work on the result that takes memory, such as the search for a barcode, goes through [Decoder.Do].
//
// The package supports only PNG and JPEG, and drops colours.
package photo
