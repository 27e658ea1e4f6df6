package photo

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

func TestForeignKindsSayWhatToDo(t *testing.T) {
	t.Parallel()
	const unknown = "The file is not a supported image: it must be a JPEG, a PNG or a WebP."
	for start, want := range map[string]string{
		"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic": "This is a HEIC photo, which cannot be read here. Please send it as a JPEG. " +
			"An iPhone takes JPEG photos with Settings, Camera, Formats, Most Compatible.",
		"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avif": "This is an AVIF picture, which cannot be read here. Please save it as a JPEG or PNG.",
		"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00mp42":     unknown,
		"GIF89a\x01\x00":             "This is a GIF picture, which cannot be read here. Please save it as a JPEG or PNG.",
		"BM\x00\x00":                 "This is a BMP picture, which cannot be read here. Please save it as a JPEG or PNG.",
		"MM\x00*":                    "This is a TIFF picture, which cannot be read here. Please save it as a JPEG or PNG.",
		"%PDF-1.7":                   "This is a PDF, not a photo. Please take a photo of the cover, or save the page as a JPEG or PNG.",
		"\xff\x0a":                   "This is a JPEG XL picture, which cannot be read here. Please save it as a JPEG or PNG.",
		"<svg onload=alert(1)>":      unknown,
		"MZ":                         unknown,
		"RIFF\x00\x00\x00\x00WAVE":   unknown,
		"\x00\x00\x00\x18ftyp":       unknown,
		"hello, this is a text file": unknown,
	} {
		_, err := readGray(t, []byte(start))
		failed, ok := errors.AsType[*tools.FatalError](err)
		require.True(t, ok, "%q: %v", start, err)
		require.Equal(t, NotAnImage, failed.Code)
		require.Equal(t, want, failed.Message, "%q", start)
	}
}
