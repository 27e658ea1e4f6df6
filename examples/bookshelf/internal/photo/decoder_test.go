package photo

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo/phototest"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// memoryEnv is the environment variable that makes the test's binary only read photos, so that its peak memory can be
// measured.
const memoryEnv = "PHOTO_MEMORY"

func TestMain(m *testing.M) {
	if kind := os.Getenv(memoryEnv); kind != "" {
		if err := readAll(context.Background(), kind); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// costlyFiles contains the files that readAll reads: one that is rejected, one just below the limit, and one of which
// several are decoded at the same time.
var costlyFiles = map[string]struct {
	uploads  int
	file     func() []byte
	rejected bool
}{
	"progressive CMYK":          {8, func() []byte { return phototest.JPEG(8000, 6250, phototest.CMYK, true, 0) }, true},
	"progressive CMYK, smaller": {8, func() []byte { return phototest.JPEG(3700, 3000, phototest.CMYK, true, 0) }, false},
	"one photo of 50 megapixels": {1, func() []byte {
		return phototest.WithExif(phototest.JPEG(8160, 6120, phototest.S420, false, phototest.NoAdobe), phototest.Exif(6, binary.BigEndian))
	}, false},
	"photos of 50 megapixels": {8, func() []byte { return phototest.JPEG(8160, 6120, phototest.S420, false, phototest.NoAdobe) }, false},
	"transparent WebP":        {12, func() []byte { return phototest.WebP("alpha") }, false},
	"gray PNG of one bit":     {12, func() []byte { return phototest.PNG(7000, 7000, 1, 0, false, false) }, false},
}

// readAll reads uploads of one kind at the same time. Each belongs to another tenant.
func readAll(ctx context.Context, kind string) error {
	c := costlyFiles[kind]
	bucket := must.Get(object.New(object.NewMemory(), "landing", nil))
	file := c.file()
	d := NewDecoder(nil)
	errs := make([]error, c.uploads)
	var wg sync.WaitGroup
	for i := range errs {
		root, ref, err := putUpload(ctx, bucket, fmt.Sprintf("tenant%d", i), file)
		if err != nil {
			return err
		}
		wg.Go(func() { _, errs[i] = d.Gray(ctx, root, ref) })
	}
	wg.Wait()
	for _, err := range errs {
		if (err != nil) != c.rejected {
			return fmt.Errorf("rejected: want %t, got %w", c.rejected, err)
		}
	}
	return nil
}

func putUpload(ctx context.Context, bucket *object.Bucket, tenant string, file []byte) (*object.Root, object.Ref, error) {
	s, err := scope.Tenant(tenant)
	if err == nil {
		s, err = s.User("u1")
	}
	if err == nil {
		s, err = s.NewSession()
	}
	if err != nil {
		return nil, object.Ref{}, err
	}
	root, err := bucket.In(s)
	if err != nil {
		return nil, object.Ref{}, err
	}
	ref, err := root.Ref("cover")
	if err != nil {
		return nil, object.Ref{}, err
	}
	ref, _, err = root.Put(ctx, ref, bytes.NewReader(file), nil)
	return root, ref, err
}

// Not parallel: each of its processes takes up to 600 MB.
func TestManyCostlyUploadsStayBelow600MB(t *testing.T) {
	if runtime.GOOS != "linux" || raceDetector {
		t.Skip("Maxrss is in kilobytes on Linux alone, and the race detector takes memory as well")
	}
	for kind := range costlyFiles {
		t.Run(kind, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), memoryEnv+"="+kind)
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
			peak := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
			t.Logf("%s: %d MB", kind, peak/1e6)
			require.Less(t, peak, int64(600e6))
		})
	}
}

// holdAll holds all the memory that the tenant may hold.
func holdAll(t *testing.T, d *Decoder, s scope.Scope) (release func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	release, err := d.turns.memory.Acquire(ctx, s, memoryBudget)
	require.NoError(t, err)
	return release
}

func newRoot(t *testing.T, driver object.Driver, file []byte) (*object.Root, object.Ref) {
	t.Helper()
	root, ref, err := putUpload(t.Context(), must.Get(object.New(driver, "landing", nil)), "acme", file)
	require.NoError(t, err)
	return root, ref
}

// countingStore counts how often an object is opened, and fails on demand.
type countingStore struct {
	object.Driver

	opened atomic.Int64
	fail   atomic.Bool
}

var errStore = errors.New("the store is down")

func (c *countingStore) Open(ctx context.Context, a object.Addr, r object.Range) (io.ReadCloser, object.Info, error) {
	c.opened.Add(1)
	if c.fail.Load() {
		return nil, object.Info{}, errStore
	}
	return c.Driver.Open(ctx, a, r)
}

// One decoding takes two reads, of the header and of the whole file, and one if the file is small.
func TestConcurrentCallsShareOneDecoding(t *testing.T) {
	t.Parallel()
	small := phototest.PNG(700, 500, 8, 2, false, false)
	for reads, file := range map[int][]byte{1: small, 2: append(bytes.Clone(small), make([]byte, smallFile)...)} {
		store := &countingStore{Driver: object.NewMemory()}
		root, ref := newRoot(t, store, file)
		d := NewDecoder(nil)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for _, r := range []object.Ref{ref, ref.Unpinned()} {
					if img, err := d.Gray(t.Context(), root, r); assert.NoError(t, err) {
						assert.Equal(t, image.Rect(0, 0, 700, 500), img.Rect)
					}
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, reads, store.opened.Load())
	}
}

func TestCacheDropsTheOldestResults(t *testing.T) {
	t.Parallel()
	store := &countingStore{Driver: object.NewMemory()}
	d := NewDecoder(&Options{Keep: 25_000})
	var roots []*object.Root
	var refs []object.Ref
	for range 3 {
		root, ref := newRoot(t, store, phototest.PNG(100, 100, 8, 0, false, false))
		roots, refs = append(roots, root), append(refs, ref)
	}
	for _, step := range []struct{ photo, opened int }{{0, 1}, {1, 2}, {0, 2}, {2, 3}, {0, 3}, {1, 4}} {
		_, err := d.Gray(t.Context(), roots[step.photo], refs[step.photo])
		require.NoError(t, err)
		require.EqualValues(t, step.opened, store.opened.Load())
	}
}

// The error of the store is not reported as an error of the photo.
func TestStoreFailureIsNotCachedAndReleasesItsBudget(t *testing.T) {
	t.Parallel()
	store := &countingStore{Driver: object.NewMemory()}
	root, ref := newRoot(t, store, phototest.PNG(10, 10, 8, 0, false, false))
	d := NewDecoder(nil)
	store.fail.Store(true)
	_, err := d.Gray(t.Context(), root, ref)
	require.ErrorIs(t, err, errStore)
	require.NotErrorAs(t, err, new(*tools.FatalError))
	holdAll(t, d, root.Scope())()
	store.fail.Store(false)
	_, err = d.Gray(t.Context(), root, ref)
	require.NoError(t, err)
}

// replacingStore returns another file from the second read on.
type replacingStore struct {
	countingStore
	second []byte
}

func (r *replacingStore) Open(ctx context.Context, a object.Addr, rg object.Range) (io.ReadCloser, object.Info, error) {
	body, info, err := r.countingStore.Open(ctx, a, rg)
	if r.opened.Load() > 1 {
		body = io.NopCloser(bytes.NewReader(r.second))
	}
	return body, info, err
}

// The reserved memory depends on the header of the first read.
func TestSecondHeaderIsRejected(t *testing.T) {
	t.Parallel()
	first, second := phototest.PNG(10, 10, 8, 0, false, false), phototest.PNG(2000, 2000, 1, 0, false, false)
	n := max(len(first), len(second), smallFile+1)
	pad := func(b []byte) []byte { return append(b, make([]byte, n-len(b))...) } // after the end of the image
	store := &replacingStore{countingStore: countingStore{Driver: object.NewMemory()}, second: pad(second)}
	root, ref := newRoot(t, store, pad(first))
	_, err := NewDecoder(nil).Gray(t.Context(), root, ref)
	failed, ok := errors.AsType[*tools.FatalError](err)
	require.True(t, ok, err)
	require.Equal(t, NotAnImage, failed.Code)
	require.ErrorContains(t, failed.Err, "the header differs")
}

func TestGrayWaitsForTheBudgetUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	root, ref := newRoot(t, object.NewMemory(), phototest.PNG(10, 10, 8, 0, false, false))
	d := NewDecoder(nil)
	release := holdAll(t, d, root.Scope())
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := d.Gray(ctx, root, ref)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	release()
	_, err = d.Gray(t.Context(), root, ref)
	require.NoError(t, err)
}

func TestAnotherCallerDecodesIfTheFirstGivesUp(t *testing.T) {
	t.Parallel()
	var r results
	r.limit = 1 << 20
	_, ref := newRoot(t, object.NewMemory(), []byte("x"))
	synctest.Test(t, func(t *testing.T) {
		first, cancel := context.WithCancel(t.Context())
		go func() {
			_, err := r.getOrLoad(first, ref, func() (*image.Gray, error) { <-first.Done(); return nil, first.Err() })
			assert.ErrorIs(t, err, context.Canceled)
		}()
		synctest.Wait()
		var got *image.Gray
		go func() {
			img, err := r.getOrLoad(t.Context(), ref, func() (*image.Gray, error) { return image.NewGray(image.Rect(0, 0, 1, 1)), nil })
			assert.NoError(t, err)
			got = img
		}()
		synctest.Wait()
		require.Nil(t, got)
		cancel()
		synctest.Wait()
		require.NotNil(t, got)
	})
}

func TestGrayMatchesImageColorOnWhite(t *testing.T) {
	t.Parallel()
	r := image.Rect(-3, 5, 61, 69)
	for name, img := range map[string]interface {
		image.RGBA64Image
		Set(x, y int, c color.Color)
	}{
		"Gray": image.NewGray(r), "RGBA": image.NewRGBA(r), "NRGBA": image.NewNRGBA(r), "NRGBA64": image.NewNRGBA64(r), "CMYK": image.NewCMYK(r),
	} {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				img.Set(x, y, color.NRGBA{uint8(4 * x), uint8(3 * y), uint8(x * y), uint8(255 - x)})
			}
		}
		got, err := shrinkToGray(t.Context(), img, MaxSide)
		require.NoError(t, err)
		white := image.NewRGBA(r)
		draw.Draw(white, r, image.White, image.Point{}, draw.Src)
		draw.Draw(white, r, img, r.Min, draw.Over)
		for y := range got.Rect.Dy() {
			for x := range got.Rect.Dx() {
				want := color.GrayModel.Convert(white.At(r.Min.X+x, r.Min.Y+y)).(color.Gray)
				require.InDelta(t, want.Y, got.GrayAt(x, y).Y, 2, "%s at %d, %d", name, x, y)
			}
		}
	}
	ycc := image.NewYCbCr(r.Sub(r.Min), image.YCbCrSubsampleRatio420)
	for i := range ycc.Y {
		ycc.Y[i] = uint8(i)
	}
	got, err := shrinkToGray(t.Context(), ycc, MaxSide)
	require.NoError(t, err)
	require.Equal(t, ycc.Y, got.Pix)
}

func TestShrinkAveragesColumns(t *testing.T) {
	t.Parallel()
	img := image.NewGray(image.Rect(0, 0, 7, 3))
	for i := range img.Pix {
		img.Pix[i] = uint8(10 * (i % 7))
	}
	got, err := Shrink(t.Context(), img, 3)
	require.NoError(t, err)
	require.Equal(t, image.Rect(0, 0, 3, 1), got.Rect)
	require.Equal(t, []uint8{5, 25, 50}, got.Pix, "the means of two, two and three columns")
	same, err := Shrink(t.Context(), img, 7)
	require.NoError(t, err)
	require.Same(t, img, same)
	narrow, err := Shrink(t.Context(), image.NewGray(image.Rect(0, 0, 9000, 1)), 3000)
	require.NoError(t, err)
	require.Equal(t, image.Rect(0, 0, 3000, 1), narrow.Rect)
}

func BenchmarkGray(b *testing.B) {
	var file bytes.Buffer
	require.NoError(b, jpeg.Encode(&file, image.NewYCbCr(image.Rect(0, 0, 4032, 3024), image.YCbCrSubsampleRatio420), nil))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decodeFile(b.Context(), file.Bytes(), "JPEG"); err != nil {
			b.Fatal(err)
		}
	}
}
