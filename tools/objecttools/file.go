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

// file is an opened file of the conversation. Reads fail if it has changed since it was listed.
type file struct {
	call   *tools.Call
	handle string
	root   *object.Root
	ref    object.Ref
	info   object.Info
	head   []byte // the first bytes, at most headLen
	enc    encoding
	start  int64 // the offset of the text, after the byte order mark
	format format

	store, raw []byte // the buffers of a textReader
}

// openFile looks up a handle and reads the first bytes of its file. It sends one request, or two if the file is empty.
func (ts *toolset) openFile(ctx context.Context, c *tools.Call, handle string) (*file, error) {
	root, ref, err := ts.lookupFile(c, handle)
	if err != nil {
		return nil, err
	}
	f := &file{call: c, handle: handle, root: root, ref: ref}
	body, info, err := root.Open(ctx, ref, &object.Range{Len: headLen})
	switch {
	case errors.Is(err, object.ErrRange): // the file is empty
		if _, info, err = root.Stat(ctx, ref); err != nil {
			return nil, mapStoreError(handle, err)
		}
		if info.Size != 0 {
			return nil, fmt.Errorf("objecttools: the store rejects offset 0 of %d bytes", info.Size)
		}
	case err != nil:
		return nil, mapStoreError(handle, err)
	default:
		f.head = make([]byte, min(info.Size, headLen))
		_, err = io.ReadFull(body, f.head)
		if closeErr := body.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			return nil, mapStoreError(handle, fmt.Errorf("read the first bytes: %w", unexpectedEOF(err)))
		}
	}
	f.info = info
	var bom int
	f.enc, bom = detectEncoding(f.head, f.hasWholeHead())
	f.start = int64(bom)
	if f.enc != notText {
		f.format = detectFormat(ref.Name(), info.Type, f.decodeHead(), f.hasWholeHead())
	}
	return f, nil
}

// openTextFile is openFile for a tool that reads text. It returns a correction if the file is binary.
func (ts *toolset) openTextFile(ctx context.Context, c *tools.Call, handle string) (*file, error) {
	f, err := ts.openFile(ctx, c, handle)
	if err == nil && f.enc == notText {
		return nil, tools.Correct(fmt.Sprintf("the file %s is not text (%s, %d bytes), so this tool can't read it",
			handle, f.binaryType(), f.info.Size))
	}
	return f, err
}

func (f *file) hasWholeHead() bool { return f.info.Size == int64(len(f.head)) }

// decodeHead returns the text of head as UTF-8.
func (f *file) decodeHead() []byte {
	b := f.head[min(f.start, int64(len(f.head))):]
	if f.enc == utf8Text {
		if !f.hasWholeHead() {
			b = b[:len(b)-partialRuneLen(b)]
		}
		return b
	}
	out, _ := f.enc.decode(make([]byte, 0, len(b)), b, f.hasWholeHead())
	return out
}

// cursorBinding identifies the version of the file, its handle and the request that a cursor belongs to.
func (f *file) cursorBinding(request string) string {
	return fmt.Sprintf("%q %q %q %q %q", f.handle, f.ref.Key(), f.ref.Version(), f.ref.ETag(), request)
}

// fileLocation returns the location of a file for the model. It does not contain the name of a tenant or a user.
func fileLocation(ref object.Ref) string {
	switch ref.Scope().Level() {
	case scope.SharedLevel:
		return "shared"
	case scope.SessionLevel:
		return "upload"
	}
	return "own"
}

func unexpectedEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
