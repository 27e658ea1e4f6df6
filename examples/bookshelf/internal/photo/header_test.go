package photo

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo/phototest"
	"github.com/carrel-go/carrel/tools"
)

// newPlainReader returns a reader of b that has only the method Read.
func newPlainReader(b []byte) io.Reader { return io.LimitReader(bytes.NewReader(b), int64(len(b))) }

// makeFiles returns a file of each kind that the decoders distinguish.
func makeFiles(width, height int) map[string][]byte {
	files := make(map[string][]byte)
	for name, s := range map[string]phototest.Sampling{
		"gray": phototest.Gray, "4:4:4": phototest.S444, "4:2:0": phototest.S420, "4:2:2": {0x21, 0x11, 0x11}, "4:1:0": {0x42, 0x11, 0x11},
	} {
		for _, progressive := range []bool{false, true} {
			for _, adobe := range []int{phototest.NoAdobe, 0, 1} {
				files[fmt.Sprintf("JPEG %s, progressive %t, adobe %d", name, progressive, adobe)] = phototest.JPEG(width, height, s, progressive, adobe)
			}
		}
	}
	for name, s := range map[string]phototest.Sampling{"CMYK": phototest.CMYK, "CMYK, subsampled": phototest.CMYK2} {
		for _, progressive := range []bool{false, true} {
			for _, adobe := range []int{0, 2} {
				files[fmt.Sprintf("JPEG %s, progressive %t, adobe %d", name, progressive, adobe)] = phototest.JPEG(width, height, s, progressive, adobe)
			}
		}
	}
	for _, k := range []struct{ depth, colour byte }{
		{1, 0}, {8, 0}, {16, 0}, {8, 2}, {16, 2}, {2, 3}, {8, 3}, {8, 4}, {16, 4}, {8, 6}, {16, 6},
	} {
		for _, interlaced := range []bool{false, true} {
			for _, transparent := range []bool{false, true} {
				if transparent && k.colour > 3 {
					continue
				}
				name := fmt.Sprintf("PNG %d bits, colour type %d, interlaced %t, tRNS %t", k.depth, k.colour, interlaced, transparent)
				files[name] = phototest.PNG(width, height, k.depth, k.colour, interlaced, transparent)
			}
		}
	}
	return files
}

// The estimate is also at most a tenth too high. Not parallel: it measures the allocations of the whole process.
func TestMemoryEstimateCoversTheDecoder(t *testing.T) {
	const width, height = 1501, 1003
	for name, file := range makeFiles(width, height) {
		t.Run(name, func(t *testing.T) {
			h, err := readHeader(newPlainReader(file), false)
			require.NoError(t, err)
			require.Equal(t, [2]int{width, height}, [2]int{h.width, h.height})
			whole, err := readHeader(newPlainReader(file), true)
			require.NoError(t, err)
			require.Equal(t, h, whole)

			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			img, err := decodePixels(bytes.NewReader(file), h.format)
			runtime.ReadMemStats(&after)
			require.NoError(t, err)
			require.Equal(t, width, img.Bounds().Dx())
			const beside = 256 << 10 // tables and buffers
			actual := int64(after.TotalAlloc - before.TotalAlloc)
			require.LessOrEqual(t, actual, h.memory+beside)
			require.LessOrEqual(t, h.memory, actual*11/10+beside)
		})
	}
}

// The file has 391 kB, and the decoder would allocate more than 1 GB.
func TestSmallFileWithALargeImageIsRejected(t *testing.T) {
	t.Parallel()
	file := phototest.JPEG(8000, 6250, phototest.CMYK, true, 0)
	require.Less(t, len(file), 400_000)
	h, err := checkHeader(newPlainReader(file), false)
	require.Greater(t, h.memory, int64(1_150_000_000))
	var fatal *tools.FatalError
	require.ErrorAs(t, err, &fatal)
	require.Equal(t, ImageTooLarge, fatal.Code)
	require.Contains(t, fatal.Message, "256 MB of memory")
}

func TestPhotosOfCamerasAreAccepted(t *testing.T) {
	t.Parallel()
	for name, file := range map[string][]byte{
		"50 megapixels":              phototest.JPEG(8160, 6120, phototest.S420, false, phototest.NoAdobe),
		"12 megapixels, progressive": phototest.JPEG(4032, 3024, phototest.S420, true, phototest.NoAdobe),
		"a scan":                     phototest.PNG(4960, 7016, 8, 2, false, false),
	} {
		_, err := checkHeader(newPlainReader(file), true)
		require.NoError(t, err, name)
	}
}

func TestHeaderChangedAfterTheFirstScanIsRejected(t *testing.T) {
	t.Parallel()
	file := phototest.JPEG(64, 64, phototest.S444, false, 1)
	end := len(file) - 2
	adobe := []byte("\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00") // changes the colours to RGB
	hidden := append([]byte("\xff\xfe\x00\x04\xff\xd9"), adobe...)       // after a comment that looks like the end
	for name, extra := range map[string][]byte{
		"colours": adobe, "behind a comment": hidden,
		"JFIF":           []byte("\xff\xe0\x00\x07JFIF\x00"),
		"a second frame": file[bytes.Index(file, []byte{0xff, markerSOF0}):bytes.Index(file, []byte{0xff, 0xc4})],
	} {
		changed := append(append(bytes.Clone(file[:end]), extra...), file[end:]...)
		_, err := readHeader(newPlainReader(changed), true)
		require.Error(t, err, name)
	}
	_, err := readHeader(newPlainReader(append(bytes.Clone(file), adobe...)), true)
	require.NoError(t, err, "bytes after the end are not part of the image")
}

// The decoder processes the whole image for each scan. A file of 20 MB can have 700,000 scans.
func TestNumberOfScansIsBounded(t *testing.T) {
	t.Parallel()
	file := phototest.JPEG(64, 64, phototest.Gray, true, phototest.NoAdobe)
	start, end := bytes.Index(file, []byte{0xff, markerSOS}), len(file)-2
	for scans, accepted := range map[int]bool{maxScans: true, maxScans + 1: false} {
		many := append(bytes.Clone(file[:start]), bytes.Repeat(file[start:end], scans)...)
		_, err := checkHeader(newPlainReader(append(many, file[end:]...)), true)
		if accepted {
			require.NoError(t, err)
			continue
		}
		var fatal *tools.FatalError
		require.ErrorAs(t, err, &fatal)
		require.Equal(t, NotAnImage, fatal.Code)
		require.Contains(t, fatal.Message, "save it as a plain PNG or JPEG")
	}
}

// Scans of a few bytes can make the decoder process all samples of a large image many times.
func TestWorkOfScansIsBounded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file     []byte
		scans    int
		accepted bool
	}{
		"gray, seven times":         {phototest.JPEG(7000, 7000, phototest.Gray, true, phototest.NoAdobe), 7, true},
		"gray, nine times":          {phototest.JPEG(7000, 7000, phototest.Gray, true, phototest.NoAdobe), 9, false},
		"three components, twice":   {phototest.JPEG(4000, 4000, phototest.S444, true, phototest.NoAdobe), 2, true},
		"three components, 9 times": {phototest.JPEG(4000, 4000, phototest.S444, true, phototest.NoAdobe), 9, false},
		"small, ninety times":       {phototest.JPEG(1000, 1000, phototest.Gray, true, phototest.NoAdobe), 90, true},
	} {
		start, end := bytes.Index(c.file, []byte{0xff, markerSOS}), len(c.file)-2
		many := append(bytes.Clone(c.file[:start]), bytes.Repeat(c.file[start:end], c.scans)...)
		_, err := checkHeader(newPlainReader(append(many, c.file[end:]...)), true)
		require.Equal(t, c.accepted, err == nil, "%s: %v", name, err)
	}
}

func FuzzHeader(f *testing.F) {
	for _, file := range makeFiles(17, 9) {
		f.Add(file)
	}
	for _, name := range []string{"lossy", "lossless", "alpha", "animated"} {
		f.Add(phototest.WebP(name))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		h, err := readHeader(bytes.NewReader(file), true)
		if err != nil || h.width > 1000/h.height {
			return
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = decodePixels(bytes.NewReader(file), h.format)
		runtime.ReadMemStats(&after)
		require.LessOrEqual(t, after.TotalAlloc-before.TotalAlloc, uint64(h.memory)+1<<20)
	})
}
