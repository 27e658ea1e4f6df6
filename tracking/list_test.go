package tracking

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

// putRecord creates the record of the user's session number n in a class.
func (b *bundle) putRecord(t *testing.T, user scope.Scope, n int, class Class) scope.Scope {
	t.Helper()
	ctx := t.Context()
	s := sessionOf(t, user, n)
	_, err := b.Create(ctx, s, &CreateOptions{Filename: fmt.Sprintf("%s-%d.jpg", user.UserID(), n)})
	require.NoError(t, err)
	if class == ClassActive {
		return s
	}
	a, err := b.Claim(ctx, s, Enrichment, &ClaimOptions{Key: "r", Observed: &Observation{Stage: UserUpload}})
	require.NoError(t, err)
	if class == ClassFailed {
		require.NoError(t, a.Fail(ctx, throttledError()))
	} else {
		require.NoError(t, a.Complete(ctx, object.Ref{}))
	}
	return s
}

// listAll follows the cursors to the end and calls between before each page but the
// first.
func (b *bundle) listAll(t *testing.T, s scope.Scope, f Filter, between func()) (out []Summary) {
	t.Helper()
	for {
		p, err := b.List(t.Context(), s, f)
		require.NoError(t, err)
		require.LessOrEqual(t, len(p.Records), f.Limit)
		out = append(out, p.Records...)
		if p.Next == "" {
			return out
		}
		require.Len(t, p.Records, f.Limit, "only the last page is short")
		f.Cursor = p.Next
		between()
	}
}

func openDrivers(t *testing.T) map[string]table.Driver {
	return map[string]table.Driver{"memory": table.NewMemory(nil), "bolt": openBolt(t)}
}

// listed is the records that a list must contain: the session ids of each scope and
// class, in the order of their creation. The class "" has all of them.
type listed map[scope.Scope]map[Class][]string

func (l listed) addTo(in scope.Scope, class Class, s scope.Scope) {
	if l[in] == nil {
		l[in] = map[Class][]string{}
	}
	l[in][class] = append(l[in][class], s.SessionID())
	l[in][""] = append(l[in][""], s.SessionID())
}

// All pages together are exactly the records of the scope and class, newest first,
// while others are created.
func TestPagesAreTheExactList(t *testing.T) {
	t.Parallel()
	for name, d := range openDrivers(t) {
		t.Run(name, func(t *testing.T) {
			b := newBundle(t, d)
			acme, err := scope.Tenant("acme")
			require.NoError(t, err)
			users := []scope.Scope{userOf(t, "acme", "u1"), userOf(t, "acme", "u10"), userOf(t, "acm", "u1"), userOf(t, "globex", "u1")}
			classes := []Class{ClassActive, ClassFailed, ClassSuccess}
			want := listed{}
			n := 0
			add := func(user scope.Scope, class Class) {
				n++
				s := b.putRecord(t, user, n, class)
				want.addTo(user, class, s)
				if acme.Contains(user) {
					want.addTo(acme, class, s)
				}
			}
			for i := range 48 {
				add(users[i%4], classes[i%3])
			}
			addNewer := func() {
				add(users[0], ClassActive)
				add(users[1], ClassSuccess)
			}
			for _, in := range []scope.Scope{users[0], users[1], users[3], acme} {
				for _, class := range append(classes, "") {
					b.requireList(t, in, Filter{Class: class, Limit: 1}, want, func() {})
					b.requireList(t, in, Filter{Class: class, Limit: 4}, want, addNewer)
					b.requireList(t, in, Filter{Class: class, Limit: 100}, want, func() {})
				}
				c, err := b.Count(t.Context(), in)
				require.NoError(t, err)
				require.Equal(t, Counts{All: len(want[in][""]), Active: len(want[in][ClassActive]),
					Failed: len(want[in][ClassFailed]), Success: len(want[in][ClassSuccess])}, c)
			}
		})
	}
}

// requireList lists all pages, calling between before each but the first, and
// compares them with the records that existed before.
func (b *bundle) requireList(t *testing.T, in scope.Scope, f Filter, want listed, between func()) {
	t.Helper()
	expected := slices.Clone(want[in][f.Class])
	slices.Reverse(expected)
	var got []string
	for _, r := range b.listAll(t, in, f, between) {
		require.True(t, in.Contains(r.Scope))
		require.True(t, f.Class == "" || f.Class == r.Class)
		require.Contains(t, r.Filename, r.Scope.UserID()+"-")
		got = append(got, r.Scope.SessionID())
	}
	require.Equal(t, expected, got, "%s %+v", in.Partition(), f)
}

// A record that changes its class while a caller pages is listed at most once, all
// others exactly once.
func TestListWhileClassesChange(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	var sessions []scope.Scope
	for n := range 12 {
		sessions = append(sessions, b.putRecord(t, b.user, n, ClassActive))
	}
	turn := 0
	seen := map[string]int{}
	for _, r := range b.listAll(t, b.user, Filter{Limit: 3}, func() {
		for _, n := range []int{turn, 11 - turn} { // one that was listed, one that will be
			_, err := b.Cancel(t.Context(), sessions[n])
			require.NoError(t, err)
		}
		turn++
	}) {
		seen[r.Scope.SessionID()]++
	}
	require.Len(t, seen, 12)
	for id, times := range seen {
		require.Equal(t, 1, times, id)
	}
}

// If the indexes lag, a list is older by that lag only.
func TestListLagsWithItsIndex(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, table.NewMemory(&table.MemoryOptions{IndexDelay: time.Second}))
		b.putRecord(t, b.user, 1, ClassFailed)
		p, err := b.List(t.Context(), b.user, Filter{})
		require.NoError(t, err)
		require.Empty(t, p.Records)
		time.Sleep(time.Second)
		p, err = b.List(t.Context(), b.user, Filter{})
		require.NoError(t, err)
		require.Len(t, p.Records, 1)
		require.Equal(t, ClassFailed, p.Records[0].Class)
	})
}

// forger is a driver whose index queries return another tenant's row first, as a
// forged one would be.
type forger struct {
	table.Driver
	row table.Row
}

func (f *forger) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	if q.Slot == 0 || q.Limit < 2 {
		return f.Driver.Query(ctx, q)
	}
	q.Limit--
	p, err := f.Driver.Query(ctx, q)
	if len(p.Rows) > 0 {
		p.Rows = slices.Insert(p.Rows, 0, f.row)
	}
	return p, err
}

// Forged rows of an index are not listed, and do not hide others.
func TestForgedRowsAreNotListed(t *testing.T) {
	t.Parallel()
	f := &forger{Driver: table.NewMemory(nil)}
	b := newBundle(t, f)
	b.putRecord(t, userOf(t, "globex", "u1"), 99, ClassActive)
	f.row = b.driver.written[0]
	for n := range 9 {
		b.putRecord(t, b.user, n, ClassActive)
	}
	for n, s := range []scope.Scope{b.user, sessionOf(t, b.user, 3)} { // rows of the user that are not records
		view, err := b.table.In(s)
		require.NoError(t, err)
		_, err = view.Put(t.Context(), table.Item{Sort: "other", Index: []table.Entry{
			{Slot: table.I1, Level: scope.UserLevel, Class: "active", Sort: sessionOf(t, b.user, 3+n).SessionID()},
		}}, table.Absent())
		require.NoError(t, err)
	}
	rows := b.listAll(t, b.user, Filter{Limit: 4, Class: ClassActive}, func() {})
	require.Len(t, rows, 9)
	for i, r := range rows {
		require.Equal(t, sessionOf(t, b.user, 8-i), r.Scope)
	}
}

func TestListRejectsInvalidFilters(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	ctx := t.Context()
	for n := range 4 {
		b.putRecord(t, b.user, n, ClassActive)
	}
	p, err := b.List(ctx, b.user, Filter{Limit: 2, Class: ClassActive})
	require.NoError(t, err)
	ours := p.Next
	acme, err := scope.Tenant("acme")
	require.NoError(t, err)
	raw, err := base64.RawURLEncoding.DecodeString(ours)
	require.NoError(t, err)
	mangled := slices.Clone(raw)
	mangled[0] ^= 1

	for name, c := range map[string]struct {
		in scope.Scope
		f  Filter
	}{
		"another class":       {b.user, Filter{Cursor: ours}},
		"another user":        {userOf(t, "acme", "u2"), Filter{Cursor: ours, Class: ClassActive}},
		"another tenant":      {userOf(t, "globex", "u1"), Filter{Cursor: ours, Class: ClassActive}},
		"another level":       {acme, Filter{Cursor: ours, Class: ClassActive}},
		"padded":              {b.user, Filter{Cursor: ours + "=", Class: ClassActive}},
		"line end":            {b.user, Filter{Cursor: ours + "\n", Class: ClassActive}},
		"no base64":           {b.user, Filter{Cursor: "!", Class: ClassActive}},
		"longer":              {b.user, Filter{Cursor: ours + "AAAA", Class: ClassActive}},
		"shorter":             {b.user, Filter{Cursor: ours[:20], Class: ClassActive}},
		"mangled":             {b.user, Filter{Cursor: base64.RawURLEncoding.EncodeToString(mangled), Class: ClassActive}},
		"limit":               {b.user, Filter{Limit: 101}},
		"negative limit":      {b.user, Filter{Limit: -1}},
		"class":               {b.user, Filter{Class: "other"}},
		"cursor of a tenant?": {acme, Filter{Cursor: base64.RawURLEncoding.EncodeToString([]byte(cursorDigest(acme, "") + "x"))}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.List(ctx, c.in, c.f)
			require.ErrorIs(t, err, ErrInvalid)
		})
	}
}

func TestFindStaysInItsScope(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	ctx := t.Context()
	acme, err := scope.Tenant("acme")
	require.NoError(t, err)
	for n, class := range []Class{ClassActive, ClassFailed, ClassSuccess} {
		s := b.putRecord(t, userOf(t, "acme", "u1"), n, class)
		other := userOf(t, "acme", "u2")
		for _, in := range []scope.Scope{acme, b.user} {
			r, err := b.Find(ctx, in, s.SessionID())
			require.NoError(t, err)
			require.Equal(t, s, r.Scope)
			require.Equal(t, class, r.Class())
		}
		for _, in := range []scope.Scope{other, userOf(t, "globex", "u1")} {
			_, err := b.Find(ctx, in, s.SessionID())
			require.ErrorIs(t, err, ErrNotFound)
		}
		globex, err := scope.Tenant("globex")
		require.NoError(t, err)
		_, err = b.Find(ctx, globex, s.SessionID())
		require.ErrorIs(t, err, ErrNotFound)
	}
	for _, id := range []string{"", "x", "../x", sessionOf(t, b.user, 9).SessionID(), "019CA945-0A00-7000-8000-000000000000"} {
		for _, in := range []scope.Scope{acme, b.user} {
			_, err := b.Find(ctx, in, id)
			require.ErrorIs(t, err, ErrNotFound, id)
		}
	}
	_, err = b.Find(ctx, scope.Scope{}, "x")
	require.ErrorIs(t, err, scope.ErrDenied)
}

// A record whose class changes during the search is found.
func TestFindSurvivesAChangeOfClass(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	acme, err := scope.Tenant("acme")
	require.NoError(t, err)
	b.session = b.putRecord(t, b.user, 1, ClassFailed)
	b.driver.takeCalls()
	b.driver.asked = func(n int) {
		if n == 3 { // it was not found among the active and the waiting, and has left the failed
			b.driver.asked = nil
			b.claimStage(t, "again")
		}
	}
	r, err := b.Find(t.Context(), acme, b.session.SessionID())
	require.NoError(t, err)
	require.Equal(t, ClassActive, r.Class())
	b.driver.takeCalls()
	_, err = b.Find(t.Context(), acme, sessionOf(t, b.user, 9).SessionID())
	require.ErrorIs(t, err, ErrNotFound)
	require.Equal(t, [3]int{0, 0, 8}, b.driver.takeCalls())
}

func FuzzCursor(f *testing.F) {
	user := userOf(f, "acme", "u1")
	id := sessionOf(f, user, 1).SessionID()
	for _, p := range []position{{}, {Cursor: endOfClass}, {To: id, Cursor: "AAAA"}, {Cursor: "AAAA"}} {
		f.Add(listCursor{Before: id, Lanes: []position{p}}.encode(user, ClassActive))
	}
	f.Add("")
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, cursor string) {
		parsed, err := parseCursor(cursor, user, ClassActive, 1)
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			return
		}
		if cursor != "" {
			require.Equal(t, cursor, parsed.encode(user, ClassActive), "a cursor has one form")
		}
	})
}
