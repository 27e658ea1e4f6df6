package objecttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// Test runs every check against d, the driver of the bucket with that name,
// and returns the failures joined, or nil. It makes some 1,300 requests; ctx
// bounds them all.
func Test(ctx context.Context, d object.Driver, bucket string) error {
	checks := []struct {
		name string
		run  func(context.Context, *bench) error
	}{
		{"write once", writeOnce},
		{"write once, many at once", writeOnceRace},
		{"replace by ETag", ifMatch},
		{"replace by ETag, many at once", ifMatchRace},
		{"overwrite", overwrite},
		{"bodies", bodies},
		{"ranges", ranges},
		{"stat", stat},
		{"pins", pins},
		{"delete", deleting},
		{"names", names},
		{"list", list},
		{"other scopes", otherScopes},
		{"copy", copying},
		{"copy by stream", copyingByStream},
		{"file system", fileSystem},
		{"cancelled", cancelled},
	}
	var all []error
	for _, c := range checks {
		b, err := newBench(d, bucket)
		if err == nil {
			err = errors.Join(c.run(ctx, b), b.clean(ctx))
		}
		if err != nil {
			all = append(all, fmt.Errorf("objecttest: %s: %w", c.name, err))
		}
	}
	return errors.Join(all...)
}

// bench is a tenant of its own for one check.
type bench struct {
	driver                object.Driver
	bucket                *object.Bucket
	tenant, user, session scope.Scope
	root                  *object.Root // of the session
}

func newBench(d object.Driver, bucket string) (*bench, error) {
	b := &bench{driver: d, bucket: object.New(d, bucket, &object.Options{PageSize: 3})}
	var err error
	if b.tenant, err = scope.Tenant("t" + uuid.NewString()); err != nil {
		return nil, err
	}
	if b.user, err = b.tenant.User("u1"); err != nil {
		return nil, err
	}
	if b.session, err = b.user.NewSession(); err != nil {
		return nil, err
	}
	b.root, err = b.bucket.In(b.session)
	return b, err
}

func (b *bench) clean(ctx context.Context) error {
	root, err := b.bucket.In(b.tenant)
	if err != nil {
		return err
	}
	for ref, err := range root.List(ctx) {
		if err != nil {
			return fmt.Errorf("clean up: %w", err)
		}
		if err := root.Delete(ctx, ref.Unpinned()); err != nil {
			return fmt.Errorf("clean up: %w", err)
		}
	}
	return nil
}

// put stores data under a name of the session.
func (b *bench) put(ctx context.Context, name string, data []byte, o *object.PutOptions) (object.Ref, object.Info, error) {
	ref, err := b.root.Ref(name)
	if err != nil {
		return object.Ref{}, object.Info{}, err
	}
	return b.root.Put(ctx, ref, bytes.NewReader(data), o)
}

// wantBytes checks what is read through ref.
func wantBytes(ctx context.Context, root *object.Root, ref object.Ref, rg *object.Range, want []byte, size int64) error {
	r, info, err := root.Open(ctx, ref, rg)
	if err != nil {
		return err
	}
	got, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("read %d bytes %.40q, want %d bytes %.40q", len(got), got, len(want), want)
	}
	if info.Size != size {
		return fmt.Errorf("Open says a size of %d, want that of the whole object, %d", info.Size, size)
	}
	return nil
}

func wantErr(op string, err, want error) error {
	if !errors.Is(err, want) {
		return fmt.Errorf("%s: got error %q, want %q", op, fmt.Sprint(err), want)
	}
	return nil
}
