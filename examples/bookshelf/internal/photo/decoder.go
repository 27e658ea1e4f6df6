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

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// Limits of a photo.
const (
	MaxBytes  = 20 << 20   // bytes of the file
	MaxPixels = 50_000_000 // width × height
	MaxMemory = 256 << 20  // bytes that decoding may take, estimated from the header
	MaxSide   = 3000       // pixels of the longer side of Gray's result
)

const (
	budget     = MaxMemory + MaxBytes + graySize
	graySize   = MaxSide * MaxSide
	keptGrays  = 64 << 20  // bytes; the default of Options.Keep
	maxGarbage = 64 << 20  // bytes of garbage from decoding after which a collection runs
	headerSize = 256 << 10 // memory in bytes of reading a header
)

// Options configures [NewDecoder]. Nil means the defaults.
type Options struct {
	// Keep is the size of the cache of the newest results in bytes. Zero means 64 MiB.
	Keep int64
}

// Decoder decodes photos within one memory budget. It is safe for concurrent use. A process should have only one.
type Decoder struct {
	gate    *gate
	kept    results
	garbage atomic.Int64 // upper bound of the bytes of garbage since the last collection
}

// NewDecoder returns a decoder whose budget fits one photo of the largest size, or many small ones.
func NewDecoder(o *Options) *Decoder {
	d := &Decoder{gate: newGate(budget)}
	d.kept.limit = keptGrays
	if o != nil {
		d.kept.limit = cmp.Or(o.Keep, keptGrays)
	}
	return d
}

// Gray returns the photo at ref in shades of gray on white, with at most [MaxSide] pixels on its longer side. It ignores
// the name and content type. The result is shared and must not be changed. Gray waits until the photo fits into the
// budget. Concurrent calls for the same bytes, and later ones while the result is cached, share one decoding.
//
// A file that is not a complete PNG or JPEG, or exceeds [MaxBytes], [MaxPixels] or [MaxMemory], is rejected by its
// header with a permanent [tools.FatalError]. Its code is [NotAnImage] or [ImageTooLarge], and its message is for a
// person. Every other error is from ctx or the store, and may be transient.
func (d *Decoder) Gray(ctx context.Context, root *object.Root, ref object.Ref) (*image.Gray, error) {
	if ref.ETag() == "" && ref.Version() == "" {
		var err error
		if ref, _, err = root.Stat(ctx, ref); err != nil {
			return nil, fmt.Errorf("photo: find: %w", err)
		}
	}
	return d.kept.get(ctx, ref, func() (*image.Gray, error) { return d.load(ctx, root, ref) })
}

// Do waits until the budget has room for memory bytes, at most [MaxMemory], and calls f on behalf of s.
func (d *Decoder) Do(ctx context.Context, s scope.Scope, memory int64, f func() error) error {
	return d.hold(ctx, s, min(memory, MaxMemory), f)
}

// hold is like Do, for at most the whole budget.
func (d *Decoder) hold(ctx context.Context, s scope.Scope, memory int64, f func() error) error {
	if err := d.gate.acquire(ctx, s.TenantID(), memory); err != nil {
		return err
	}
	defer d.gate.release(memory)
	return f()
}

// load reads the header, waits for room, and decodes.
func (d *Decoder) load(ctx context.Context, root *object.Root, ref object.Ref) (out *image.Gray, err error) {
	var h header
	var size int64
	err = d.hold(ctx, root.Scope(), headerSize, func() error {
		body, info, err := root.Open(ctx, ref, nil)
		if err != nil {
			return fmt.Errorf("photo: read: %w", err)
		}
		defer func() { _ = body.Close() }() // only read from
		if size = info.Size; size > MaxBytes {
			return tooLarge(fmt.Errorf("%d bytes", size))
		}
		h, err = checkedHeader(body, false)
		return err
	})
	if err != nil {
		return nil, err
	}
	total := h.memory + size + graySize
	err = d.hold(ctx, root.Scope(), total, func() error {
		defer d.collect(total)
		out, err = read(ctx, root, ref, size, h)
		return err
	})
	return out, err
}

// collect runs a garbage collection if decoding has left much garbage, so that memory stays within the budget plus
// maxGarbage.
func (d *Decoder) collect(left int64) {
	if d.garbage.Add(left) >= maxGarbage {
		d.garbage.Store(0)
		runtime.GC()
	}
}

// checkedHeader reads a header and checks it against the limits.
func checkedHeader(r io.Reader, whole bool) (header, error) {
	e := &errReader{r: r}
	h, err := readHeader(e, whole)
	switch {
	case e.err != nil:
		return h, fmt.Errorf("photo: read: %w", e.err)
	case errors.Is(err, errEmpty):
		return h, unusable(NotAnImage, "The file is empty.", nil)
	case errors.Is(err, errFormat):
		return h, unusable(NotAnImage,
			"The file is not a supported image: it must be a PNG or a JPEG.", nil)
	case errors.Is(err, errVariant):
		return h, unsupported(h.format, err)
	case err != nil:
		return h, damaged(h.format, err)
	case h.width > MaxPixels/h.height:
		return h, tooLarge(fmt.Errorf("%d × %d pixels", h.width, h.height))
	case h.memory > MaxMemory:
		return h, tooCostly(h)
	}
	return h, nil
}

// read reads the file of the given size and decodes it, if it matches its header.
func read(ctx context.Context, root *object.Root, ref object.Ref, size int64, admitted header) (*image.Gray, error) {
	body, info, err := root.Open(ctx, ref, nil)
	if err != nil {
		return nil, fmt.Errorf("photo: read: %w", err)
	}
	defer func() { _ = body.Close() }() // only read from
	if info.Size != size {
		return nil, fmt.Errorf("photo: read: %w", object.ErrChanged)
	}
	file := make([]byte, size)
	if _, err := io.ReadFull(body, file); err != nil {
		return nil, fmt.Errorf("photo: read: %w", err)
	}
	h, err := checkedHeader(bytes.NewReader(file), true)
	if err != nil {
		return nil, err
	}
	if h != admitted {
		return nil, damaged(h.format, errors.New("a second header"))
	}
	return decode(ctx, file, h.format)
}

// decode decodes a file whose header has been checked. It does not use image.Decode, whose formats depend on the
// linked packages.
func decode(ctx context.Context, file []byte, format string) (*image.Gray, error) {
	pixels := jpeg.Decode
	if format == "PNG" {
		pixels = png.Decode
	}
	img, err := pixels(&contextReader{ctx, bytes.NewReader(file)})
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var p png.UnsupportedError
		var j jpeg.UnsupportedError
		if errors.As(err, &p) || errors.As(err, &j) {
			return nil, unsupported(format, err)
		}
		return nil, damaged(format, err)
	}
	wide, ok := img.(image.RGBA64Image)
	if !ok { // always true for images of the standard library
		return nil, unsupported(format, fmt.Errorf("a decoded %T", img))
	}
	return shrink(ctx, wide, MaxSide)
}

// Shrink returns the image with at most side pixels on its longer side, or img itself if it is small enough.
func Shrink(ctx context.Context, img *image.Gray, side int) (*image.Gray, error) {
	if max(img.Rect.Dx(), img.Rect.Dy()) <= side {
		return img, nil
	}
	return shrink(ctx, img, side)
}

// errReader records the store's error, to distinguish it from errors of the format.
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

// contextReader ends a decoding with its context.
type contextReader struct {
	ctx context.Context //nolint:containedctx // of one decoding
	r   io.Reader
}

// Read returns few bytes at a time, since a slow scan can be very short.
func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p[:min(len(p), 512)])
}
