package objecttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/google/uuid"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// Options configures [Test]. Nil is valid.
type Options struct {
	// KnownFailures maps checks that the store is known to fail to the reason. They are
	// skipped if they fail. If one passes, the test fails.
	KnownFailures map[string]string
}

// Test checks d, the driver of the bucket with that name. Each check is a parallel
// subtest that can be selected with -run, such as TestDriver/pins. Test makes some
// 1,300 requests.
func Test(t *testing.T, d object.Driver, bucket string, o *Options) {
	t.Helper()
	var known map[string]string
	if o != nil {
		known = o.KnownFailures
	}
	names := map[string]bool{}
	for _, c := range checks {
		names[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := c.check(t.Context(), d, bucket)
			reason, isKnown := known[c.name]
			switch {
			case isKnown && err == nil:
				t.Errorf("passes, want the known failure: %s", reason)
			case isKnown:
				t.Skipf("known: %s: %v", reason, err)
			case err != nil:
				t.Error(err)
			}
		})
	}
	for name := range known {
		if !names[name] {
			t.Errorf("KnownFailures has %q, want the name of a check", name)
		}
	}
}

type check struct {
	name string
	run  func(context.Context, *bench) error
}

var checks = []check{
	{"write once", checkWriteOnce},
	{"write once, concurrently", checkWriteOnceRace},
	{"replace by ETag", checkIfMatch},
	{"replace by ETag, concurrently", checkIfMatchRace},
	{"overwrite", checkOverwrite},
	{"bodies", checkBodies},
	{"ranges", checkRanges},
	{"stat", checkStat},
	{"pins", checkPins},
	{"version pins", checkVersionPins},
	{"delete", checkDelete},
	{"names", checkNames},
	{"list", checkList},
	{"other scopes", checkOtherScopes},
	{"copy", checkCopy},
	{"copy by stream", checkCopyByStream},
	{"file system", checkFileSystem},
	{"cancel", checkCancel},
}

// check runs c under a new tenant and deletes its objects.
func (c check) check(ctx context.Context, d object.Driver, bucket string) error {
	b, err := newBench(d, bucket)
	if err != nil {
		return err
	}
	return errors.Join(c.run(ctx, b), b.clean(ctx))
}

// bench is the tenant of one check.
type bench struct {
	driver                object.Driver
	bucket                *object.Bucket
	tenant, user, session scope.Scope
	root                  *object.Root // of the session
}

func newBench(d object.Driver, bucket string) (*bench, error) {
	b := &bench{driver: d}
	var err error
	if b.bucket, err = object.New(d, bucket, &object.Options{PageSize: 3}); err != nil {
		return nil, err
	}
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

// put stores data under a name in the root.
func (b *bench) put(ctx context.Context, name string, data []byte, o *object.PutOptions) (object.Ref, object.Info, error) {
	ref, err := b.root.Ref(name)
	if err != nil {
		return object.Ref{}, object.Info{}, err
	}
	return b.root.Put(ctx, ref, bytes.NewReader(data), o)
}

// wantBytes checks the bytes that Open returns for ref, and the size of the whole
// object.
func wantBytes(ctx context.Context, root *object.Root, ref object.Ref, rg *object.Range, want []byte, size int64) error {
	r, info, err := root.Open(ctx, ref, rg)
	if err != nil {
		return fmt.Errorf("%w, want %d bytes %.40q", err, len(want), want)
	}
	got, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("read %d bytes %.40q, want %d bytes %.40q", len(got), got, len(want), want)
	}
	if info.Size != size {
		return fmt.Errorf("Open returned the size %d, want that of the whole object, %d", info.Size, size)
	}
	return nil
}

func wantErr(op string, err, want error) error {
	if !errors.Is(err, want) {
		return fmt.Errorf("%s: got error %q, want %q", op, fmt.Sprint(err), want)
	}
	return nil
}
