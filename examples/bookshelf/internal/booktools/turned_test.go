package booktools_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo/phototest"
)

// storedCover returns a JPEG of a cover as a camera stores it that is held in that orientation. Without EXIF, programs
// do not know the orientation.
func storedCover(t *testing.T, orientation int, exif bool) []byte {
	t.Helper()
	img, err := cover.Draw(cover.Samples()[2], 600)
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, phototest.Stored(img, orientation), &jpeg.Options{Quality: 85}))
	if exif {
		return phototest.WithExif(b.Bytes(), phototest.Exif(orientation, binary.BigEndian))
	}
	return b.Bytes()
}

// The barcode is found in all four directions without EXIF, and in all eight orientations with it.
func TestScanBarcodeReadsAllOrientations(t *testing.T) {
	t.Parallel()
	for orientation := 1; orientation <= 8; orientation++ {
		for _, exif := range []bool{false, true} {
			isMirrored := orientation == 2 || orientation == 4 || orientation == 5 || orientation == 7
			if isMirrored && !exif {
				continue // no camera stores that without saying so
			}
			t.Run(fmt.Sprintf("orientation %d, EXIF %t", orientation, exif), func(t *testing.T) {
				t.Parallel()
				b := newToolBench(t, nil, storedCover(t, orientation, exif))
				require.Equal(t, "9781234567897", mustCall[booktools.Barcode](b, "scan_barcode", `{}`).ISBN)
			})
		}
	}
}

func TestScanBarcodeReadsWebP(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"lossy", "lossless", "alpha"} {
		b := newToolBench(t, nil, phototest.WebP(name))
		require.Equal(t, "9781234567897", mustCall[booktools.Barcode](b, "scan_barcode", `{}`).ISBN, name)
	}
}

// directions returns a script that prints a different table for each call, and logs the size of its image: width,
// height.
func directions(t *testing.T, tables ...string) (script, log string) {
	t.Helper()
	dir := t.TempDir()
	log = filepath.Join(dir, "log")
	require.NoError(t, os.WriteFile(log, nil, 0o600))
	for i, table := range tables {
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprint("table", i)), []byte(table), 0o600))
	}
	return fmt.Sprintf("cd %s\nn=$(wc -l <log)\nhead -c 24 | tail -c 8 | od -An -t u1 >>log\ncat >/dev/null\ncat table$n\n", dir), log
}

// The direction with the most letters that are read with confidence wins, and a good first one is not doubted.
func TestReadCoverTurnsThePhotoUntilItReadsText(t *testing.T) {
	t.Parallel()
	good, fair := phototest.WordTable("THE LAMPLIGHTER'S ALMANAC\n\nORLA VANE", 93), phototest.WordTable("ORLA", 91)
	noise, nothing := phototest.WordTable("TYWNV1W ‘N\n\n~~", 41), phototest.WordTable("", 0)
	const size, turned = " 0 0 2 88 0 0 3 132", " 0 0 3 132 0 0 2 88" // 600 × 900 and 900 × 600
	lines := []string{"THE LAMPLIGHTER'S ALMANAC", "", "ORLA VANE"}
	for name, c := range map[string]struct {
		tables []string
		want   booktools.CoverText
		calls  []string
	}{
		"upright": {[]string{good}, booktools.CoverText{Available: true, Lines: lines}, []string{size}},
		"turned to the left": {
			[]string{noise, good, noise, noise}, booktools.CoverText{Available: true, Lines: lines, Turned: 90},
			[]string{size, turned, size, turned},
		},
		"upside down": {
			[]string{fair, noise, good, noise}, booktools.CoverText{Available: true, Lines: lines, Turned: 180},
			[]string{size, turned, size, turned},
		},
		"turned to the right": {
			[]string{nothing, nothing, fair, good}, booktools.CoverText{Available: true, Lines: lines, Turned: 270},
			[]string{size, turned, size, turned},
		},
		"a short text, upright": {
			[]string{fair, noise, fair, nothing}, booktools.CoverText{Available: true, Lines: []string{"ORLA"}},
			[]string{size, turned, size, turned},
		},
		"only noise": {
			[]string{noise, nothing, noise, noise},
			booktools.CoverText{
				Available: true, Doubtful: []string{"TYWNV1W ‘N"}, Note: "The text on the cover could not be read with confidence.",
			},
			[]string{size, turned, size, turned},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			script, log := directions(t, c.tables...)
			o := &booktools.Options{Tesseract: installTesseract(t, script)}
			got := mustCall[booktools.CoverText](newToolBench(t, o, renderCover(t, cover.Samples()[2], cover.PNG)), "read_cover", `{}`)
			require.Equal(t, c.want, got)
			calls, err := os.ReadFile(log)
			require.NoError(t, err)
			var sizes []string
			for line := range strings.Lines(string(calls)) {
				sizes = append(sizes, " "+strings.Join(strings.Fields(line), " "))
			}
			require.Equal(t, c.calls, sizes)
		})
	}
}

// The three turned readings have the time of one. The text of the first is kept.
func TestTurnedReadingsAreBoundedInTime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "table"), []byte(phototest.WordTable("ORLA", 95)), 0o600))
	script := fmt.Sprintf("cat >/dev/null\ntest -e %[1]s/second && exec sleep 600\ntouch %[1]s/second\ncat %[1]s/table\n", dir)
	o := &booktools.Options{Tesseract: installTesseract(t, script), OCRTimeout: 10 * time.Second}
	got := mustCall[booktools.CoverText](newToolBench(t, o, renderCover(t, cover.Samples()[2], cover.PNG)), "read_cover", `{}`)
	require.Equal(t, booktools.CoverText{
		Available: true, Lines: []string{"ORLA"},
		Note: "The photo was not read in all directions, since that took too long.",
	}, got)
}

func TestOutputThatIsNotATableIsAnError(t *testing.T) {
	t.Parallel()
	for _, output := range []string{"PRIDE AND PREJUDICE", "5\t1\t1\t1\t1\t1\t0\t0\t9\t9\tNaN\tX", "5\t1\t1\t1\t1\t1\t0\t0\t9\t9\thigh\tX"} {
		path := filepath.Join(t.TempDir(), "output")
		require.NoError(t, os.WriteFile(path, []byte(output), 0o600))
		o := &booktools.Options{Tesseract: installTesseract(t, "cat >/dev/null; cat "+path)}
		_, err := newToolBench(t, o, renderCover(t, cover.Samples()[2], cover.PNG)).callTool("read_cover", `{}`)
		require.ErrorContains(t, err, "unexpected output", output)
	}
}

// With the program itself, if it is installed.
func TestTesseractReadsAllOrientations(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("tesseract"); err != nil {
		t.Skip("tesseract is not installed")
	}
	for orientation, exif := range map[int]bool{3: false, 6: false, 8: true} {
		got := mustCall[booktools.CoverText](newToolBench(t, nil, storedCover(t, orientation, exif)), "read_cover", `{}`)
		if exif {
			require.Zero(t, got.Turned, "orientation %d: %q", orientation, got)
		}
		require.Contains(t, strings.Join(got.Lines, " "), "ORLA VANE")
		require.Contains(t, strings.Join(got.Lines, " "), "LAMPLIGHTER'S ALMANAC")
	}
}
