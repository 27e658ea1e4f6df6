package scope_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
)

func TestLayoutOfKeysAndPartitions(t *testing.T) {
	t.Parallel()
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

// The file names of the attack list are rejected, never repaired.
func TestHostileNamesAreRejected(t *testing.T) {
	t.Parallel()
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

func TestParsersRejectOtherLayouts(t *testing.T) {
	t.Parallel()
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

// For random scopes and names, parsing inverts Key and Partition exactly, and two
// different inputs never have the same output.
func TestKeysAndPartitionsAreInjectiveAndInverted(t *testing.T) {
	t.Parallel()
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

// randomID returns a random valid id. Half of the ids are words of the layout, which would show collisions.
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

func TestIndexAtOrAboveItsLevel(t *testing.T) {
	t.Parallel()
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
