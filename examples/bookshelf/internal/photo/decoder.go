package photo

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"runtime"
	"sync/atomic"

	"golang.org/x/image/webp"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// Limits of a photo.
const (
	MaxBytes  = 20 << 20   // bytes of the file
	MaxPixels = 50_000_000 // width × height
	MaxMemory = 256 << 20  // bytes that decoding may take, estimated from the header
	MaxSide   = 3000       // pixels of the longer side of the result of Gray
)

const (
	keptGrays  = 64 << 20  // bytes; the default of Options.Keep
	maxGarbage = 64 << 20  // bytes of garbage from decoding after which a collection runs
	smallFile  = 32 << 10  // bytes of a file that may wait for its turn in memory
	headerSize = 256 << 10 // bytes of memory for reading a header
)

// Options configures [NewDecoder]. Nil means the defaults.
type Options struct {
	// Keep is the size of the cache of the newest results in bytes. Zero means 64 MiB.
	Keep int64
}

// Decoder decodes photos within one memory budget, in turns by tenant. It is safe for concurrent use. A process should
// have only one.
type Decoder struct {
	turns   turns
	kept    results
	garbage atomic.Int64 // upper bound of the bytes of garbage since the last collection
}

// NewDecoder returns a decoder. Its budget fits one photo of the largest size, or many small ones, and leaves room for
// an ordinary photo of another tenant.
func NewDecoder(o *Options) *Decoder {
	d := &Decoder{turns: newTurns()}
	d.kept.limit = keptGrays
	if o != nil {
		d.kept.limit = cmp.Or(o.Keep, keptGrays)
	}
	return d
}

// Gray returns the photo at ref in shades of gray on white, with at most [MaxSide] pixels on its longer side, and
// turned as its EXIF states. It ignores the name and content type. The result is shared and must not be changed. Gray
// waits for the turn of its tenant. Concurrent calls for the same bytes share one decoding, and so do later calls while
// the result is cached.
//
// Gray rejects a file that is not a complete PNG, JPEG or WebP, that is animated, or that exceeds [MaxBytes],
// [MaxPixels] or [MaxMemory]. It then returns a permanent [tools.FatalError] with the code [NotAnImage] or
// [ImageTooLarge] and a message for a person. Every other error is from ctx or the store, and may be transient.
func (d *Decoder) Gray(ctx context.Context, root *object.Root, ref object.Ref) (*image.Gray, error) {
	if ref.ETag() == "" && ref.Version() == "" {
		var err error
		if ref, _, err = root.Stat(ctx, ref); err != nil {
			return nil, fmt.Errorf("photo: find: %w", err)
		}
	}
	return d.kept.getOrLoad(ctx, ref, func() (*image.Gray, error) { return d.loadGray(ctx, root, ref) })
}

// loadGray decodes the photo at ref for Gray.
func (d *Decoder) loadGray(ctx context.Context, root *object.Root, ref object.Ref) (out *image.Gray, err error) {
	memory := func(h header) int64 { return 2 * min(graySize, int64(h.width)*int64(h.height)) } // also while it is turned
	err = d.loadPhoto(ctx, root, ref, memory, func(img image.RGBA64Image, orientation int) error {
		gray, err := shrinkToGray(ctx, img, MaxSide)
		if err != nil {
			return err
		}
		out = orientGray(gray, orientation)
		return nil
	})
	return out, err
}

// Do waits for the turn of the tenant of s and for the given number of bytes, and calls f. It is for work that takes a
// processor for long or much memory. It reserves 1 byte to [MaxMemory] bytes.
func (d *Decoder) Do(ctx context.Context, s scope.Scope, memory int64, f func() error) error {
	return d.turns.doPiece(ctx, s, max(1, min(memory, MaxMemory)), f)
}

// loadPhoto reads the header, waits for its turn and the memory that the photo needs, decodes it and calls convert with
// the pixels and their orientation. memory returns the number of bytes that convert needs. The file is read before, so
// that the turn does not include a request to the store. A small file is read whole at once.
func (d *Decoder) loadPhoto(
	ctx context.Context, root *object.Root, ref object.Ref, memory func(header) int64,
	convert func(img image.RGBA64Image, orientation int) error,
) error {
	var h header
	var size int64
	var file []byte
	err := d.turns.holdMemory(ctx, root.Scope(), headerSize, func() error {
		body, info, err := root.Open(ctx, ref, nil)
		if err != nil {
			return fmt.Errorf("photo: read: %w", err)
		}
		defer func() { _ = body.Close() }() // only read from
		if size = info.Size; size > MaxBytes {
			return newTooLargeError(fmt.Errorf("%d bytes", size))
		}
		start := io.Reader(body)
		if size <= smallFile {
			if file, err = readFile(body, size); err != nil {
				return err
			}
			start = bytes.NewReader(file)
		}
		h, err = checkHeader(start, false)
		return err
	})
	if err != nil {
		return err
	}
	return d.turns.holdFile(ctx, root.Scope(), size, func() error {
		if file == nil {
			if file, err = readPhoto(ctx, root, ref, size); err != nil {
				return err
			}
		}
		total := h.memory + memory(h)
		return d.turns.doPiece(ctx, root.Scope(), total, func() error {
			defer d.collectGarbage(total + size)
			img, err := decodeChecked(ctx, file, h)
			if err != nil {
				return err
			}
			return convert(img, findOrientation(file, h.format))
		})
	})
}

// collectGarbage counts the garbage of a decoding and runs a garbage collection when there is much of it. The memory
// therefore stays within the budget plus maxGarbage.
func (d *Decoder) collectGarbage(left int64) {
	if d.garbage.Add(left) >= maxGarbage {
		d.garbage.Store(0)
		runtime.GC()
	}
}

// checkHeader reads a header and checks it against the limits. whole is passed to readHeader.
func checkHeader(r io.Reader, whole bool) (header, error) {
	e := &errReader{r: r}
	h, err := readHeader(e, whole)
	switch {
	case e.err != nil:
		return h, fmt.Errorf("photo: read: %w", e.err)
	case errors.Is(err, errEmpty):
		return h, newUnusableError(NotAnImage, "The file is empty.", nil)
	case errors.Is(err, errFormat):
		return h, newForeignError(h.format)
	case errors.Is(err, errVariant):
		return h, newUnsupportedError(h.format, err)
	case err != nil:
		return h, newDamagedError(h.format, err)
	case h.width > MaxPixels/h.height:
		return h, newTooLargeError(fmt.Errorf("%d × %d pixels", h.width, h.height))
	case h.memory > MaxMemory:
		return h, newTooCostlyError(h)
	}
	return h, nil
}

// readPhoto reads a file, which must have the admitted size.
func readPhoto(ctx context.Context, root *object.Root, ref object.Ref, size int64) ([]byte, error) {
	body, info, err := root.Open(ctx, ref, nil)
	if err != nil {
		return nil, fmt.Errorf("photo: read: %w", err)
	}
	defer func() { _ = body.Close() }() // only read from
	if info.Size != size {
		return nil, fmt.Errorf("photo: read: %w", object.ErrChanged)
	}
	return readFile(body, size)
}

func readFile(r io.Reader, size int64) ([]byte, error) {
	file := make([]byte, size)
	if _, err := io.ReadFull(r, file); err != nil {
		return nil, fmt.Errorf("photo: read: %w", err)
	}
	return file, nil
}

// decodeChecked decodes a file. It returns an error if the header differs from the admitted one.
func decodeChecked(ctx context.Context, file []byte, admitted header) (image.RGBA64Image, error) {
	h, err := checkHeader(bytes.NewReader(file), true)
	if err != nil {
		return nil, err
	}
	if h != admitted {
		return nil, newDamagedError(h.format, errors.New("the header differs from that of the first read"))
	}
	return decodeFile(ctx, file, h.format)
}

// decodePixels decodes a file of one of the formats. It does not use image.Decode, since the formats of that function
// depend on the linked packages.
func decodePixels(r io.Reader, format string) (image.Image, error) {
	switch format {
	case formatPNG:
		return png.Decode(r)
	case formatWebP:
		return webp.Decode(r)
	}
	return jpeg.Decode(r)
}

// decodeFile decodes a file whose header has been checked.
func decodeFile(ctx context.Context, file []byte, format string) (image.RGBA64Image, error) {
	img, err := decodePixels(&contextReader{ctx, bytes.NewReader(file)}, format)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var p png.UnsupportedError
		var j jpeg.UnsupportedError
		if errors.As(err, &p) || errors.As(err, &j) {
			return nil, newUnsupportedError(format, err)
		}
		return nil, newDamagedError(format, err)
	}
	wide, ok := img.(image.RGBA64Image)
	if !ok { // all images of the standard library implement it
		return nil, newUnsupportedError(format, fmt.Errorf("a decoded %T", img))
	}
	return wide, nil
}

// Shrink returns the image with at most side pixels on its longer side, or img itself if it is small enough.
func Shrink(ctx context.Context, img *image.Gray, side int) (*image.Gray, error) {
	if max(img.Rect.Dx(), img.Rect.Dy()) <= side {
		return img, nil
	}
	return shrinkToGray(ctx, img, side)
}

// errReader records an error of the store, to distinguish it from errors of the format.
type errReader struct {
	r   io.Reader
	err error
}

func (e *errReader) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		e.err = err
	}
	return n, err
}

// contextReader ends a decoding when its context ends.
type contextReader struct {
	ctx context.Context //nolint:containedctx // of one decoding
	r   io.Reader
}

// Read returns at most 512 bytes, so that the context is checked often. A slow scan can be very short.
func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p[:min(len(p), 512)])
}
