package scope_test

import (
	"context"
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

func TestLevelsOnlyNarrow(t *testing.T) {
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

func TestIDs(t *testing.T) {
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

func TestSessionIDs(t *testing.T) {
	user := must(must(scope.Tenant("acme")).User("u1"))
	for _, id := range []string{
		"", strings.ToUpper(sessionID), "{" + sessionID + "}", strings.ReplaceAll(sessionID, "-", ""), " " + sessionID[1:],
		"0199a1b2-c3d4-4e5f-8a9b-0c1d2e3f4a5b", // version 4
		"0199a1b2-c3d4-7e5f-7a9b-0c1d2e3f4a5b", // wrong variant
		"0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5g", "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b0", "..",
	} {
		_, err := user.Session(id)
		require.ErrorIs(t, err, scope.ErrInvalid, "%q", id)
	}
}

func TestNewSessionSortsAndCarriesItsTime(t *testing.T) {
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

func TestContains(t *testing.T) {
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

func TestLayout(t *testing.T) {
	tenant := must(scope.Tenant("acme"))
	user := must(tenant.User("u1"))
	shared := must(tenant.Shared())
	sess := must(user.Session(sessionID))
	for _, c := range []struct {
		s                      scope.Scope
		prefix, partition, key string
	}{
		{scope.Scope{}, "none/", "none", ""},
		{tenant, "tenant=acme/", "t#acme", ""},
		{shared, "tenant=acme/shared/", "t#acme#shared", "tenant=acme/shared/x.png"},
		{user, "tenant=acme/user=u1/", "t#acme#u#u1", "tenant=acme/user=u1/x.png"},
		{sess, "tenant=acme/user=u1/uploads/" + sessionID + "/", "t#acme#u#u1#s#" + sessionID, "tenant=acme/user=u1/uploads/" + sessionID + "/x.png"},
	} {
		require.Equal(t, c.prefix, c.s.Prefix())
		require.Equal(t, c.partition, c.s.Partition())
		key, err := c.s.Key("x.png")
		require.Equal(t, c.key, key)
		require.Equal(t, c.key == "", err != nil)
	}
}

// The attack list's file names: each is refused, none is mended.
func TestHostileNames(t *testing.T) {
	sess := session("acme", "u1", sessionID)
	for _, name := range []string{
		"", ".", "..", "../../tenant=b/x", "a/b", `a\b`, "/a", "a/", "x//y", "%2e%2e%2f", "%252e", "a%",
		"a\x00b", "a\rb", "a\nb", "a\tb", "a\x1fb", "a\x7fb", "a\u0085b", "\xff", "a\xc3", "\xed\xa0\x80",
		"a\u202eb", "a\u2066b", "a\u200bb", "a\u200db", "\ufeffa", "a\u2060b", "a\u00adb", "a\u034fb", "a\u3164b", "a\ufe0fb", "a\u2028b", "a\U000e0041b",
		"e\u0301.png",                                                   // é in form D
		"．．／x", "a．b", "a／b", "a＼b", "a\u2025b", "a\u2026b", "a\u2100b", // NFKC makes . or / of them
		" a", "a ", ".a", "a.", "\u00a0a", "a\u3000",
		"CON", "con.png", "Lpt1.txt", "nul",
		"x?versionId=1", "x#y", strings.Repeat("x", 256), strings.Repeat("é", 128),
	} {
		key, err := sess.Key(name)
		require.ErrorIs(t, err, scope.ErrInvalid, "%q", name)
		require.Empty(t, key)
		_, _, err = scope.ParseKey(sess.Prefix() + name)
		require.ErrorIs(t, err, scope.ErrInvalid, "%q", name)
	}
	for _, name := range []string{
		"cover.jpg", "a b.png", "x.pdf.html", "Ünïcode – naïve.png", "日本語.png", "100+1 (copy) [2].jpg", `"q".png`, "a'b", "tenant=b", "uploads",
		"console.png", "com0", "com10", "résumé\U0001f4da.png", strings.Repeat("x", 255),
	} {
		key, err := sess.Key(name)
		require.NoError(t, err, "%q", name)
		require.LessOrEqual(t, len(key), 1024)
	}
	longest := session(strings.Repeat("t", 64), strings.Repeat("u", 64), sessionID)
	require.Len(t, must(longest.Key(strings.Repeat("x", 255))), 442)
	_, err := must(must(scope.Tenant("acme")).User("u1")).Key("uploads")
	require.ErrorIs(t, err, scope.ErrInvalid)
}

func TestParseRefusesForeignShapes(t *testing.T) {
	for _, key := range []string{
		"", "x", "tenant=", "tenant=a", "tenant=a/", "tenant=a/x", "tenant=a/shared/", "tenant=a/shared/x/y", "tenant=a/user=b", "tenant=a/user=b/",
		"tenant=a/user=b/uploads", "tenant=a/user=b/uploads/", "tenant=a/user=b/uploads/x", "tenant=a/user=b/uploads/x/y",
		"tenant=a/user=b/uploads/" + sessionID, "tenant=a/user=b/uploads/" + sessionID + "/", "tenant=a/user=b/uploads/" + sessionID + "/x/y",
		"tenant=a/user=b/uploads/" + strings.ToUpper(sessionID) + "/x", "/tenant=a/user=b/x", "tenant=a//user=b/x", "Tenant=a/user=b/x",
		"tenant=a/../tenant=b/user=c/x", "tenant=a%2fuser=b/x", "tenant=a/user=b/x/", "tenant=a/user=b/../user=c/x", "none/x",
	} {
		_, _, err := scope.ParseKey(key)
		require.ErrorIs(t, err, scope.ErrInvalid, "%q", key)
	}
	for _, id := range append(badIDs, strings.Repeat("x", 65)) {
		for _, key := range []string{"tenant=" + id + "/shared/x", "tenant=" + id + "/user=u/x", "tenant=t/user=" + id + "/x", "tenant=t/user=" + id + "/uploads/" + sessionID + "/x"} {
			_, _, err := scope.ParseKey(key)
			require.ErrorIs(t, err, scope.ErrInvalid, "%q", key)
		}
		for _, p := range []string{"t#" + id, "t#" + id + "#shared", "t#" + id + "#u#u", "t#t#u#" + id, "t#t#u#" + id + "#s#" + sessionID} {
			_, err := scope.ParsePartition(p)
			require.ErrorIs(t, err, scope.ErrInvalid, "%q", p)
		}
	}
	for _, p := range []string{
		"", "none", "t#", "t", "t#a#", "t#a#x", "t#a#shared#", "t#a#shared#x", "t#a#u#", "t#a#u", "t#a#u#b#", "t#a#u#b#s#", "t#a#u#b#s#x",
		"t#a#u#b#s#" + sessionID + "#", "t#a#u#b#s#" + strings.ToUpper(sessionID), "T#a", " t#a", "t#a ", "t#a#i#active", "t#a#u#b#i#active", "sys#due#1",
	} {
		_, err := scope.ParsePartition(p)
		require.ErrorIs(t, err, scope.ErrInvalid, "%q", p)
	}
}

// Over random values of the whole grammar: Key and Partition are inverted
// exactly, and two different inputs never give the same output.
func TestInjectiveAndInverse(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	keys, parts := map[string]any{}, map[string]scope.Scope{}
	type file struct {
		s    scope.Scope
		name string
	}
	refused := 0
	for range 20_000 {
		s := randomScope(rnd)
		p := s.Partition()
		if old, seen := parts[p]; seen {
			require.Equal(t, old, s)
		}
		parts[p] = s
		require.Equal(t, s, must(scope.ParsePartition(p)))
		if s.Level() == scope.TenantLevel {
			continue
		}
		name := randomName(rnd)
		key, err := s.Key(name)
		if err != nil {
			refused++ // "uploads", "con", "…", a dot at an end
			continue
		}
		if old, seen := keys[key]; seen {
			require.Equal(t, file{s, name}, old)
		}
		keys[key] = file{s, name}
		s2, name2, err := scope.ParseKey(key)
		require.NoError(t, err)
		require.Equal(t, file{s, name}, file{s2, name2})
	}
	require.Greater(t, len(keys), 5000)
	require.Positive(t, refused, "the generator reaches beyond the grammar")
}

func pick(r *rand.Rand, alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

// Half of them out of the words that the layouts are made of, so that collisions would show; half of the whole grammar.
func randomID(r *rand.Rand) string {
	const first = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	words := []string{"a", "ab", "t", "u", "s", "shared", "uploads", "user", "tenant", "i", "a-b", "a_b", sessionID}
	if r.IntN(2) == 0 {
		return words[r.IntN(len(words))]
	}
	return pick(r, first, 1) + pick(r, first+"_-", r.IntN(64))
}

func randomScope(r *rand.Rand) scope.Scope {
	s := must(scope.Tenant(randomID(r)))
	switch r.IntN(4) {
	case 0:
		return s
	case 1:
		return must(s.Shared())
	}
	s = must(s.User(randomID(r)))
	if r.IntN(2) == 0 {
		const hex = "0123456789abcdef"
		s = must(s.Session(pick(r, hex, 8) + "-" + pick(r, hex, 4) + "-7" + pick(r, hex, 3) + "-" + pick(r, "89ab", 1) + pick(r, hex, 3) + "-" + pick(r, hex, 12)))
	}
	return s
}

func randomName(r *rand.Rand) string {
	words := []string{"a", "uploads", "shared", "user=a", "tenant=a", "x.png", "日本", sessionID, "con", "é", "…", "a b", "."}
	name := words[r.IntN(len(words))]
	if r.IntN(2) == 0 {
		name += pick(r, "ab =-_x.+!~()[]{}$&'\"*:;<>|^@", r.IntN(200))
	}
	return name
}

// Whatever is called, in whatever order, on scopes that were had from one: nothing outside it comes of it.
func TestNoSequenceOfCallsWidens(t *testing.T) {
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
			require.True(t, root.Contains(next), "%v came of %v", next, root)
			held = append(held, next)
		}
	}
}

func TestIndex(t *testing.T) {
	tenant := must(scope.Tenant("acme"))
	user := must(tenant.User("u1"))
	shared := must(tenant.Shared())
	sess := must(user.Session(sessionID))
	allowed := map[scope.Scope]map[scope.Level]string{
		tenant: {scope.TenantLevel: "t#acme#i#active"},
		shared: {scope.TenantLevel: "t#acme#i#active", scope.SharedLevel: "t#acme#shared#i#active"},
		user:   {scope.TenantLevel: "t#acme#i#active", scope.UserLevel: "t#acme#u#u1#i#active"},
		sess:   {scope.TenantLevel: "t#acme#i#active", scope.UserLevel: "t#acme#u#u1#i#active", scope.SessionLevel: sess.Partition() + "#i#active"},
	}
	for s, levels := range allowed {
		for at := scope.None; at <= scope.SessionLevel; at++ {
			got, err := s.Index(at, "active")
			require.Equal(t, levels[at], got, "%v at %v", s, at)
			require.Equal(t, levels[at] == "", err != nil)
		}
		for _, class := range []string{"", "a#b", "a/b", "#", strings.Repeat("x", 65)} {
			_, err := s.Index(s.Level(), class)
			require.ErrorIs(t, err, scope.ErrInvalid)
		}
	}
	_, err := scope.Scope{}.Index(scope.None, "active")
	require.ErrorIs(t, err, scope.ErrDenied)
	require.Equal(t, "sys#due#7", scope.Shard("due", 7))
	require.Panics(t, func() { scope.Shard("a#b", 0) })
	require.Panics(t, func() { scope.Shard("due", -1) })
}

func TestContextFailsClosed(t *testing.T) {
	_, err := scope.FromContext(t.Context())
	require.ErrorIs(t, err, scope.ErrDenied)
	_, err = scope.FromContext(scope.NewContext(t.Context(), scope.Scope{}))
	require.ErrorIs(t, err, scope.ErrDenied)
	s := session("acme", "u1", sessionID)
	got, err := scope.FromContext(context.WithoutCancel(scope.NewContext(t.Context(), s)))
	require.NoError(t, err)
	require.Equal(t, s, got)
}

func TestEncodeID(t *testing.T) {
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

func TestErrorsQuoteAndCut(t *testing.T) {
	_, err := scope.Tenant("a\r\nadmin=true")
	require.EqualError(t, err, `scope: invalid tenant id "a\r\nadmin=true": has a character other than letters, digits, _ and -`)
	_, err = scope.Tenant(strings.Repeat("x", 1<<20))
	require.Less(t, len(err.Error()), 200)
}

func FuzzParseKey(f *testing.F) {
	f.Add("tenant=acme/user=u1/uploads/" + sessionID + "/x.png")
	f.Add("tenant=acme/shared/x.png")
	f.Add("tenant=acme/user=u1/../x")
	f.Fuzz(func(t *testing.T, key string) {
		s, name, err := scope.ParseKey(key)
		if err != nil {
			require.ErrorIs(t, err, scope.ErrInvalid)
			require.Equal(t, scope.Scope{}, s)
			return
		}
		back, err := s.Key(name)
		require.NoError(t, err)
		require.Equal(t, key, back)
	})
}

func FuzzFileName(f *testing.F) {
	f.Add("cover.jpg")
	f.Add("．．／x")
	f.Fuzz(func(t *testing.T, name string) {
		s := session("acme", "u1", sessionID)
		key, err := s.Key(name)
		if err != nil {
			require.ErrorIs(t, err, scope.ErrInvalid)
			return
		}
		s2, name2, err := scope.ParseKey(key)
		require.NoError(t, err)
		require.Equal(t, s, s2)
		require.Equal(t, name, name2)
	})
}
