package server_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

// recording is a driver that keeps whose objects were looked at.
type recording struct {
	object.Driver
	mu     sync.Mutex
	scopes []scope.Scope
	opens  int
}

func (r *recording) note(s scope.Scope) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.scopes = append(r.scopes, s)
}

func (r *recording) Open(ctx context.Context, a object.Addr, rg object.Range) (io.ReadCloser, object.Info, error) {
	r.note(a.Scope())
	r.mu.Lock()
	r.opens++
	r.mu.Unlock()
	return r.Driver.Open(ctx, a, rg)
}

func (r *recording) Stat(ctx context.Context, a object.Addr) (object.Info, error) {
	r.note(a.Scope())
	return r.Driver.Stat(ctx, a)
}

func (r *recording) List(ctx context.Context, s scope.Scope, after string, limit int) ([]object.Entry, bool, error) {
	r.note(s)
	return r.Driver.List(ctx, s, after, limit)
}

// stuck is a table driver that can refuse to write.
type stuck struct {
	table.Driver
	onPut    atomic.Pointer[func()] // called before the next write
	onRecord atomic.Pointer[func()] // called before the next write of a tracked record
	refuse   atomic.Bool
	allow    atomic.Int64            // so many writes are made all the same
	seen     sync.Map                // the partitions that were read or written, as keys
	onQuery  func(table.DriverQuery) // called before each query; may be nil
}

func (s *stuck) Get(ctx context.Context, k table.Key) (table.Row, error) {
	s.seen.Store(k.Partition(), true)
	return s.Driver.Get(ctx, k)
}

func (s *stuck) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	s.seen.Store(q.Key.Partition(), true)
	if s.onQuery != nil {
		s.onQuery(q)
	}
	return s.Driver.Query(ctx, q)
}

func (s *stuck) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	s.seen.Store(k.Partition(), true)
	if f := s.onPut.Swap(nil); f != nil {
		(*f)()
	}
	if k.Sort() == "meta" {
		if f := s.onRecord.Swap(nil); f != nil {
			(*f)()
		}
	}
	if s.refuse.Load() && s.allow.Add(-1) < 0 {
		return errors.New("disk full")
	}
	return s.Driver.Put(ctx, k, r, c)
}

// faulty is a driver whose puts can be made to fail, and that tells when it is called.
type faulty struct {
	object.Driver
	onPut, afterStat func()
	mu               sync.Mutex
	fail             error // the next put does nothing and returns it
	lose             error // the next put stores and returns it all the same
	puts             int
}

func (f *faulty) Put(ctx context.Context, a object.Addr, body io.Reader, o object.PutOptions) (object.Info, error) {
	f.mu.Lock()
	failed, lost := f.fail, f.lose
	f.fail, f.lose = nil, nil
	f.mu.Unlock()
	if failed != nil {
		return object.Info{}, failed
	}
	if f.onPut != nil {
		f.onPut()
	}
	info, err := f.Driver.Put(ctx, a, body, o)
	if err == nil {
		f.mu.Lock()
		f.puts++
		f.mu.Unlock()
	}
	if lost != nil {
		return object.Info{}, lost
	}
	return info, err
}

func (f *faulty) Stat(ctx context.Context, a object.Addr) (object.Info, error) {
	info, err := f.Driver.Stat(ctx, a)
	if f.afterStat != nil {
		f.afterStat()
	}
	return info, err
}
