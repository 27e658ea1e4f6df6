package object

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/carrel-go/carrel/scope"
)

// Memory is a [Driver] that keeps its objects in memory, for tests and
// examples. It keeps no versions; its ETags are made of the bytes alone, so
// equal content has an equal ETag, as on S3. One Memory is one bucket.
type Memory struct {
	mu      sync.RWMutex
	objects map[string]memoryObject
}

type memoryObject struct {
	data []byte // never written to once it is here
	info Info
}

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{objects: map[string]memoryObject{}} }

var (
	_ Driver = (*Memory)(nil)
	_ Copier = (*Memory)(nil)
)

// Open implements [Driver].
func (m *Memory) Open(ctx context.Context, a Addr, r Range) (io.ReadCloser, Info, error) {
	o, err := m.get(ctx, a)
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
	return io.NopCloser(bytes.NewReader(data)), o.describe(), nil
}

// Put implements [Driver]. It reads the whole body before it looks at what is
// there, as a store does.
func (m *Memory) Put(ctx context.Context, a Addr, body io.Reader, o PutOptions) (Info, error) {
	data, err := io.ReadAll(body)
	if err != nil {
		return Info{}, fmt.Errorf("object: read the body: %w", err)
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
	return m.store(a, n, o)
}

// Copy implements [Copier].
func (m *Memory) Copy(ctx context.Context, _ scope.Scope, from, to Addr, o PutOptions) (Info, error) {
	if err := ctx.Err(); err != nil {
		return Info{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find(from)
	if err != nil {
		return Info{}, err
	}
	n.info.Type, n.info.Modified = o.Type, time.Now().UTC()
	return m.store(to, n, o)
}

// store puts n under a if o allows it. The caller holds the lock.
func (m *Memory) store(a Addr, n memoryObject, o PutOptions) (Info, error) {
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
	return n.describe(), nil
}

// Stat implements [Driver].
func (m *Memory) Stat(ctx context.Context, a Addr) (Info, error) {
	o, err := m.get(ctx, a)
	if err != nil {
		return Info{}, err
	}
	return o.describe(), nil
}

// List implements [Driver].
func (m *Memory) List(ctx context.Context, s scope.Scope, after string, limit int) ([]Entry, bool, error) {
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

// Delete implements [Driver].
func (m *Memory) Delete(ctx context.Context, a Addr) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.objects[a.key]
	switch {
	case !ok || a.version != "": // no object has a version here
		return nil
	case a.etag != "" && a.etag != o.info.ETag:
		return ErrChanged
	}
	delete(m.objects, a.key)
	return nil
}

func (m *Memory) get(ctx context.Context, a Addr) (memoryObject, error) {
	if err := ctx.Err(); err != nil {
		return memoryObject{}, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.find(a)
}

// find looks a up. The caller holds the lock.
func (m *Memory) find(a Addr) (memoryObject, error) {
	o, ok := m.objects[a.key]
	switch {
	case !ok || a.version != "":
		return memoryObject{}, ErrNotFound
	case a.etag != "" && a.etag != o.info.ETag:
		return memoryObject{}, ErrChanged
	}
	return o, nil
}

// describe returns an Info that the caller may keep and change.
func (o memoryObject) describe() Info {
	i := o.info
	i.SHA256 = bytes.Clone(i.SHA256)
	return i
}
