package phototest

import "embed"

//go:embed testdata/*.webp testdata/*.jpg
var files embed.FS

// File returns a photo of the cover of The Lamplighter's Almanac, whose ISBN is 9781234567897, in a form that Go does
// not write. The name is that of a file in testdata, which has a README.
func File(name string) []byte {
	b, err := files.ReadFile("testdata/" + name)
	if err != nil {
		panic("phototest: File: " + err.Error())
	}
	return b
}

// WebP returns a WebP of the same cover: lossy, lossless, alpha or animated.
func WebP(name string) []byte { return File(name + ".webp") }
