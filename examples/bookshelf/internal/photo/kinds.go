package photo

import (
	"strings"
)

// The formats that can be decoded.
const (
	formatPNG  = "PNG"
	formatJPEG = "JPEG"
	formatWebP = "WebP"
)

// foreignKind returns the name of a kind of file that is known but not decoded, from its first bytes, or "".
func foreignKind(start []byte) string {
	s := string(start)
	switch {
	case strings.HasPrefix(s, "GIF8"):
		return "GIF"
	case strings.HasPrefix(s, "BM"):
		return "BMP"
	case strings.HasPrefix(s, "II*\x00"), strings.HasPrefix(s, "MM\x00*"):
		return "TIFF"
	case strings.HasPrefix(s, "%PDF-"):
		return "PDF"
	case strings.HasPrefix(s, "\x00\x00\x00\x0cJXL "), strings.HasPrefix(s, "\xff\x0a"):
		return "JPEG XL"
	case len(s) >= 12 && s[4:8] == "ftyp":
		return brandKind(s[8:])
	}
	return ""
}

// brandKind returns the kind of picture that the brands of an ISO file name. HEIC and AVIF share some of them.
func brandKind(brands string) string {
	kind := ""
	for ; len(brands) >= 4; brands = brands[4:] {
		switch brands[:4] {
		case "avif", "avis":
			return "AVIF"
		case "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1":
			kind = "HEIC"
		}
	}
	return kind
}

// describeForeign returns a message for a person about a kind of file that is not decoded.
func describeForeign(kind string) string {
	switch kind {
	case "":
		return "The file is not a supported image: it must be a JPEG, a PNG or a WebP."
	case "HEIC":
		return "This is a HEIC photo, which cannot be read here. Please send it as a JPEG. " +
			"An iPhone takes JPEG photos with Settings, Camera, Formats, Most Compatible."
	case "PDF":
		return "This is a PDF, not a photo. Please take a photo of the cover, or save the page as a JPEG or PNG."
	case "AVIF":
		return "This is an AVIF picture, which cannot be read here. Please save it as a JPEG or PNG."
	}
	return "This is a " + kind + " picture, which cannot be read here. Please save it as a JPEG or PNG."
}
