// Package photo reads uploaded photos within bounds of memory.
//
//	d := photo.NewDecoder(nil)
//	img, err := d.Gray(ctx, root, ref) // at most MaxSide pixels a side
//
// A compressed file says little about the memory that reading it takes: 391 kB of progressive JPEG can take 1 GB.
// [Decoder.Gray] therefore reads the header first and estimates from it, conservatively, what Go's decoders allocate.
// A photo above [MaxMemory] is rejected; all others share one budget, in turns by tenant. What callers get is the
// photo in shades of gray and of bounded size, so that the decoded pixels live only while one call works on them. The
// newest results are kept, so that a run decodes its photo once.
//
// Work on the result that takes memory as well, such as looking for a barcode, goes through [Decoder.Do].
//
// What the package does not do: it reads no other formats than PNG and JPEG, and keeps no colours.
package photo
