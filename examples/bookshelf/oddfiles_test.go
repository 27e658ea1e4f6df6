package main

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo/phototest"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
)

// encoded returns an image in the format of an encoder.
func encoded(encode func(b *bytes.Buffer) error) []byte {
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func asPNG(img image.Image) []byte {
	return encoded(func(b *bytes.Buffer) error { return png.Encode(b, img) })
}

func asJPEG(img image.Image) []byte {
	return encoded(func(b *bytes.Buffer) error { return jpeg.Encode(b, img, nil) })
}

// converted returns the image in another type.
func converted(img image.Image, to draw.Image) draw.Image {
	draw.Draw(to, to.Bounds(), img, img.Bounds().Min, draw.Src)
	return to
}

// pngChunks returns a PNG with chunks of the given kind before its pixels.
func pngChunks(file []byte, kind string, count int, body []byte) []byte {
	const head = 8 + 25 // the signature and IHDR
	typed := append([]byte(kind), body...)
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	chunk = binary.BigEndian.AppendUint32(append(chunk, typed...), crc32.ChecksumIEEE(typed))
	return bytes.Join([][]byte{file[:head], bytes.Repeat(chunk, count), file[head:]}, nil)
}

// pngSize returns a PNG whose header claims another size.
func pngSize(file []byte, width, height uint32) []byte {
	out := bytes.Clone(file)
	binary.BigEndian.PutUint32(out[16:], width)
	binary.BigEndian.PutUint32(out[20:], height)
	binary.BigEndian.PutUint32(out[29:], crc32.ChecksumIEEE(out[12:29]))
	return out
}

// oddFile is a file that a person uploads, with the text that the page shows.
type oddFile struct {
	name    string
	media   string // as announced, image/jpeg if empty
	content []byte
	sees    string // in the text of a run that completes, or the message of one that fails
	code    string // of a run that fails
}

const (
	isAlmanac = "The barcode has the ISBN 9781234567897."
	isBlank   = "I could not find a readable barcode."
	isForeign = "picture, which cannot be read here. Please save it as a JPEG or PNG."
	isUnknown = "The file is not a supported image: it must be a JPEG, a PNG or a WebP."
	isTooBig  = "The image is too large: at most 20 MB and 50 megapixels can be read."
)

func readable(name, media string, content []byte) oddFile {
	return oddFile{name, media, content, isAlmanac, ""}
}

func rejected(name, media string, content []byte, message string) oddFile {
	return oddFile{name, media, content, message, "not_an_image"}
}

// orientedFiles returns photos in all orientations of EXIF, and turned ones without it.
func orientedFiles(img image.Image) map[string]oddFile {
	files := map[string]oddFile{}
	for o := 1; o <= 8; o++ {
		stored, exif := phototest.Stored(img, o), phototest.Exif(o, binary.BigEndian)
		files["JPEG, orientation "+string(rune('0'+o))] = readable("photo.jpg", "image/jpeg", phototest.WithExif(asJPEG(stored), exif))
	}
	for name, o := range map[string]int{"left": 6, "right": 8, "upside down": 3} {
		files["turned without EXIF, "+name] = readable("photo.jpg", "image/jpeg", asJPEG(phototest.Stored(img, o)))
	}
	six := phototest.Exif(6, binary.LittleEndian)
	files["PNG with EXIF"] = readable("photo.png", "image/png", phototest.WithExif(asPNG(phototest.Stored(img, 6)), six))
	files["WebP with EXIF"] = readable("photo.webp", "image/webp", phototest.WithExif(phototest.WebP("lossy"), six))
	files["JPEG with a damaged EXIF"] = readable("photo.jpg", "image/jpeg", phototest.WithExif(asJPEG(img), []byte("MM\x00*\xff\xff\xff\xff")))
	return files
}

// formats returns photos in the forms that cameras and programs write, and in some that are not decoded.
func formats(img image.Image) map[string]oddFile {
	r := img.Bounds()
	palette := color.Palette{color.Black, color.White, color.RGBA{0x80, 0x40, 0x20, 0xff}}
	frames := &gif.GIF{}
	for range 2 {
		frames.Image = append(frames.Image, converted(img, image.NewPaletted(r, palette)).(*image.Paletted))
		frames.Delay = append(frames.Delay, 10)
	}
	animated := encoded(func(b *bytes.Buffer) error { return gif.EncodeAll(b, frames) })
	frames.Image, frames.Delay = frames.Image[:1], frames.Delay[:1]
	still := encoded(func(b *bytes.Buffer) error { return gif.EncodeAll(b, frames) })
	heic := "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + strings.Repeat("\x00", 100)
	avif := "\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1" + strings.Repeat("\x00", 100)
	const isHEIC = "This is a HEIC photo, which cannot be read here. Please send it as a JPEG. " +
		"An iPhone takes JPEG photos with Settings, Camera, Formats, Most Compatible."
	const isAnimated = "This kind of WebP image is not supported. Please save it as a plain PNG or JPEG."
	return map[string]oddFile{
		"JPEG":               readable("a.jpg", "image/jpeg", asJPEG(img)),
		"gray JPEG":          readable("a.jpg", "image/jpeg", asJPEG(converted(img, image.NewGray(r)))),
		"progressive JPEG":   readable("a.jpg", "image/jpeg", phototest.File("progressive.jpg")),
		"CMYK JPEG":          readable("a.jpg", "image/jpeg", phototest.File("cmyk.jpg")),
		"YCCK JPEG":          {"a.jpg", "image/jpeg", phototest.JPEG(600, 900, phototest.CMYK2, false, 2), isBlank, ""},
		"RGB JPEG":           {"a.jpg", "image/jpeg", phototest.JPEG(600, 900, phototest.S444, false, 0), isBlank, ""},
		"PNG":                readable("a.png", "image/png", asPNG(img)),
		"16-bit PNG":         readable("a.png", "image/png", asPNG(converted(img, image.NewNRGBA64(r)))),
		"16-bit gray PNG":    readable("a.png", "image/png", asPNG(converted(img, image.NewGray16(r)))),
		"gray PNG":           readable("a.png", "image/png", asPNG(converted(img, image.NewGray(r)))),
		"PNG with a palette": readable("a.png", "image/png", asPNG(converted(img, image.NewPaletted(r, palette)))),
		"1-bit PNG":          readable("a.png", "image/png", asPNG(converted(img, image.NewPaletted(r, palette[:2])))),
		"interlaced PNG":     {"a.png", "image/png", phototest.PNG(600, 900, 8, 2, true, false), isBlank, ""},
		"transparent PNG":    {"a.png", "image/png", phototest.PNG(600, 900, 8, 6, false, false), isBlank, ""},
		"lossy WebP":         readable("a.webp", "image/webp", phototest.WebP("lossy")),
		"lossless WebP":      readable("a.webp", "image/webp", phototest.WebP("lossless")),
		"transparent WebP":   readable("a.webp", "image/webp", phototest.WebP("alpha")),
		"animated WebP":      rejected("a.webp", "image/webp", phototest.WebP("animated"), isAnimated),
		"GIF":                rejected("a.gif", "", still, "This is a GIF "+isForeign),
		"animated GIF":       rejected("a.gif", "", animated, "This is a GIF "+isForeign),
		"BMP": rejected("a.bmp", "", encoded(func(b *bytes.Buffer) error { return bmp.Encode(b, img) }),
			"This is a BMP "+isForeign),
		"TIFF": rejected("a.tif", "", encoded(func(b *bytes.Buffer) error { return tiff.Encode(b, img, nil) }),
			"This is a TIFF "+isForeign),
		"HEIC": rejected("IMG_0001.HEIC", "", []byte(heic), isHEIC),
		"AVIF": rejected("a.avif", "", []byte(avif), "This is an AVIF "+isForeign),
		"PDF": rejected("a.pdf", "", []byte("%PDF-1.7\n"),
			"This is a PDF, not a photo. Please take a photo of the cover, or save the page as a JPEG or PNG."),
		"SVG with a script": rejected("a.svg", "", []byte("<svg onload=alert(1)>"), isUnknown),
	}
}

// damaged returns files that are incomplete, renamed or made to take much memory or time.
func damaged(img image.Image) map[string]oddFile {
	jpg, pic, webp := asJPEG(img), asPNG(img), phototest.WebP("lossy")
	broken := func(kind string) string {
		return "The " + kind + " image is damaged or incomplete. Please upload it again."
	}
	costly := func(megabytes string) string {
		return "The image is too large: at most 20 MB and 50 megapixels can be read, in at most 256 MB of memory, and this " +
			"kind of image takes " + megabytes + " MB. Please save it smaller, or as a plain JPEG that is not progressive."
	}
	bomb := phototest.JPEG(64, 64, phototest.Gray, true, phototest.NoAdobe)
	scan := bytes.Index(bomb, []byte{0xff, 0xda})
	scans := append(bytes.Repeat(bomb[scan:len(bomb)-2], 200), 0xff, 0xd9)
	canvas := []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x05\x00\x00\x00\x2f\xff\xff\xff\x0f\x00")
	return map[string]oddFile{
		"empty":                        rejected("a.jpg", "image/jpeg", nil, "The file is empty."),
		"truncated JPEG":               rejected("a.jpg", "image/jpeg", jpg[:len(jpg)/2], broken("JPEG")),
		"truncated PNG":                rejected("a.png", "image/png", pic[:len(pic)/2], broken("PNG")),
		"truncated WebP":               rejected("a.webp", "image/webp", webp[:len(webp)/2], broken("WebP")),
		"the start of a JPEG":          rejected("a.jpg", "image/jpeg", jpg[:3], broken("JPEG")),
		"JPEG named and typed as PNG":  readable("cover.png", "image/png", jpg),
		"WebP named as HEIC":           readable("IMG_1.HEIC", "", webp),
		"PNG without a name for it":    readable("cover", "", pic),
		"text named as JPEG":           rejected("cover.jpg", "image/jpeg", []byte("It is a truth"), isUnknown),
		"a program named as PNG":       rejected("cover.png", "image/png", []byte("MZ\x90\x00"), isUnknown),
		"PNG followed by HTML":         readable("cover.png", "image/png", append(bytes.Clone(pic), "<script>alert(1)</script>"...)),
		"a bomb of pixels, PNG":        {"a.png", "image/png", pngSize(pic, 60000, 60000), isTooBig, "image_too_large"},
		"a bomb of pixels, WebP":       {"a.webp", "image/webp", canvas, isTooBig, "image_too_large"},
		"a bomb of coefficients":       {"a.jpg", "image/jpeg", phototest.JPEG(8000, 6250, phototest.CMYK, true, 0), costly("1145"), "image_too_large"},
		"a bomb of 16 bits":            {"a.png", "image/png", phototest.PNG(7000, 7000, 16, 6, false, false), costly("373"), "image_too_large"},
		"more pixels than the header":  rejected("a.png", "image/png", pngSize(pic, 600, 8), broken("PNG")),
		"fewer pixels than the header": rejected("a.png", "image/png", pngSize(pic, 600, 9000), broken("PNG")),
		"a flood of PNG chunks":        readable("a.png", "image/png", pngChunks(pic, "teXt", 20_000, nil)),
		"a bomb of compressed text":    readable("a.png", "image/png", pngChunks(pic, "zTXt", 20, make([]byte, 10_000))),
		"a flood of scans":             rejected("a.jpg", "image/jpeg", append(bytes.Clone(bomb[:scan]), scans...), "This kind of JPEG image is not supported. Please save it as a plain PNG or JPEG."),
		"one pixel":                    {"a.png", "image/png", phototest.PNG(1, 1, 8, 2, false, false), isBlank, ""},
		"a line of 30,000 pixels":      {"a.png", "image/png", phototest.PNG(30000, 1, 8, 0, false, false), isBlank, ""},
	}
}

// Each file goes through a grant, a PUT and an extraction, as from a browser. The server is not affected by any of them.
func TestOddFiles(t *testing.T) {
	t.Parallel()
	s := open(t, "", nil)
	img := must.Get(cover.Draw(cover.Samples()[2], 600))
	for _, files := range []map[string]oddFile{orientedFiles(img), formats(img), damaged(img)} {
		for name, f := range files {
			t.Run(name, func(t *testing.T) {
				s := s.within(t)
				session := s.upload(f.name, cmp.Or(f.media, "image/jpeg"), f.content)
				events, text := s.extract(session, "")
				end := last(events)
				if f.code == "" {
					require.Equal(t, "complete", end["type"], end)
					require.Contains(t, text, f.sees)
					return
				}
				require.Equal(t, "error", end["type"], text)
				require.Equal(t, f.code, end["code"])
				require.Equal(t, f.sees, end["message"])
				record := s.file(session)
				require.Equal(t, "FAILED", record["current_status"])
				require.Equal(t, end["message"], stage(record, "enrichment")["error_message"], "also after a reload")
				status, again := s.json("POST", "/api/metadata/extract", map[string]any{"session_id": session})
				require.Equal(t, http.StatusConflict, status)
				require.Contains(t, again["detail"], end["message"])
			})
		}
	}
}

// A name that cannot end a key is rejected with a reason. With scope.FileName, as the page replaces it, the upload is
// granted, and its lists show the name that the person chose.
func TestOddNames(t *testing.T) {
	t.Parallel()
	s := open(t, "", nil)
	const unseen = "has an invisible character: bidi, zero-width or a line separator."
	for name, c := range map[string]struct{ file, detail, kept string }{
		"composed":             {"Émile – 1.jpg", "", "Émile – 1.jpg"},
		"NFD, as of macOS":     {"E\u0301mile.jpg", "is not in Unicode normal form C.", "Émile.jpg"},
		"emoji":                {"📚🔥.jpg", "", "📚🔥.jpg"},
		"emoji of two":         {"👩\u200d🚀.jpg", unseen, "👩_🚀.jpg"},
		"right to left":        {"غلاف הכריכה.jpg", "", "غلاف הכריכה.jpg"},
		"turned around":        {"cover\u202egpj.exe", unseen, "cover_gpj.exe"},
		"Windows device":       {"con.jpg", "is a reserved device name on some systems.", "_con.jpg"},
		"Windows device, LPT1": {"LPT1", "is a reserved device name on some systems.", "_LPT1"},
		"255 bytes":            {strings.Repeat("x", 251) + ".jpg", "", strings.Repeat("x", 251) + ".jpg"},
		"256 bytes":            {strings.Repeat("x", 252) + ".jpg", "is longer than 255 bytes.", strings.Repeat("x", 251) + ".jpg"},
		"slashes":              {"../a/b.jpg", "has a path separator.", "_._a_b.jpg"},
		"backslashes":          {`C:\photos\a.jpg`, "has a path separator.", "C:_photos_a.jpg"},
		"a slash in disguise":  {"a\uff0fb.jpg", "has a character that normalises to a dot or a path separator.", "a_b.jpg"},
		"control characters":   {"a\x00b\r\nc.jpg", "has a control character.", "a_b__c.jpg"},
		"URL characters":       {"50% off? #1.jpg", "has one of % ? #, which have a meaning in URLs.", "50_ off_ _1.jpg"},
		"one dot":              {".", "starts or ends with a dot.", "_"},
		"two dots":             {"..", "starts or ends with a dot.", "__"},
		"a hidden file":        {".cover.jpg", "starts or ends with a dot.", "_cover.jpg"},
		"spaces around":        {" a.jpg ", "starts or ends with a space.", "_a.jpg_"},
		"markup":               {"<img src=x onerror=alert(1)>.jpg", "", "<img src=x onerror=alert(1)>.jpg"},
	} {
		t.Run(name, func(t *testing.T) {
			s := s.within(t)
			ask := func(file, shown string) (int, map[string]any) {
				q := url.Values{"filename": {file}}
				if shown != "" {
					q.Set("display_name", shown)
				}
				return s.json("GET", "/api/upload/presigned?"+q.Encode(), nil)
			}
			status, grant := ask(c.file, "")
			if c.detail == "" {
				require.Equal(t, http.StatusOK, status, grant)
			} else {
				require.Equal(t, http.StatusBadRequest, status, grant)
				require.Contains(t, grant["detail"], "The file name ")
				require.Contains(t, grant["detail"], c.detail)
			}
			kept := scope.FileName(c.file)
			require.Equal(t, c.kept, kept)
			shown := strings.Map(func(r rune) rune { // as displayName of filename.js
				if r < ' ' || r == '\u202e' {
					return ' '
				}
				return r
			}, c.file)
			status, grant = ask(kept, shown)
			require.Equal(t, http.StatusOK, status, grant)
			require.True(t, strings.HasSuffix(grant["key"].(string), "/"+kept))
			record := s.file(grant["session_id"].(string))
			require.Equal(t, kept, record["filename"])
			if shown == kept {
				require.NotContains(t, record, "display_name")
			} else {
				require.Equal(t, shown, record["display_name"])
			}
		})
	}
	for name, shown := range map[string]string{
		"empty": "", "too long": strings.Repeat("é", 129), "not UTF-8": "a\xff", "a line break": "a\nb", "turned": "a\u202eb",
		"a line separator": "a\u2028b", "a NUL": "a\x00b",
	} {
		q := url.Values{"filename": {"a.jpg"}, "display_name": {shown}}
		status, problem := s.json("GET", "/api/upload/presigned?"+q.Encode(), nil)
		require.Equal(t, http.StatusBadRequest, status, name)
		require.Equal(t, "The parameter display_name must have 1 to 256 bytes of UTF-8 without control characters, "+
			"line breaks and marks that change the direction of text.", problem["detail"], name)
	}
}
