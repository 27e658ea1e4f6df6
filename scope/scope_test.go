package scope_test

import (
	"context"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
)

const sessionID = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func session(tenant, user, id string) scope.Scope {
	return must(must(must(scope.Tenant(tenant)).User(user)).Session(id))
}

func TestScopesOnlyNarrow(t *testing.T) {
	t.Parallel()
	tenant := must(scope.Tenant("acme"))
	user := must(tenant.User("u1"))
	shared := must(tenant.Shared())
	sess := must(user.Session(sessionID))
	all := map[scope.Level]scope.Scope{
		scope.None: {}, scope.TenantLevel: tenant, scope.SharedLevel: shared,
		scope.UserLevel: user, scope.SessionLevel: sess,
	}
	for level, s := range all {
		require.Equal(t, level, s.Level())
		steps := map[string]func() (scope.Scope, error){
			"user":        func() (scope.Scope, error) { return s.User("u1") },
			"shared":      s.Shared,
			"session":     func() (scope.Scope, error) { return s.Session(sessionID) },
			"new session": s.NewSession,
		}
		for name, step := range steps {
			got, err := step()
			allowed := level == scope.TenantLevel && (name == "user" || name == "shared") ||
				level == scope.UserLevel && (name == "session" || name == "new session")
			if allowed {
				require.NoError(t, err)
				require.True(t, s.Contains(got))
				require.Greater(t, got.Level(), s.Level())
				continue
			}
			require.Equal(t, scope.Scope{}, got)
			if level == scope.None {
				require.ErrorIs(t, err, scope.ErrDenied, "%s of %s", name, level)
			} else {
				require.ErrorIs(t, err, scope.ErrLevel, "%s of %s", name, level)
			}
		}
	}
}

var badIDs = []string{
	"", " ", "a b", " a", "a ", "_a", "-a", "a/b", "a=b", "a#b", "a*", "a?", "${aws:userid}", "a.b", "ä", "a\x00",
	"a\n", "..", "%61", "a\xff", "a@b",
}

func TestInvalidIDsAreRejected(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"a", "A", "0", "a-b_c", strings.Repeat("x", 64)} {
		_, err := scope.Tenant(id)
		require.NoError(t, err, id)
	}
	tenant := must(scope.Tenant("acme"))
	for _, id := range append(badIDs, strings.Repeat("x", 65)) {
		_, err := scope.Tenant(id)
		require.ErrorIs(t, err, scope.ErrInvalid, "%q", id)
		_, err = tenant.User(id)
		require.ErrorIs(t, err, scope.ErrInvalid, "%q", id)
	}
	require.NotEqual(t, must(scope.Tenant("A")), must(scope.Tenant("a")), "nothing is folded")
}

func TestInvalidSessionIDsAreRejected(t *testing.T) {
	t.Parallel()
	user := must(must(scope.Tenant("acme")).User("u1"))
	for _, id := range []string{
		"", strings.ToUpper(sessionID), "{" + sessionID + "}", strings.ReplaceAll(sessionID, "-", ""), " " + sessionID[1:],
		"0199a1b2-c3d4-4e5f-8a9b-0c1d2e3f4a5b",                                         // version 4
		"0199a1b2-c3d4-7e5f-7a9b-0c1d2e3f4a5b", "0199a1b2-c3d4-7e5f-ca9b-0c1d2e3f4a5b", // wrong variants
		"0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5g", "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b0", "..",
	} {
		_, err := user.Session(id)
		require.ErrorIs(t, err, scope.ErrInvalid, "%q", id)
	}
}

func TestSessionIDsSortAndHoldTheirTime(t *testing.T) {
	t.Parallel()
	user := must(must(scope.Tenant("acme")).User("u1"))
	before := time.Now().Truncate(time.Millisecond)
	ids := make([]string, 2000)
	for i := range ids {
		s := must(user.NewSession())
		ids[i] = s.SessionID()
		require.Equal(t, s, must(user.Session(ids[i])), "its own ids are in the grammar")
		// The generator may run ahead of the clock to stay monotonic, by less than this.
		require.WithinRange(t, s.Time(), before, time.Now().Add(10*time.Millisecond))
		require.Equal(t, time.UTC, s.Time().Location())
	}
	require.True(t, sort.StringsAreSorted(ids))
	require.Equal(t, time.UnixMilli(0x0199a1b2c3d4).UTC(), must(user.Session(sessionID)).Time())
	require.True(t, user.Time().IsZero())
}

func TestContainsOnlyWhatLiesBelow(t *testing.T) {
	t.Parallel()
	acme, globex := must(scope.Tenant("acme")), must(scope.Tenant("globex"))
	u1, u2 := must(acme.User("u1")), must(acme.User("u2"))
	shared := must(acme.Shared())
	s1 := must(u1.Session(sessionID))
	same := session("globex", "u1", sessionID)
	all := []scope.Scope{{}, acme, globex, u1, u2, shared, s1, same}
	want := map[scope.Scope][]scope.Scope{
		acme: {acme, u1, u2, shared, s1}, globex: {globex, same}, u1: {u1, s1}, u2: {u2}, shared: {shared}, s1: {s1}, same: {same},
	}
	for _, s := range all {
		for _, o := range all {
			in := false
			for _, w := range want[s] {
				in = in || w == o
			}
			require.Equal(t, in, s.Contains(o), "%v contains %v", s, o)
			if in && o.Level() != scope.TenantLevel {
				require.True(t, strings.HasPrefix(o.Prefix(), s.Prefix()))
			}
		}
	}
}

// No sequence of calls on scopes derived from one leads outside it.
func TestNoSequenceOfCallsWidensAScope(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		root := randomScope(rnd)
		held := []scope.Scope{root, {}}
		for range 20 {
			s := held[rnd.IntN(len(held))]
			var next scope.Scope
			var err error
			switch rnd.IntN(6) {
			case 0:
				next, err = s.User(randomID(rnd))
			case 1:
				next, err = s.Shared()
			case 2:
				next, err = s.Session(sessionID)
			case 3:
				next, err = s.NewSession()
			case 4:
				var key string
				if key, err = s.Key(randomName(rnd)); err == nil {
					next, _, err = scope.ParseKey(key)
				}
			case 5:
				next, err = scope.ParsePartition(s.Partition())
			}
			if err != nil {
				require.Equal(t, scope.Scope{}, next)
				continue
			}
			require.True(t, root.Contains(next), "%v is derived from %v", next, root)
			held = append(held, next)
		}
	}
}

func TestContextFailsClosed(t *testing.T) {
	t.Parallel()
	_, err := scope.FromContext(t.Context())
	require.ErrorIs(t, err, scope.ErrDenied)
	_, err = scope.FromContext(scope.NewContext(t.Context(), scope.Scope{}))
	require.ErrorIs(t, err, scope.ErrDenied)
	s := session("acme", "u1", sessionID)
	got, err := scope.FromContext(context.WithoutCancel(scope.NewContext(t.Context(), s)))
	require.NoError(t, err)
	require.Equal(t, s, got)
}

func TestEncodedIDsAreValidAndDistinct(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, raw := range []string{"a", "e_YQ", "ann@example.com", "auth0|42", "auth0|43", " ", "\x00", "\xff", strings.Repeat("x", 46), strings.Repeat("x", 47), strings.Repeat("x", 5000)} {
		id, err := scope.EncodeID(raw)
		require.NoError(t, err)
		require.NotContains(t, seen, id)
		seen[id] = raw
		_, err = scope.Tenant(id)
		require.NoError(t, err, id)
	}
	_, err := scope.EncodeID("")
	require.ErrorIs(t, err, scope.ErrInvalid)
	require.Equal(t, "e_YW5uQGV4YW1wbGUuY29t", must(scope.EncodeID("ann@example.com")))
}

func TestErrorsQuoteAndTruncate(t *testing.T) {
	t.Parallel()
	_, err := scope.Tenant("a\r\nadmin=true")
	require.EqualError(t, err, `scope: invalid tenant id "a\r\nadmin=true": has a character other than letters, digits, _ and -`)
	_, err = scope.Tenant(strings.Repeat("x", 1<<20))
	require.Less(t, len(err.Error()), 200)
}

// A request that is decoded into a struct with a Scope cannot bring one.
func TestDecodersDoNotFillAScope(t *testing.T) {
	t.Parallel()
	var in struct{ Owner scope.Scope }
	for _, text := range []string{`{"tenant":"globex","user":"u1","level":3}`, `{"Tenant":"globex","Level":1}`, `{}`, `null`} {
		require.NoError(t, json.Unmarshal([]byte(`{"Owner":`+text+`}`), &in))
		require.Equal(t, scope.Scope{}, in.Owner, text)
	}
	require.Error(t, json.Unmarshal([]byte(`{"Owner":"t#globex"}`), &in))
	const text = `<in><Owner tenant="globex"><tenant>globex</tenant><level>1</level></Owner></in>`
	require.NoError(t, xml.Unmarshal([]byte(text), &in))
	require.Equal(t, scope.Scope{}, in.Owner)
	require.Error(t, gob.NewEncoder(io.Discard).Encode(session("acme", "u1", sessionID)))
	_, err := fmt.Sscan("t#globex", &in.Owner)
	require.Error(t, err)
	require.Equal(t, scope.Scope{}, in.Owner)
}

// Index partitions and shards are readable by the name of their owner only, so none of them may be
// a partition of a scope.
func TestIndexesAndShardsAreNotPartitions(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		s := randomScope(rnd)
		index, err := s.Index(s.Level(), randomID(rnd))
		require.NoError(t, err)
		for _, p := range []string{index, scope.Shard(randomID(rnd), rnd.IntN(10))} {
			_, err = scope.ParsePartition(p)
			require.ErrorIs(t, err, scope.ErrInvalid, p)
		}
		other := randomScope(rnd)
		if stolen, err := other.Index(other.Level(), randomID(rnd)); err == nil && stolen == index {
			require.Equal(t, s, other)
		}
	}
}

func TestScopeIsNotMarshaled(t *testing.T) {
	t.Parallel()
	s := session("acme", "u1", sessionID)
	_, err := json.Marshal(struct{ Owner scope.Scope }{s})
	require.ErrorContains(t, err, "Scope.Partition")
	require.Equal(t, s.String(), s.LogValue().String())
}
