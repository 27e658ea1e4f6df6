package phototest

import "embed"

//go:embed testdata/*.webp
var webps embed.FS

// WebP returns a WebP of the cover of The Lamplighter's Almanac, whose ISBN is 9781234567897. The name is lossy,
// lossless, alpha or animated. See testdata/README.md.
func WebP(name string) []byte {
	b, err := webps.ReadFile("testdata/" + name + ".webp")
	if err != nil {
		panic("phototest: WebP: must be lossy, lossless, alpha or animated: " + name)
	}
	return b
}
