package objecttools

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// file is a file of the conversation, as listed; reading it fails once something else lies there.
type file struct {
	call   *tools.Call
	handle string
	root   *object.Root
	ref    object.Ref
	info   object.Info
	head   []byte // its beginning, at most headLen bytes
	enc    encoding
	start  int64 // where the text begins: behind the byte order mark
	form   form

	store, raw []byte // the buffers of a text
}

// open finds the file of a handle and reads its beginning: one request, two for an empty file.
func (d *desk) open(ctx context.Context, c *tools.Call, handle string) (*file, error) {
	root, ref, err := d.lookup(c, handle)
	if err != nil {
		return nil, err
	}
	f := &file{call: c, handle: handle, root: root, ref: ref}
	body, info, err := root.Open(ctx, ref, &object.Range{Len: headLen})
	switch {
	case errors.Is(err, object.ErrRange): // nothing is at 0
		if _, info, err = root.Stat(ctx, ref); err != nil {
			return nil, explain(handle, err)
		}
		if info.Size != 0 {
			return nil, fmt.Errorf("objecttools: %d bytes, and none at 0", info.Size)
		}
	case err != nil:
		return nil, explain(handle, err)
	default:
		f.head = make([]byte, min(info.Size, headLen))
		_, err = io.ReadFull(body, f.head)
		if closing := body.Close(); err == nil {
			err = closing
		}
		if err != nil {
			return nil, explain(handle, fmt.Errorf("read the beginning: %w", unexpected(err)))
		}
	}
	f.info = info
	var bom int
	f.enc, bom = detect(f.head, f.info.Size == int64(len(f.head)))
	f.start = int64(bom)
	if f.enc != notText {
		f.form = tell(ref.Name(), info.Type, f.headText())
	}
	return f, nil
}

// openText is open for a tool that reads text.
func (d *desk) openText(ctx context.Context, c *tools.Call, handle string) (*file, error) {
	f, err := d.open(ctx, c, handle)
	if err == nil && f.enc == notText {
		return nil, tools.Correct(fmt.Sprintf("the file %s is not text (%s, %d bytes), so it can't be read here", handle, f.binaryType(), f.info.Size))
	}
	return f, err
}

// headText is the beginning as decoded text.
func (f *file) headText() []byte {
	b := f.head[min(f.start, int64(len(f.head))):]
	whole := f.info.Size == int64(len(f.head))
	if f.enc == utf8Text {
		if !whole {
			b = b[:len(b)-cutRune(b)]
		}
		return b
	}
	out, _ := f.enc.decode16(make([]byte, 0, len(b)), b, whole)
	return out
}

// bind is what a cursor of the file belongs to: the file itself, as it is, its handle, and what else the cursor is of.
func (f *file) bind(with string) string {
	return fmt.Sprintf("%q %q %q %q %q", f.handle, f.ref.Key(), f.ref.Version(), f.ref.ETag(), with)
}

// place says where a file lies, in words that name nobody.
func place(ref object.Ref) string {
	switch ref.Scope().Level() {
	case scope.SharedLevel:
		return "shared"
	case scope.SessionLevel:
		return "upload"
	}
	return "own"
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
