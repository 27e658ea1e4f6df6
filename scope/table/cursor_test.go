package table

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
)

// FuzzCursor queries with arbitrary cursors, and with cursors that have a valid digest
// over an arbitrary position.
func FuzzCursor(f *testing.F) {
	f.Add("", "", "", "m")
	f.Add("AAAA", "k", "t#globex", "meta")
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAA", "k\x00t#globex\x00x", "t#acme\x00", "\x00")
	f.Add("=", "zzz", "t#acme#i#c", "\xff")
	f.Fuzz(func(t *testing.T, raw, index, partition, sort string) {
		m := NewMemory(nil)
		tbl := must.Get(New(m, nil))
		for _, id := range []string{"acme", "globex"} {
			s, err := scope.Tenant(id)
			require.NoError(t, err)
			v, err := tbl.In(s)
			require.NoError(t, err)
			for _, name := range []string{"k", "m", "x"} {
				_, err = v.Put(t.Context(), Item{Sort: name, Index: []Entry{{Slot: I1, Level: scope.TenantLevel, Class: "c", Sort: name}}}, Absent())
				require.NoError(t, err)
			}
		}
		s, err := scope.Tenant("acme")
		require.NoError(t, err)
		v, err := tbl.In(s)
		require.NoError(t, err)
		for _, q := range []Query{{From: "b"}, {Slot: I1, Class: "c", To: "x", Desc: true}} {
			for _, cursor := range []string{
				raw,
				v.encodeCursor(q, Position{index, partition, sort}),
				v.encodeCursor(q, Position{"", v.partition, sort}),
			} {
				if cursor == "" {
					continue
				}
				q.Cursor = cursor
				page, err := v.Query(t.Context(), q)
				if err != nil {
					require.ErrorIs(t, err, ErrCursor)
					continue
				}
				b, err := base64.RawURLEncoding.DecodeString(cursor)
				require.NoError(t, err)
				require.Equal(t, cursor, base64.RawURLEncoding.EncodeToString(b), "a cursor has one spelling")
				require.Empty(t, page.Next)
				for _, found := range page.Items {
					require.Equal(t, s, found.Scope)
					require.GreaterOrEqual(t, found.Item.Sort, q.From)
				}
			}
		}
	})
}

// The limit of a cursor's length admits the longest valid one.
func TestLongestCursorIsAccepted(t *testing.T) {
	t.Parallel()
	s, err := scope.Tenant("acme")
	require.NoError(t, err)
	v, err := must.Get(New(NewMemory(nil), nil)).In(s)
	require.NoError(t, err)
	long := func(n int) string { return string(make([]byte, n-1)) + "x" }
	q := Query{Slot: I2, Class: "c"}
	want := Position{Index: long(MaxSort), Partition: long(maxPartition), Sort: long(MaxSort)}
	q.Cursor = v.encodeCursor(q, want)
	got, err := v.decodeCursor(q)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// A forged cursor with a valid digest can have bytes after its position.
func TestBytesAfterThePositionAreRejected(t *testing.T) {
	t.Parallel()
	s, err := scope.Tenant("acme")
	require.NoError(t, err)
	v, err := must.Get(New(NewMemory(nil), nil)).In(s)
	require.NoError(t, err)
	var q Query
	b := append(appendStrings(make([]byte, digestSize), "", "t#acme", "x"), 0)
	v.writeDigest(q, b)
	q.Cursor = base64.RawURLEncoding.EncodeToString(b)
	_, err = v.decodeCursor(q)
	require.ErrorIs(t, err, ErrCursor)
	require.ErrorContains(t, err, "bytes after the end")
}

// A forged cursor with a valid digest can contain any position. DynamoDB fails for a
// position outside the range.
func TestPositionOutsideTheQueryIsRejected(t *testing.T) {
	t.Parallel()
	s, err := scope.Tenant("acme")
	require.NoError(t, err)
	v, err := must.Get(New(NewMemory(nil), nil)).In(s)
	require.NoError(t, err)
	base := Query{From: "b", To: "d"}
	index := Query{Slot: I1, Class: "c", From: "b", To: "d"}
	for _, c := range []struct {
		q    Query
		p    Position
		fits bool
	}{
		{base, Position{"", "t#acme", "b"}, true},
		{base, Position{"", "t#acme", "a"}, false},
		{base, Position{"", "t#acme", "d"}, false},
		{base, Position{"", "t#globex", "b"}, false},
		{base, Position{"b", "t#acme", "b"}, false},
		{base, Position{"", "t#acme", ""}, false},
		{index, Position{"c", "t#acme#u#u1", "z"}, true},
		{index, Position{"c", "t#globex", "z"}, true}, // a forged row ended the page
		{index, Position{"a", "t#acme#u#u1", "c"}, false},
		{index, Position{"d", "t#acme#u#u1", "c"}, false},
		{index, Position{"", "t#acme", "c"}, false},
		{index, Position{"c", "", "c"}, false},
		{index, Position{"c", "t#acme", ""}, false},
		{index, Position{"c", "t#acme", "\xff"}, false},
	} {
		c.q.Cursor = v.encodeCursor(c.q, c.p)
		got, err := v.decodeCursor(c.q)
		if c.fits {
			require.NoError(t, err, "%+v", c)
			require.Equal(t, c.p, got)
		} else {
			require.ErrorIs(t, err, ErrCursor, "%+v", c)
		}
	}
}
