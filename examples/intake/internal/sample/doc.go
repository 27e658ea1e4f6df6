// Package sample writes files of supply-chain data, of any size and with flaws that are counted.
//
//	counts, err := sample.Write(w, &sample.Options{Kind: kinds.Shipments, Size: 1 << 30})
//
// Use it to try intake with a large file, and in tests: the same options write the same bytes, and Counts says exactly
// how many rows, duplicates, missing and wrong values, negative amounts and dates in other formats they have. It
// streams to its writer in constant memory. All names are made up.
package sample
