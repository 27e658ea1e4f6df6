package presign_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope/object"
)

// denying is a store that denies every Stat.
type denying struct{ object.Driver }

func (denying) Stat(context.Context, object.Addr) (object.Info, error) {
	return object.Info{}, object.ErrDenied
}

func TestArrivedPinsTheUpload(t *testing.T) {
	t.Parallel()
	b := must.Get(object.New(object.NewMemory(), "carrel-landing", nil))
	s, err := presign.New(client(&vault{}), b, nil)
	require.NoError(t, err)
	root, err := b.In(session(t))
	require.NoError(t, err)
	ref, err := root.Ref("a.jpg")
	require.NoError(t, err)

	_, _, err = s.Arrived(t.Context(), session(t), "a.jpg", nil)
	require.ErrorIs(t, err, presign.ErrNotArrived)
	stored, _, err := root.Put(t.Context(), ref, strings.NewReader("12345"), nil)
	require.NoError(t, err)

	for _, o := range []*presign.ArrivedOptions{nil, {}, {MaxSize: 5}} {
		seen, info, err := s.Arrived(t.Context(), session(t), "a.jpg", o)
		require.NoError(t, err)
		require.Equal(t, stored, seen, "pinned to what is there")
		require.EqualValues(t, 5, info.Size)
	}
	seen, _, err := s.Arrived(t.Context(), session(t), "a.jpg", &presign.ArrivedOptions{MaxSize: 4})
	rejected, ok := errors.AsType[*presign.RejectedError](err)
	require.True(t, ok, err)
	require.Equal(t, stored, rejected.Ref)
	require.EqualError(t, err, `presign: arrived: upload is too large: 5 bytes, must be at most 4 ("a.jpg")`)
	require.True(t, seen.IsZero())
	require.False(t, rejected.Deleted)
}

// store is a memory driver that does not return digests, as if the client had not
// sent them, and that may fail to delete.
type store struct {
	object.Driver
	deleteErr error
	opened    int
}

func (d *store) Stat(ctx context.Context, a object.Addr) (object.Info, error) {
	info, err := d.Driver.Stat(ctx, a)
	info.SHA256 = nil
	return info, err
}

func (d *store) Open(ctx context.Context, a object.Addr, r object.Range) (io.ReadCloser, object.Info, error) {
	d.opened++
	return d.Driver.Open(ctx, a, r)
}

func (d *store) Delete(ctx context.Context, a object.Addr) error {
	if d.deleteErr != nil {
		return d.deleteErr
	}
	return d.Driver.Delete(ctx, a)
}

func TestArrivedChecksSizeAndDigest(t *testing.T) {
	t.Parallel()
	sum, other := sha256.Sum256([]byte("12345")), sha256.Sum256([]byte("12346"))
	for name, c := range map[string]struct {
		o       presign.ArrivedOptions
		want    error
		text    string // in the error
		digests bool   // the store knows the digest
		opened  int    // how often the object is read
	}{
		"exact size":             {o: presign.ArrivedOptions{Size: 5}},
		"short":                  {o: presign.ArrivedOptions{Size: 6}, want: presign.ErrMismatch, text: "bytes, must be"},
		"long":                   {o: presign.ArrivedOptions{Size: 4}, want: presign.ErrMismatch, text: "bytes, must be"},
		"too large before size":  {o: presign.ArrivedOptions{MaxSize: 4, Size: 3}, want: presign.ErrTooLarge},
		"digest, known":          {o: presign.ArrivedOptions{SHA256: sum[:]}, digests: true},
		"wrong digest, known":    {o: presign.ArrivedOptions{SHA256: other[:]}, digests: true, want: presign.ErrMismatch, text: "SHA-256"},
		"digest, unknown":        {o: presign.ArrivedOptions{SHA256: sum[:]}, opened: 1},
		"wrong digest, unknown":  {o: presign.ArrivedOptions{Size: 5, SHA256: other[:]}, want: presign.ErrMismatch, text: "SHA-256", opened: 1},
		"size bounds the read":   {o: presign.ArrivedOptions{Size: 4, SHA256: sum[:]}, want: presign.ErrMismatch, text: "bytes, must be"},
		"limit bounds the read":  {o: presign.ArrivedOptions{MaxSize: 4, SHA256: sum[:]}, want: presign.ErrTooLarge},
		"a negative limit":       {o: presign.ArrivedOptions{MaxSize: -1}, want: presign.ErrInvalid},
		"a negative size":        {o: presign.ArrivedOptions{Size: -1}, want: presign.ErrInvalid},
		"half a digest":          {o: presign.ArrivedOptions{SHA256: sum[:16]}, want: presign.ErrInvalid},
		"an empty digest":        {o: presign.ArrivedOptions{SHA256: []byte{}}, want: presign.ErrInvalid},
		"wrong digest, not kept": {o: presign.ArrivedOptions{SHA256: other[:], DeleteRejected: true}, want: presign.ErrMismatch, text: "SHA-256", opened: 1},
		"wrong size, not kept":   {o: presign.ArrivedOptions{Size: 4, DeleteRejected: true}, want: presign.ErrMismatch, text: "bytes, must be"},
		"too large, not kept":    {o: presign.ArrivedOptions{MaxSize: 4, DeleteRejected: true}, want: presign.ErrTooLarge},
		"accepted, so kept":      {o: presign.ArrivedOptions{Size: 5, MaxSize: 5, SHA256: sum[:], DeleteRejected: true}, opened: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &store{Driver: object.NewMemory()}
			var driver object.Driver = d
			if c.digests {
				driver = d.Driver
			}
			s, root, ref := arrivedAt(t, driver, "12345")
			_, info, err := s.Arrived(t.Context(), session(t), "a.jpg", &c.o)
			require.ErrorIs(t, err, c.want)
			if c.text != "" {
				require.ErrorContains(t, err, c.text)
			}
			require.Equal(t, c.opened, d.opened)
			rejected, ok := errors.AsType[*presign.RejectedError](err)
			_, _, stat := root.Stat(t.Context(), ref)
			switch {
			case c.want == nil:
				require.EqualValues(t, 5, info.Size)
				require.NoError(t, stat)
			case errors.Is(c.want, presign.ErrInvalid):
				require.False(t, ok)
			case c.o.DeleteRejected:
				require.True(t, ok)
				require.True(t, rejected.Deleted)
				require.Equal(t, ref, rejected.Ref)
				require.ErrorIs(t, stat, object.ErrNotFound)
			default:
				require.True(t, ok)
				require.False(t, rejected.Deleted)
				require.NoError(t, stat)
			}
		})
	}
}

func TestArrivedReportsAFailedDelete(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	s, _, _ := arrivedAt(t, &store{Driver: object.NewMemory(), deleteErr: broken}, "12345")
	_, _, err := s.Arrived(t.Context(), session(t), "a.jpg", &presign.ArrivedOptions{MaxSize: 4, DeleteRejected: true})
	require.ErrorIs(t, err, presign.ErrTooLarge)
	require.ErrorIs(t, err, broken)
	rejected, ok := errors.AsType[*presign.RejectedError](err)
	require.True(t, ok)
	require.False(t, rejected.Deleted)
	require.ErrorIs(t, rejected.DeleteErr, broken)
}

// arrivedAt stores an upload in d.
func arrivedAt(t *testing.T, d object.Driver, body string) (*presign.Signer, *object.Root, object.Ref) {
	t.Helper()
	b := must.Get(object.New(d, "carrel-landing", nil))
	s, err := presign.New(client(&vault{}), b, nil)
	require.NoError(t, err)
	root, err := b.In(session(t))
	require.NoError(t, err)
	ref, err := root.Ref("a.jpg")
	require.NoError(t, err)
	ref, _, err = root.Put(t.Context(), ref, strings.NewReader(body), nil)
	require.NoError(t, err)
	return s, root, ref
}

func TestArrivedIsUnknownIfTheStoreDenies(t *testing.T) {
	t.Parallel()
	s, err := presign.New(client(&vault{}), must.Get(object.New(denying{object.NewMemory()}, "carrel-landing", nil)), nil)
	require.NoError(t, err)
	_, _, err = s.Arrived(t.Context(), session(t), "a.jpg", nil)
	require.ErrorIs(t, err, object.ErrDenied)
	require.NotErrorIs(t, err, presign.ErrNotArrived)
}
