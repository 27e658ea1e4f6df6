package object

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/carrel-go/carrel/scope"
)

type memory struct {
	mu      sync.RWMutex
	objects map[string]memoryObject
}

type memoryObject struct {
	data []byte // never changed
	info Info
}

// NewMemory returns the driver of an empty bucket in memory, for tests and
// examples. It is a [Copier]. It does not keep versions. Its ETags are hashes, so
// equal contents have equal ETags, as on S3.
func NewMemory() Driver { return &memory{objects: map[string]memoryObject{}} }

var (
	_ Driver = (*memory)(nil)
	_ Copier = (*memory)(nil)
)

func (m *memory) Open(ctx context.Context, a Addr, r Range) (io.ReadCloser, Info, error) {
	o, err := m.findObject(ctx, a)
	if err != nil {
		return nil, Info{}, err
	}
	data := o.data
	if r != (Range{}) {
		size := int64(len(data))
		if r.Off < 0 || r.Len < 0 || r.Off >= size {
			return nil, Info{}, ErrRange
		}
		end := size
		if r.Len > 0 && r.Len < size-r.Off {
			end = r.Off + r.Len
		}
		data = data[r.Off:end]
	}
	return io.NopCloser(bytes.NewReader(data)), o.copyInfo(), nil
}

// Put implements [Driver]. It reads the whole body before it checks the
// conditions, like S3.
func (m *memory) Put(ctx context.Context, a Addr, body io.Reader, o PutOptions) (Info, error) {
	data, err := io.ReadAll(body)
	if err != nil {
		return Info{}, fmt.Errorf("read the body: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return Info{}, err
	}
	if o.Size > 0 && int64(len(data)) != o.Size {
		return Info{}, ErrSize
	}
	sum := sha256.Sum256(data)
	n := memoryObject{data: data, info: Info{
		Size:     int64(len(data)),
		ETag:     `"` + hex.EncodeToString(sum[:16]) + `"`,
		Type:     o.Type,
		SHA256:   sum[:],
		Modified: time.Now().UTC(),
	}}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.storeLocked(a, n, o)
}

func (m *memory) Copy(ctx context.Context, _ scope.Scope, from, to Addr, o PutOptions) (Info, error) {
	if err := ctx.Err(); err != nil {
		return Info{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.findLocked(from)
	if err != nil {
		return Info{}, err
	}
	n.info.Type, n.info.Modified = o.Type, time.Now().UTC()
	return m.storeLocked(to, n, o)
}

// storeLocked stores n under a if o allows it. The caller holds the lock.
func (m *memory) storeLocked(a Addr, n memoryObject, o PutOptions) (Info, error) {
	old, exists := m.objects[a.key]
	switch {
	case o.Overwrite:
	case o.IfMatch == "" && exists:
		return Info{}, ErrExists
	case o.IfMatch != "" && !exists:
		return Info{}, ErrNotFound
	case o.IfMatch != "" && o.IfMatch != old.info.ETag:
		return Info{}, ErrChanged
	}
	m.objects[a.key] = n
	return n.copyInfo(), nil
}

func (m *memory) Stat(ctx context.Context, a Addr) (Info, error) {
	o, err := m.findObject(ctx, a)
	if err != nil {
		return Info{}, err
	}
	return o.copyInfo(), nil
}

func (m *memory) List(ctx context.Context, s scope.Scope, after string, limit int) ([]Entry, bool, error) {
	if err := s.Require(); err != nil {
		return nil, false, fmt.Errorf("object: list: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	prefix := s.Prefix()
	var found []Entry
	m.mu.RLock()
	for key, o := range m.objects {
		if strings.HasPrefix(key, prefix) && key > after {
			found = append(found, Entry{Key: key, Info: Info{Size: o.info.Size, ETag: o.info.ETag, Modified: o.info.Modified}})
		}
	}
	m.mu.RUnlock()
	slices.SortFunc(found, func(x, y Entry) int { return cmp.Compare(x.Key, y.Key) })
	if len(found) > limit {
		return found[:limit], true, nil
	}
	return found, false, nil
}

func (m *memory) Delete(ctx context.Context, a Addr) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err := m.findLocked(a)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	delete(m.objects, a.key)
	return nil
}

func (m *memory) findObject(ctx context.Context, a Addr) (memoryObject, error) {
	if err := ctx.Err(); err != nil {
		return memoryObject{}, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.findLocked(a)
}

// findLocked returns the object at a. The caller holds the lock.
func (m *memory) findLocked(a Addr) (memoryObject, error) {
	o, ok := m.objects[a.key]
	switch {
	case !ok:
		return memoryObject{}, ErrNotFound
	case a.version != "", a.etag != "" && a.etag != o.info.ETag: // no object has a version
		return memoryObject{}, ErrChanged
	}
	return o, nil
}

func (o memoryObject) copyInfo() Info {
	i := o.info
	i.SHA256 = bytes.Clone(i.SHA256)
	return i
}
