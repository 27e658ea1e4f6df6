package objecttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/google/uuid"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// bench is the tenant of one check. Most of its methods end the check if something
// goes wrong, so only the goroutine of the check may call them.
type bench struct {
	ctx                   context.Context
	driver                object.Driver
	bucket                *object.Bucket
	tenant, user, session scope.Scope
	root                  *object.Root // of the session
	err                   *error       // why the check has failed
}

// runOn runs c under a new tenant, deletes its objects, and returns why it has failed.
func (c check) runOn(ctx context.Context, d object.Driver, bucket string) error {
	var failure, cleaning error
	opened, err := object.New(d, bucket, &object.Options{PageSize: 3})
	if err != nil {
		return err
	}
	b := &bench{ctx: ctx, driver: d, bucket: opened, err: &failure}
	done := make(chan struct{})
	go func() { // a failure ends this goroutine
		defer close(done)
		b.openTenant()
		defer func() { cleaning = b.deleteAll() }()
		c.run(b)
	}()
	<-done
	return errors.Join(failure, cleaning)
}

func (b *bench) openTenant() {
	var err error
	b.tenant, err = scope.Tenant("t" + uuid.NewString())
	b.requireNoError(err, "tenant")
	b.user = b.userOf("u1")
	b.session = b.newSession()
	b.root = b.rootOf(b.session)
}

func (b *bench) deleteAll() error {
	root, err := b.bucket.In(b.tenant)
	if err != nil {
		return err
	}
	for ref, err := range root.List(b.ctx) {
		if err == nil {
			err = root.Delete(b.ctx, ref.Unpinned())
		}
		if err != nil {
			return fmt.Errorf("clean up: %w", err)
		}
	}
	return nil
}

// failf ends the check with an error.
func (b *bench) failf(format string, args ...any) {
	*b.err = fmt.Errorf(format, args...)
	runtime.Goexit()
}

func (b *bench) requireNoError(err error, doing string) {
	if err != nil {
		b.failf("%s: got error %w, want none", doing, err)
	}
}

func (b *bench) requireError(op string, err, want error) {
	if !errors.Is(err, want) {
		b.failf("%s: got error %q, want %q", op, fmt.Sprint(err), want)
	}
}

func (b *bench) userOf(id string) scope.Scope {
	u, err := b.tenant.User(id)
	b.requireNoError(err, "user")
	return u
}

func (b *bench) sharedOf() scope.Scope {
	s, err := b.tenant.Shared()
	b.requireNoError(err, "shared")
	return s
}

func (b *bench) newSession() scope.Scope {
	s, err := b.user.NewSession()
	b.requireNoError(err, "session")
	return s
}

func (b *bench) rootOf(s scope.Scope) *object.Root {
	root, err := b.bucket.In(s)
	b.requireNoError(err, "root")
	return root
}

// in returns a bench whose root is that of s.
func (b *bench) in(s scope.Scope) *bench {
	c := *b
	c.root = b.rootOf(s)
	return &c
}

func (b *bench) ref(name string) object.Ref {
	ref, err := b.root.Ref(name)
	b.requireNoError(err, fmt.Sprintf("ref to %q", name))
	return ref
}

// put stores data under a name in the root.
func (b *bench) put(name string, data []byte, o *object.PutOptions) (object.Ref, object.Info) {
	ref, info, err := b.root.Put(b.ctx, b.ref(name), bytes.NewReader(data), o)
	b.requireNoError(err, fmt.Sprintf("put %q", name))
	return ref, info
}

func (b *bench) putError(name, data string, o *object.PutOptions) error {
	_, _, err := b.root.Put(b.ctx, b.ref(name), bytes.NewReader([]byte(data)), o)
	return err
}

func (b *bench) openError(ref object.Ref, rg *object.Range) error {
	body, _, err := b.root.Open(b.ctx, ref, rg)
	if err == nil {
		err = body.Close()
	}
	return err
}

func (b *bench) statError(ref object.Ref) error {
	_, _, err := b.root.Stat(b.ctx, ref)
	return err
}

func (b *bench) copyError(from, to object.Ref, o *object.PutOptions) error {
	_, _, err := b.root.Copy(b.ctx, from, to, o)
	return err
}

func (b *bench) delete(ref object.Ref) {
	b.requireNoError(b.root.Delete(b.ctx, ref), "delete")
}

func (b *bench) requireBytes(ref object.Ref, want string) {
	b.requireRange(ref, nil, want, len(want))
}

// requireRange checks the bytes that Open returns for a range of ref, and the size of
// the whole object.
func (b *bench) requireRange(ref object.Ref, rg *object.Range, want string, size int) {
	r, info, err := b.root.Open(b.ctx, ref, rg)
	if err != nil {
		b.failf("open %q: %w, want %d bytes %.40q", ref.Name(), err, len(want), want)
	}
	got, err := io.ReadAll(r)
	b.requireNoError(errors.Join(err, r.Close()), fmt.Sprintf("read %q", ref.Name()))
	if string(got) != want {
		b.failf("read %d bytes %.40q of %q, want %d bytes %.40q", len(got), got, ref.Name(), len(want), want)
	}
	if info.Size != int64(size) {
		b.failf("Open of %q returned the size %d, want that of the whole object, %d", ref.Name(), info.Size, size)
	}
}

func (b *bench) listKeys() []string {
	var all []string
	for ref, err := range b.root.List(b.ctx) {
		b.requireNoError(err, "list")
		all = append(all, ref.Key())
	}
	return all
}
