package carrel_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/credential"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// store is a table and a bucket with an item and an object in each scope that can have one.
type store struct {
	table  *table.Table
	bucket *object.Bucket
	scopes map[scope.Level]scope.Scope
}

func newStore(t *testing.T) store {
	t.Helper()
	s := store{must.Get(table.New(table.NewMemory(nil), nil)), must.Get(object.New(object.NewMemory(), "carrel-raw", nil)), scopesOfEachLevel(t)}
	for level, sc := range s.scopes {
		if level == scope.None {
			continue
		}
		view, err := s.table.In(sc)
		require.NoError(t, err)
		it := table.Item{Sort: "a"}
		if level != scope.TenantLevel {
			it.Index = []table.Entry{{Slot: table.I1, Level: scope.TenantLevel, Class: "things", Sort: "a"}}
		}
		_, err = view.Put(t.Context(), it, table.Absent())
		require.NoError(t, err)
		root, err := s.bucket.In(sc)
		require.NoError(t, err)
		if ref, err := root.Ref("a.txt"); err == nil {
			_, _, err = root.Put(t.Context(), ref, strings.NewReader("a"), nil)
			require.NoError(t, err)
		}
	}
	return s
}

// A read-only scope reads what its scope reads, at every level and in every package, and writes nothing.
func TestReadOnlyScopes(t *testing.T) {
	t.Parallel()
	st := newStore(t)
	for level, s := range st.scopes {
		t.Run(level.String(), func(t *testing.T) {
			t.Parallel()
			ro := s.ReadOnly()
			if level == scope.None {
				require.Equal(t, scope.Scope{}, ro)
				require.ErrorIs(t, ro.RequireWrite(), scope.ErrDenied)
				require.NotErrorIs(t, ro.RequireWrite(), scope.ErrReadOnly)
				return
			}
			require.NoError(t, s.RequireWrite())
			require.ErrorIs(t, ro.RequireWrite(), scope.ErrReadOnly)
			require.ErrorIs(t, ro.RequireWrite(), scope.ErrDenied)
			require.Equal(t, ro, ro.ReadOnly())
			require.True(t, s.Contains(ro) && ro.Contains(s), "it is the same data")
			require.Equal(t, s.Prefix(), ro.Prefix())
			require.Equal(t, s.Partition(), ro.Partition())

			view, err := st.table.In(ro)
			require.NoError(t, err)
			for name, write := range writesOf(t, st, ro) {
				require.ErrorIs(t, write(t.Context()), scope.ErrReadOnly, name)
			}
			page, err := view.Query(t.Context(), table.Query{Limit: 10})
			require.NoError(t, err)
			require.Len(t, page.Items, 1, "nothing was written")
			root, err := st.bucket.In(ro)
			require.NoError(t, err)
			n := 0
			for f, err := range root.List(t.Context()) {
				require.NoError(t, err)
				_, info, err := root.Stat(t.Context(), f)
				require.NoError(t, err)
				require.EqualValues(t, 1, info.Size)
				n++
			}
			require.Positive(t, n)
		})
	}
}

// writesOf returns every way to write under s.
func writesOf(t *testing.T, st store, s scope.Scope) map[string]func(context.Context) error {
	t.Helper()
	view, err := st.table.In(s)
	require.NoError(t, err)
	root, err := st.bucket.In(s)
	require.NoError(t, err)
	writes := map[string]func(context.Context) error{
		"table.Put": func(ctx context.Context) error {
			_, err := view.Put(ctx, table.Item{Sort: "b"}, table.Absent())
			return err
		},
		"table.Put of an invalid item": func(ctx context.Context) error {
			_, err := view.Put(ctx, table.Item{}, table.Cond{})
			return err
		},
		"table.Delete": func(ctx context.Context) error { return view.Delete(ctx, "a", table.Version(1)) },
		"credential.Policy": func(context.Context) error {
			_, err := credential.Policy(s, credential.Writer, credential.Resources{Raw: "carrel-raw"})
			return err
		},
	}
	for f := range root.List(t.Context()) {
		writes["object.Put "+f.Key()] = func(ctx context.Context) error {
			_, _, err := root.Put(ctx, f.Unpinned(), strings.NewReader("b"), &object.PutOptions{Overwrite: true})
			return err
		}
		writes["object.Delete "+f.Key()] = func(ctx context.Context) error { return root.Delete(ctx, f) }
		writes["object.Copy "+f.Key()] = func(ctx context.Context) error {
			_, _, err := root.Copy(ctx, f, f.Unpinned(), nil)
			return err
		}
	}
	signer, err := presign.New(s3Client(), st.bucket, nil)
	require.NoError(t, err)
	tr, err := tracking.New(st.table, tracking.Uploads(), nil)
	require.NoError(t, err)
	if s.Level() == scope.SessionLevel {
		writes["presign.Put"] = func(ctx context.Context) error { _, err := signer.Put(ctx, s, "b.txt", nil); return err }
		writes["presign.Post"] = func(ctx context.Context) error { _, err := signer.Post(ctx, s, "b.txt", nil); return err }
		writes["presign.CreateMultipart"] = func(ctx context.Context) error {
			_, err := signer.CreateMultipart(ctx, s, "b.txt", nil)
			return err
		}
		writes["presign.Part"] = func(ctx context.Context) error {
			_, err := signer.Part(ctx, s, presign.Multipart{}, 1, nil)
			return err
		}
		writes["presign.Complete"] = func(ctx context.Context) error {
			return signer.Complete(ctx, s, presign.Multipart{}, nil)
		}
		writes["presign.Abort"] = func(ctx context.Context) error {
			return signer.Abort(ctx, s, presign.Multipart{})
		}
		writes["presign.Arrived that deletes"] = func(ctx context.Context) error {
			_, _, err := signer.Arrived(ctx, s, "b.txt", &presign.ArrivedOptions{DeleteRejected: true})
			return err
		}
		writes["tracking.Create"] = func(ctx context.Context) error {
			_, err := tr.Create(ctx, s, &tracking.CreateOptions{Filename: "a.txt"})
			return err
		}
	}
	return writes
}

// A read-only scope stays so when it is narrowed, and so does everything that is found through it.
func TestReadOnlyNarrows(t *testing.T) {
	t.Parallel()
	st := newStore(t)
	tenant := st.scopes[scope.TenantLevel].ReadOnly()
	view, err := st.table.In(tenant)
	require.NoError(t, err)
	page, err := view.Query(t.Context(), table.Query{Slot: table.I1, Class: "things", Limit: 10})
	require.NoError(t, err)
	require.Len(t, page.Items, 3)
	for _, f := range page.Items {
		require.ErrorIs(t, f.Scope.RequireWrite(), scope.ErrReadOnly)
	}
	user, err := tenant.User("u1")
	require.NoError(t, err)
	shared, err := tenant.Shared()
	require.NoError(t, err)
	session, err := user.NewSession()
	require.NoError(t, err)
	same, err := user.Session(session.SessionID())
	require.NoError(t, err)
	for _, s := range []scope.Scope{user, shared, session, same} {
		require.ErrorIs(t, s.RequireWrite(), scope.ErrReadOnly)
	}
	root, err := st.bucket.In(shared)
	require.NoError(t, err)
	ref, err := root.Ref("a.txt")
	require.NoError(t, err)
	own, err := st.bucket.In(st.scopes[scope.SharedLevel])
	require.NoError(t, err)
	other, err := own.Ref("a.txt")
	require.NoError(t, err)
	require.Equal(t, other, ref, "a Ref is the same, whoever has made it")
}

// Credentials for a read-only scope allow what their purpose reads.
func TestReadOnlyPolicy(t *testing.T) {
	t.Parallel()
	r := credential.Resources{
		Partition: "aws", Region: "eu-central-1", Account: "123456789012", Landing: "carrel-landing", Raw: "carrel-raw", Table: "carrel",
		Indexes: []string{"index1"}, Classes: []string{"things"},
	}
	s := scopesOfEachLevel(t)[scope.SessionLevel].ReadOnly()
	text, err := credential.Policy(s, credential.Signer|credential.Agent|credential.Writer|credential.Tracker, r)
	require.NoError(t, err)
	for _, action := range []string{"s3:GetObject", "s3:ListBucket", "dynamodb:GetItem", "dynamodb:Query"} {
		require.Contains(t, text, action)
	}
	for _, action := range []string{"Put", "Delete", "Abort"} {
		require.NotContains(t, text, action)
	}
	_, err = credential.Policy(s, credential.Signer, r)
	require.ErrorIs(t, err, scope.ErrReadOnly)
}
