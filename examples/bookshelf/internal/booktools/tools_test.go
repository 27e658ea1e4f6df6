package booktools_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// bench is one session with files in it, and the tools.
type bench struct {
	t       *testing.T
	bucket  *object.Bucket
	session scope.Scope
	set     tools.Resolved
}

// setup puts the files into one session and resolves the tools for it.
func setup(t *testing.T, o *booktools.Options, files ...[]byte) *bench {
	t.Helper()
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	u, err := tenant.User("u1")
	require.NoError(t, err)
	s, err := u.NewSession()
	require.NoError(t, err)
	b := &bench{t: t, bucket: must.Get(object.New(object.NewMemory(), "landing", nil)), session: s}
	root, err := b.bucket.In(s)
	require.NoError(t, err)
	for i, f := range files {
		ref, err := root.Ref(string(rune('a'+i)) + ".bin")
		require.NoError(t, err)
		_, _, err = root.Put(t.Context(), ref, bytes.NewReader(f), nil)
		require.NoError(t, err)
	}
	set, err := booktools.Tools(b.bucket, o)
	require.NoError(t, err)
	b.set, err = set.Resolve(t.Context(), s, &tools.State{})
	require.NoError(t, err)
	return b
}

func (b *bench) call(name, args string) (tools.Result, error) {
	b.t.Helper()
	tool, ok := b.set.Lookup(name)
	require.True(b.t, ok, name)
	return tool.Call(b.t.Context(), tools.NewCall(tools.CallOptions{Scope: b.session, ID: "c1", Name: name, Args: json.RawMessage(args)}))
}

func result[T any](b *bench, name, args string) T {
	b.t.Helper()
	r, err := b.call(name, args)
	require.NoError(b.t, err)
	require.Len(b.t, r.Blocks, 1)
	require.NotEmpty(b.t, r.Summary)
	var v T
	require.NoError(b.t, json.Unmarshal(r.Blocks[0].JSON, &v))
	return v
}

func drawn(t *testing.T, s cover.Sample, f cover.Format) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, cover.Render(&b, s, &cover.Options{Width: 600, Format: f}))
	return b.Bytes()
}

func TestScanBarcode(t *testing.T) {
	t.Parallel()
	for _, f := range []cover.Format{cover.PNG, cover.JPEG} {
		s := cover.Samples()[2]
		b := setup(t, nil, drawn(t, s, f))
		require.Equal(t, booktools.Barcode{Found: true, Digits: s.ISBN, ISBN: s.ISBN}, result[booktools.Barcode](b, "scan_barcode", `{}`))
	}
}

// A photo is larger than the book, turned, and has other colours in it.
func TestScanBarcodeOnItsSide(t *testing.T) {
	t.Parallel()
	img, err := cover.Draw(cover.Samples()[0], 600)
	require.NoError(t, err)
	turned := image.NewRGBA(image.Rect(0, 0, 1100, 800))
	for i := range turned.Pix {
		turned.Pix[i] = 0x9a
	}
	for y := range 900 {
		for x := range 600 {
			turned.Set(1000-y, 100+x, img.At(x, y))
		}
	}
	var buf bytes.Buffer
	require.NoError(t, jpeg.Encode(&buf, turned, nil))
	got := result[booktools.Barcode](setup(t, nil, buf.Bytes()), "scan_barcode", `{}`)
	require.Equal(t, "9780486284736", got.ISBN)
}

func TestScanBarcodeThatIsNoBook(t *testing.T) {
	t.Parallel()
	s := cover.Samples()[0]
	s.ISBN = "4006381333931"
	b := setup(t, nil, drawn(t, s, cover.PNG))
	require.Equal(t, booktools.Barcode{Found: true, Digits: s.ISBN}, result[booktools.Barcode](b, "scan_barcode", `{}`))

	blank := image.NewGray(image.Rect(0, 0, 300, 200))
	var buf bytes.Buffer
	require.NoError(t, png.Encode(&buf, blank))
	require.Equal(t, booktools.Barcode{}, result[booktools.Barcode](setup(t, nil, buf.Bytes()), "scan_barcode", `{}`))

	buf.Reset()
	require.NoError(t, png.Encode(&buf, image.NewGray(image.Rect(0, 0, 1, 1))))
	require.Equal(t, booktools.Barcode{}, result[booktools.Barcode](setup(t, nil, buf.Bytes()), "scan_barcode", `{}`))
}

// hugePNG is a PNG's header that claims a size.
func hugePNG(w, h uint32, depth byte) []byte {
	var b bytes.Buffer
	b.WriteString("\x89PNG\r\n\x1a\n")
	head := append([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)...)
	head = append(head, depth, 2, 0, 0, 0)
	b.Write([]byte{0, 0, 0, 13})
	b.Write(head)
	b.Write(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(head)))
	return b.Bytes()
}

// A file that is not a complete image ends the run with a message for a person, for every tool that reads the photo.
func TestNoImage(t *testing.T) {
	t.Parallel()
	whole := drawn(t, cover.Samples()[0], cover.PNG)
	wholeJPEG := drawn(t, cover.Samples()[0], cover.JPEG)
	gif := []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")
	for name, c := range map[string]struct {
		file []byte
		code string
		says string
	}{
		"nothing":             {nil, "not_an_image", "empty"},
		"text":                {[]byte("It is a truth universally acknowledged"), "not_an_image", "PNG or a JPEG"},
		"a GIF":               {gif, "not_an_image", "PNG or a JPEG"},
		"half a PNG":          {whole[:len(whole)/2], "not_an_image", "is damaged or incomplete"},
		"half a JPEG":         {wholeJPEG[:len(wholeJPEG)/2], "not_an_image", "is damaged or incomplete"},
		"a PNG's first bytes": {whole[:20], "not_an_image", "PNG image is damaged"},
		"a JPEG's start":      {wholeJPEG[:4], "not_an_image", "JPEG image is damaged"},
		"a flipped byte":      {append(append(bytes.Clone(whole[:100]), ^whole[100]), whole[101:]...), "not_an_image", "damaged"},
		"a bomb":              {hugePNG(60000, 60000, 8), "image_too_large", "50 megapixels"},
		"a deep bomb":         {hugePNG(7000, 7000, 16), "image_too_large", "50 megapixels"},
		"an overflow":         {hugePNG(1<<31-1, 1<<31-1, 8), "not_an_image", "is not supported"},
		"too many bytes":      {append(bytes.Clone(whole), make([]byte, photo.MaxBytes)...), "image_too_large", "20 MB"},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, &booktools.Options{Tesseract: "/bin/true"}, c.file)
			for _, tool := range []string{"scan_barcode", "read_cover"} {
				_, err := b.call(tool, `{}`)
				var fatal *tools.FatalError
				require.ErrorAs(t, err, &fatal)
				require.Equal(t, c.code, fatal.Code)
				require.False(t, fatal.Retryable)
				require.Contains(t, fatal.Message, c.says)
			}
		})
	}
}

// Nothing but the one upload of the scope is read, the model cannot name another, and a store that fails is not the
// photo's fault.
func TestWhichUpload(t *testing.T) {
	t.Parallel()
	png := drawn(t, cover.Samples()[0], cover.PNG)
	for _, files := range [][][]byte{{}, {png, png}} {
		_, err := setup(t, nil, files...).call("scan_barcode", `{}`)
		require.ErrorIs(t, err, booktools.ErrUpload)
		require.NotErrorAs(t, err, new(*tools.FatalError))
	}
	var landing *object.Bucket
	b := setup(t, &booktools.Options{Upload: func(_ context.Context, s scope.Scope) (object.Ref, error) {
		root, err := landing.In(s)
		if err != nil {
			return object.Ref{}, err
		}
		return root.Ref("b.bin")
	}}, []byte("first"), png)
	landing = b.bucket
	require.Equal(t, "9780486284736", result[booktools.Barcode](b, "scan_barcode", `{}`).ISBN)
	for _, args := range []string{`{"name":"a.bin"}`, `{"key":"x"}`, `{"ref":{"bucket":"landing"}}`} {
		_, err := b.call("scan_barcode", args)
		require.ErrorAs(t, err, new(*tools.CorrectionError))
	}
}

// fake puts a program named tesseract on the PATH, and nothing else but the shell's own.
func fake(t *testing.T, script string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a Unix shell")
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tesseract"), []byte("#!/bin/sh\n"+script), 0o755))
	t.Setenv("PATH", dir+":/usr/bin:/bin")
}

func TestReadCover(t *testing.T) {
	png := drawn(t, cover.Samples()[0], cover.PNG)
	t.Run("reads", func(t *testing.T) {
		fake(t, `test "$*" = "stdin stdout" || exit 3
head -c 8 | od -An -c | grep -q "P   N   G" || exit 4
printf 'PRIDE   AND\nPREJU\001DICE\n\n\n  \nJANE\tAUSTEN \377\n\f'`)
		got := result[booktools.CoverText](setup(t, nil, png), "read_cover", `{}`)
		require.Equal(t, booktools.CoverText{Available: true, Lines: []string{"PRIDE AND", "PREJU DICE", "", "JANE AUSTEN"}}, got)
	})
	t.Run("finds nothing", func(t *testing.T) {
		fake(t, `cat >/dev/null; printf '\n \n'`)
		got := result[booktools.CoverText](setup(t, nil, png), "read_cover", `{}`)
		require.True(t, got.Available)
		require.Empty(t, got.Lines)
		require.NotEmpty(t, got.Note)
	})
	t.Run("is not installed", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		got := result[booktools.CoverText](setup(t, nil, png), "read_cover", `{}`)
		require.False(t, got.Available)
		require.Contains(t, got.Note, "not installed")
	})
	t.Run("fails", func(t *testing.T) {
		fake(t, `echo "no language data in /usr/share" >&2; exit 1`)
		_, err := setup(t, nil, png).call("read_cover", `{}`)
		require.ErrorContains(t, err, "no language data")
		require.NotErrorAs(t, err, new(*tools.CorrectionError), "the cause is for the log")
	})
	t.Run("never stops talking", func(t *testing.T) {
		fake(t, `i=0; while [ $i -lt 5000 ]; do echo "word word word word word word word $i"; i=$((i+1)); done`)
		_, err := setup(t, nil, png).call("read_cover", `{}`)
		require.ErrorContains(t, err, "the output is too long")
	})
	t.Run("talks a lot", func(t *testing.T) {
		fake(t, `i=0; while [ $i -lt 300 ]; do echo "word $i"; echo; i=$((i+1)); done`)
		got := result[booktools.CoverText](setup(t, nil, png), "read_cover", `{}`)
		require.True(t, got.Cut)
		require.LessOrEqual(t, len(got.Lines), booktools.MaxLines)
	})
	t.Run("gets no secrets", func(t *testing.T) {
		t.Setenv("AWS_SECRET_ACCESS_KEY", "hidden")
		fake(t, `cat >/dev/null; env`)
		got := result[booktools.CoverText](setup(t, nil, png), "read_cover", `{}`)
		require.NotContains(t, strings.Join(got.Lines, "\n"), "AWS_")
	})
}

func TestCheckISBN(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	for in, want := range map[string]booktools.ISBNCheck{
		"978-0-486-28473-6": {ISBN: "9780486284736", Valid: true, ISBN13: "9780486284736"},
		"0-8044-2957-x":     {ISBN: "080442957X", Valid: true, ISBN13: "9780804429573"},
		"9780486284737":     {ISBN: "9780486284737", Reason: "has the wrong last digit: after 978048628473 comes 6"},
		"12":                {ISBN: "12", Reason: "must be 10 or 13 digits without hyphens (the last of ten may be X)"},
	} {
		args, err := json.Marshal(map[string]string{"isbn": in})
		require.NoError(t, err)
		require.Equal(t, want, result[booktools.ISBNCheck](b, "check_isbn", string(args)))
	}
	_, err := b.call("check_isbn", `{"isbn":"`+strings.Repeat("9", 400)+`"}`)
	require.ErrorAs(t, err, new(*tools.CorrectionError))
}

func TestLookUpBook(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	hit := result[booktools.Lookup](b, "look_up_book", `{"isbn":"0-486-28473-5"}`)
	require.Equal(t, "isbn", hit.MatchedBy)
	require.Equal(t, "Pride and Prejudice", hit.Book.Title)
	hit = result[booktools.Lookup](b, "look_up_book", `{"title":"M0BY\nDICK","author":"Melvile"}`)
	require.Equal(t, "title", hit.MatchedBy)
	require.Equal(t, "9780486432151", hit.Book.ISBN)
	require.Less(t, hit.Score, 1.01)
	require.Equal(t, booktools.Lookup{}, result[booktools.Lookup](b, "look_up_book", `{"isbn":"9781234567897"}`))
	require.Equal(t, booktools.Lookup{}, result[booktools.Lookup](b, "look_up_book", `{"title":"The Lamplighter's Almanac"}`))
	for _, args := range []string{`{}`, `{"title":" "}`, `{"isbn":"9780486284737"}`, `{"isbn":9}`, `{"title":"` + strings.Repeat("word ", 900) + `"}`} {
		_, err := b.call("look_up_book", args)
		require.ErrorAs(t, err, new(*tools.CorrectionError), args)
	}
}

// set_field's JSON is what becomes the event on the wire: the field and its value with the right type.
func TestSetField(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	for args, want := range map[string]string{
		`{"field":"title","value":"Crime & <Punishment>"}`: `{"field":"title","value":"Crime & <Punishment>"}`,
		`{"field":"published_year","value":"1866"}`:        `{"field":"published_year","value":1866}`,
		`{"field":"confidence","value":"0.50"}`:            `{"field":"confidence","value":0.5}`,
		`{"field":"isbn","value":"080442957X"}`:            `{"field":"isbn","value":"080442957X"}`,
		`{"field":"description","value":"a\nb"}`:           `{"field":"description","value":"a\nb"}`,
	} {
		r, err := b.call("set_field", args)
		require.NoError(t, err)
		require.JSONEq(t, want, string(r.Blocks[0].JSON))
		require.NotContains(t, r.Summary, "\n")
		var u book.Update
		require.NoError(t, json.Unmarshal(r.Blocks[0].JSON, &u))
		require.NoError(t, new(book.Metadata).Apply(u))
	}
	for args, says := range map[string]string{
		`{"field":"pages","value":"3"}`:              "one of title, author",
		`{"field":"published_year","value":"soon"}`:  "published_year must be a year",
		`{"field":"isbn","value":"9780486284737"}`:   "comes 6",
		`{"field":"title","value":" "}`:              "blank",
		`{"field":"title"}`:                          "value",
		`{"field":"title","value":"x","tenant":"y"}`: "tenant",
	} {
		_, err := b.call("set_field", args)
		var c *tools.CorrectionError
		require.ErrorAs(t, err, &c, args)
		require.Contains(t, c.Message, says)
	}
}

// Pictures of every colour model that PNG has are read alike.
func TestColourModels(t *testing.T) {
	t.Parallel()
	img, err := cover.Draw(cover.Samples()[1], 600)
	require.NoError(t, err)
	for name, to := range map[string]interface {
		image.Image
		Set(x, y int, c color.Color)
	}{
		"gray": image.NewGray(img.Bounds()), "16 bits": image.NewNRGBA64(img.Bounds()),
		"palette": image.NewPaletted(img.Bounds(), color.Palette{color.White, color.Black, color.Gray{128}}),
	} {
		for y := range img.Bounds().Dy() {
			for x := range img.Bounds().Dx() {
				to.Set(x, y, img.At(x, y))
			}
		}
		var buf bytes.Buffer
		require.NoError(t, png.Encode(&buf, to))
		require.Equal(t, "9780486432151", result[booktools.Barcode](setup(t, nil, buf.Bytes()), "scan_barcode", `{}`).ISBN, name)
	}
}
