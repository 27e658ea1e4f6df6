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
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo/phototest"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// toolBench is one session with files, and the tools for it.
type toolBench struct {
	t       *testing.T
	bucket  *object.Bucket
	session scope.Scope
	set     tools.Resolved
}

// newToolBench puts the files into one session and resolves the tools for it.
func newToolBench(t *testing.T, o *booktools.Options, files ...[]byte) *toolBench {
	t.Helper()
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	u, err := tenant.User("u1")
	require.NoError(t, err)
	s, err := u.NewSession()
	require.NoError(t, err)
	b := &toolBench{t: t, bucket: must.Get(object.New(object.NewMemory(), "landing", nil)), session: s}
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

func (b *toolBench) callTool(name, args string) (tools.Result, error) {
	b.t.Helper()
	tool, ok := b.set.Lookup(name)
	require.True(b.t, ok, name)
	return tool.Call(b.t.Context(), tools.NewCall(tools.CallOptions{Scope: b.session, ID: "c1", Name: name, Args: json.RawMessage(args)}))
}

func mustCall[T any](b *toolBench, name, args string) T {
	b.t.Helper()
	r, err := b.callTool(name, args)
	require.NoError(b.t, err)
	require.Len(b.t, r.Blocks, 1)
	require.NotEmpty(b.t, r.Summary)
	var v T
	require.NoError(b.t, json.Unmarshal(r.Blocks[0].JSON, &v))
	return v
}

func renderCover(t *testing.T, s cover.Sample, f cover.Format) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, cover.Render(&b, s, &cover.Options{Width: 600, Format: f}))
	return b.Bytes()
}

func TestScanBarcodeReadsPNGAndJPEG(t *testing.T) {
	t.Parallel()
	for _, f := range []cover.Format{cover.PNG, cover.JPEG} {
		s := cover.Samples()[2]
		b := newToolBench(t, nil, renderCover(t, s, f))
		require.Equal(t, booktools.Barcode{Found: true, Digits: s.ISBN, ISBN: s.ISBN}, mustCall[booktools.Barcode](b, "scan_barcode", `{}`))
	}
}

// The photo is larger than the book, turned by 90 degrees, and has other colours in it.
func TestScanBarcodeReadsATurnedPhoto(t *testing.T) {
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
	got := mustCall[booktools.Barcode](newToolBench(t, nil, buf.Bytes()), "scan_barcode", `{}`)
	require.Equal(t, "9780486284736", got.ISBN)
}

func TestScanBarcodeReportsOtherBarcodesAndNone(t *testing.T) {
	t.Parallel()
	s := cover.Samples()[0]
	s.ISBN = "4006381333931"
	b := newToolBench(t, nil, renderCover(t, s, cover.PNG))
	require.Equal(t, booktools.Barcode{Found: true, Digits: s.ISBN}, mustCall[booktools.Barcode](b, "scan_barcode", `{}`))

	blank := image.NewGray(image.Rect(0, 0, 300, 200))
	var buf bytes.Buffer
	require.NoError(t, png.Encode(&buf, blank))
	require.Equal(t, booktools.Barcode{}, mustCall[booktools.Barcode](newToolBench(t, nil, buf.Bytes()), "scan_barcode", `{}`))

	buf.Reset()
	require.NoError(t, png.Encode(&buf, image.NewGray(image.Rect(0, 0, 1, 1))))
	require.Equal(t, booktools.Barcode{}, mustCall[booktools.Barcode](newToolBench(t, nil, buf.Bytes()), "scan_barcode", `{}`))
}

// makePNGHeader returns the header of a PNG of the given size.
func makePNGHeader(w, h uint32, depth byte) []byte {
	var b bytes.Buffer
	b.WriteString("\x89PNG\r\n\x1a\n")
	head := append([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)...)
	head = append(head, depth, 2, 0, 0, 0)
	b.Write([]byte{0, 0, 0, 13})
	b.Write(head)
	b.Write(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(head)))
	return b.Bytes()
}

// Every tool that reads the photo returns a message for a person.
func TestUnreadablePhotoEndsTheRun(t *testing.T) {
	t.Parallel()
	whole := renderCover(t, cover.Samples()[0], cover.PNG)
	wholeJPEG := renderCover(t, cover.Samples()[0], cover.JPEG)
	gif := []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")
	for name, c := range map[string]struct {
		file []byte
		code string
		says string
	}{
		"nothing":             {nil, "not_an_image", "empty"},
		"text":                {[]byte("It is a truth universally acknowledged"), "not_an_image", "must be a JPEG, a PNG or a WebP"},
		"a GIF":               {gif, "not_an_image", "This is a GIF picture, which cannot be read here. Please save it as a JPEG or PNG."},
		"half a PNG":          {whole[:len(whole)/2], "not_an_image", "is damaged or incomplete"},
		"half a JPEG":         {wholeJPEG[:len(wholeJPEG)/2], "not_an_image", "is damaged or incomplete"},
		"a PNG's first bytes": {whole[:20], "not_an_image", "PNG image is damaged"},
		"a JPEG's start":      {wholeJPEG[:4], "not_an_image", "JPEG image is damaged"},
		"a flipped byte":      {append(append(bytes.Clone(whole[:100]), ^whole[100]), whole[101:]...), "not_an_image", "damaged"},
		"a bomb":              {makePNGHeader(60000, 60000, 8), "image_too_large", "50 megapixels"},
		"a deep bomb":         {makePNGHeader(7000, 7000, 16), "image_too_large", "50 megapixels"},
		"an overflow":         {makePNGHeader(1<<31-1, 1<<31-1, 8), "not_an_image", "is not supported"},
		"too many bytes":      {append(bytes.Clone(whole), make([]byte, photo.MaxBytes)...), "image_too_large", "20 MB"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newToolBench(t, &booktools.Options{Tesseract: "/bin/true"}, c.file)
			for _, tool := range []string{"scan_barcode", "read_cover"} {
				_, err := b.callTool(tool, `{}`)
				var fatal *tools.FatalError
				require.ErrorAs(t, err, &fatal)
				require.Equal(t, c.code, fatal.Code)
				require.False(t, fatal.Retryable)
				require.Contains(t, fatal.Message, c.says)
			}
		})
	}
}

// The model cannot name another file. An ambiguous upload is not reported as an unreadable photo.
func TestToolsReadOnlyTheUploadOfTheScope(t *testing.T) {
	t.Parallel()
	png := renderCover(t, cover.Samples()[0], cover.PNG)
	for _, files := range [][][]byte{{}, {png, png}} {
		_, err := newToolBench(t, nil, files...).callTool("scan_barcode", `{}`)
		require.ErrorIs(t, err, booktools.ErrUpload)
		require.NotErrorAs(t, err, new(*tools.FatalError))
	}
	var landing *object.Bucket
	b := newToolBench(t, &booktools.Options{Upload: func(_ context.Context, s scope.Scope) (object.Ref, error) {
		root, err := landing.In(s)
		if err != nil {
			return object.Ref{}, err
		}
		return root.Ref("b.bin")
	}}, []byte("first"), png)
	landing = b.bucket
	require.Equal(t, "9780486284736", mustCall[booktools.Barcode](b, "scan_barcode", `{}`).ISBN)
	for _, args := range []string{`{"name":"a.bin"}`, `{"key":"x"}`, `{"ref":{"bucket":"landing"}}`} {
		_, err := b.callTool("scan_barcode", args)
		require.ErrorAs(t, err, new(*tools.CorrectionError))
	}
}

// installTesseract writes a shell script and returns its path. The fork lock keeps processes that start at the same
// time from inheriting the open file, since Linux does not run a file that is open for writing.
func installTesseract(t *testing.T, script string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a Unix shell")
	}
	path := filepath.Join(t.TempDir(), "tesseract")
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755))
	return path
}

// printTable returns the part of a script that prints a text as tesseract does, with a confidence of 0 to 100.
func printTable(t *testing.T, text string, confidence float64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "table")
	require.NoError(t, os.WriteFile(path, []byte(phototest.WordTable(text, confidence)), 0o600))
	return "/bin/cat " + path + "\n"
}

func TestReadCoverReturnsCleanedText(t *testing.T) {
	t.Parallel()
	photo := renderCover(t, cover.Samples()[0], cover.PNG)
	newBench := func(t *testing.T, script string) *toolBench {
		t.Helper()
		return newToolBench(t, &booktools.Options{Tesseract: installTesseract(t, script)}, photo)
	}
	t.Run("reads", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, `test "$*" = "stdin stdout -c tessedit_create_tsv=1" || exit 3
head -c 8 | od -An -c | grep -q "P   N   G" || exit 4
`+printTable(t, "PRIDE   AND\nPREJU\001DICE\n\n\n  \nJANE\tAUSTEN \377\n\f", 95))
		got := mustCall[booktools.CoverText](b, "read_cover", `{}`)
		require.Equal(t, booktools.CoverText{Available: true, Lines: []string{"PRIDE AND", "PREJU DICE", "", "JANE AUSTEN"}}, got)
	})
	t.Run("finds nothing", func(t *testing.T) {
		t.Parallel()
		got := mustCall[booktools.CoverText](newBench(t, `cat >/dev/null;`+printTable(t, "\n \n", 95)), "read_cover", `{}`)
		require.True(t, got.Available)
		require.Empty(t, got.Lines)
		require.NotEmpty(t, got.Note)
	})
	t.Run("fails", func(t *testing.T) {
		t.Parallel()
		_, err := newBench(t, `echo "no language data in /usr/share" >&2; exit 1`).callTool("read_cover", `{}`)
		require.ErrorContains(t, err, "no language data")
		require.NotErrorAs(t, err, new(*tools.CorrectionError), "the cause is for the log")
	})
	t.Run("writes without end", func(t *testing.T) {
		t.Parallel()
		_, err := newBench(t, `i=0; while [ $i -lt 20000 ]; do echo "word word word word word word word $i"; i=$((i+1)); done`).
			callTool("read_cover", `{}`)
		require.ErrorContains(t, err, "the output is too long")
	})
	t.Run("writes many lines", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, printTable(t, strings.Repeat("word\n\n", 300), 95))
		got := mustCall[booktools.CoverText](b, "read_cover", `{}`)
		require.True(t, got.Cut)
		require.LessOrEqual(t, len(got.Lines), booktools.MaxLines)
	})
}

// Not parallel: it changes PATH.
func TestReadCoverLooksTesseractUpOnThePath(t *testing.T) {
	photo := renderCover(t, cover.Samples()[0], cover.PNG)
	t.Setenv("PATH", filepath.Dir(installTesseract(t, "/bin/cat >/dev/null; "+printTable(t, "FOUND", 95))))
	got := mustCall[booktools.CoverText](newToolBench(t, nil, photo), "read_cover", `{}`)
	require.Equal(t, []string{"FOUND"}, got.Lines)

	t.Setenv("PATH", t.TempDir())
	got = mustCall[booktools.CoverText](newToolBench(t, nil, photo), "read_cover", `{}`)
	require.False(t, got.Available)
	require.Contains(t, got.Note, "not installed")
}

// Not parallel: it changes the environment.
func TestReadCoverHidesSecretsFromTesseract(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "hidden")
	o := &booktools.Options{Tesseract: installTesseract(t, `cat >/dev/null; n=0; env | while read -r line; do n=$((n+1))
printf '5\t1\t1\t1\t%d\t1\t0\t0\t9\t9\t95\t%s\n' $n "$line"; done`)}
	got := mustCall[booktools.CoverText](newToolBench(t, o, renderCover(t, cover.Samples()[0], cover.PNG)), "read_cover", `{}`)
	require.NotContains(t, strings.Join(got.Lines, "\n"), "AWS_")
	require.Contains(t, strings.Join(got.Lines, "\n"), "OMP_THREAD_LIMIT=1")
}

func TestCheckISBNExplainsInvalidDigits(t *testing.T) {
	t.Parallel()
	b := newToolBench(t, nil)
	for in, want := range map[string]booktools.ISBNCheck{
		"978-0-486-28473-6": {ISBN: "9780486284736", Valid: true, ISBN13: "9780486284736"},
		"0-8044-2957-x":     {ISBN: "080442957X", Valid: true, ISBN13: "9780804429573"},
		"9780486284737":     {ISBN: "9780486284737", Reason: "has the wrong last digit: after 978048628473 it must be 6"},
		"12":                {ISBN: "12", Reason: "must be 10 or 13 digits, with or without hyphens, for example 978-0-486-28473-6 (the last of ten may be X)"},
	} {
		args, err := json.Marshal(map[string]string{"isbn": in})
		require.NoError(t, err)
		require.Equal(t, want, mustCall[booktools.ISBNCheck](b, "check_isbn", string(args)))
	}
	_, err := b.callTool("check_isbn", `{"isbn":"`+strings.Repeat("9", 400)+`"}`)
	require.ErrorAs(t, err, new(*tools.CorrectionError))
}

func TestLookUpBookFindsByISBNOrTitle(t *testing.T) {
	t.Parallel()
	b := newToolBench(t, nil)
	hit := mustCall[booktools.Lookup](b, "look_up_book", `{"isbn":"0-486-28473-5"}`)
	require.Equal(t, "isbn", hit.MatchedBy)
	require.Equal(t, "Pride and Prejudice", hit.Book.Title)
	hit = mustCall[booktools.Lookup](b, "look_up_book", `{"title":"M0BY\nDICK","author":"Melvile"}`)
	require.Equal(t, "title", hit.MatchedBy)
	require.Equal(t, "9780486432151", hit.Book.ISBN)
	require.Less(t, hit.Score, 1.01)
	miss := booktools.Lookup{
		Source: "the built-in catalogue of 26 books",
		Note:   "This book is not in the built-in catalogue of 26 books. It may exist nevertheless.",
	}
	require.Equal(t, miss, mustCall[booktools.Lookup](b, "look_up_book", `{"isbn":"9781234567897"}`))
	require.Equal(t, miss, mustCall[booktools.Lookup](b, "look_up_book", `{"title":"The Lamplighter's Almanac"}`))
	for _, args := range []string{`{}`, `{"title":" "}`, `{"isbn":"9780486284737"}`, `{"isbn":9}`, `{"title":"` + strings.Repeat("word ", 900) + `"}`} {
		_, err := b.callTool("look_up_book", args)
		require.ErrorAs(t, err, new(*tools.CorrectionError), args)
	}
}

// The JSON of the result becomes an event on the wire: the field, and its value with the right type.
func TestSetFieldReturnsTypedValuesAndCorrections(t *testing.T) {
	t.Parallel()
	b := newToolBench(t, nil)
	for args, want := range map[string]string{
		`{"field":"title","value":"Crime & <Punishment>"}`: `{"field":"title","value":"Crime & <Punishment>"}`,
		`{"field":"published_year","value":"1866"}`:        `{"field":"published_year","value":1866}`,
		`{"field":"confidence","value":"0.50"}`:            `{"field":"confidence","value":0.5}`,
		`{"field":"isbn","value":"080442957X"}`:            `{"field":"isbn","value":"080442957X"}`,
		`{"field":"description","value":"a\nb"}`:           `{"field":"description","value":"a\nb"}`,
	} {
		r, err := b.callTool("set_field", args)
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
		`{"field":"isbn","value":"9780486284737"}`:   "it must be 6",
		`{"field":"title","value":" "}`:              "blank",
		`{"field":"title"}`:                          "value",
		`{"field":"title","value":"x","tenant":"y"}`: "tenant",
	} {
		_, err := b.callTool("set_field", args)
		var c *tools.CorrectionError
		require.ErrorAs(t, err, &c, args)
		require.Contains(t, c.Message, says)
	}
}

func TestScanBarcodeReadsEveryColourModel(t *testing.T) {
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
		require.Equal(t, "9780486432151", mustCall[booktools.Barcode](newToolBench(t, nil, buf.Bytes()), "scan_barcode", `{}`).ISBN, name)
	}
}
