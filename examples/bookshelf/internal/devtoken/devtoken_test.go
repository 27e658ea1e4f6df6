package devtoken_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/devtoken"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/scope/oidc/oidctest"
)

const at = "http://127.0.0.1:8080/issuer"

// A key takes long to make: tests that need just one share it.
var sharedKey = sync.OnceValue(func() []byte {
	dir, err := os.MkdirTemp("", "issuer")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if _, err := devtoken.Open(dir, at); err != nil {
		panic(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "issuer.pem"))
	if err != nil {
		panic(err)
	}
	return b
})

func keyDir(t *testing.T) string {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "issuer.pem"), sharedKey(), 0o600))
	return dir
}

func open(t *testing.T) *oidctest.Issuer {
	t.Helper()
	i, err := devtoken.Open(keyDir(t), at)
	require.NoError(t, err)
	return i
}

func verifier(t *testing.T, i *oidctest.Issuer) *oidc.Verifier {
	t.Helper()
	v, err := oidc.New(t.Context(), i.URL(), i.ClientID(), &oidc.Options{
		TokenUse: []oidc.TokenUse{oidc.IDToken}, TenantGroups: []string{devtoken.RoleOps}, Client: i.Client(),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	return v
}

func TestToken(t *testing.T) {
	t.Parallel()
	i := open(t)
	v := verifier(t, i)
	began := time.Now().Truncate(time.Second)
	token, expires, err := devtoken.Issue(i, "acme", "u1", nil)
	require.NoError(t, err)
	require.WithinRange(t, expires, began.Add(time.Hour), time.Now().Add(time.Hour))
	id, err := v.Verify(t.Context(), token)
	require.NoError(t, err)
	require.Equal(t, "t#acme#u#u1", id.User.Partition())
	require.Equal(t, scope.None, id.Tenant.Level())

	token, _, err = devtoken.Issue(i, "acme", "u1", []string{devtoken.RoleOps})
	require.NoError(t, err)
	id, err = v.Verify(t.Context(), token)
	require.NoError(t, err)
	require.Equal(t, "t#acme", id.Tenant.Partition())

	for _, c := range [][2]string{{"", "u1"}, {"acme", ""}, {"a b", "u1"}, {"acme", "u#1"}, {"acme/../globex", "u1"}} {
		_, _, err := devtoken.Issue(i, c[0], c[1], nil)
		require.ErrorIs(t, err, scope.ErrInvalid)
	}
	for _, roles := range [][]string{{"admin"}, {""}, {"OPS"}, {"ops", "ops"}, {"ops", "admin"}} {
		_, _, err := devtoken.Issue(i, "acme", "u1", roles)
		var unknown *devtoken.RoleError
		require.ErrorAs(t, err, &unknown)
	}
}

func TestTokenExpires(t *testing.T) {
	t.Parallel()
	sharedKey()
	synctest.Test(t, func(t *testing.T) {
		i := open(t)
		v := verifier(t, i)
		time.Sleep(300 * time.Millisecond)
		token, expires, err := devtoken.Issue(i, "acme", "u1", nil)
		require.NoError(t, err)
		time.Sleep(time.Until(expires) - time.Nanosecond)
		_, err = v.Verify(t.Context(), token)
		require.NoError(t, err)
		time.Sleep(time.Nanosecond)
		_, err = v.Verify(t.Context(), token)
		require.ErrorIs(t, err, oidc.ErrToken)
	})
}

func TestTokensSurviveARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := devtoken.Open(dir, at)
	require.NoError(t, err)
	info, err := os.Stat(filepath.Join(dir, "issuer.pem"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)

	token, _, err := devtoken.Issue(first, "acme", "u1", nil)
	require.NoError(t, err)
	second, err := devtoken.Open(dir, at)
	require.NoError(t, err)
	_, err = verifier(t, second).Verify(t.Context(), token)
	require.NoError(t, err)

	other, err := devtoken.Open(t.TempDir(), at)
	require.NoError(t, err)
	_, err = verifier(t, other).Verify(t.Context(), token)
	require.ErrorIs(t, err, oidc.ErrToken, "another server's tokens are none of ours")
}

func TestKeyFilesThatAreRefused(t *testing.T) {
	t.Parallel()
	write := func(b []byte, mode os.FileMode) string {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "issuer.pem"), b, 0o600))
		require.NoError(t, os.Chmod(filepath.Join(dir, "issuer.pem"), mode))
		return dir
	}
	link := t.TempDir()
	require.NoError(t, os.Symlink(filepath.Join(keyDir(t), "issuer.pem"), filepath.Join(link, "issuer.pem")))
	for name, dir := range map[string]string{
		"readable by others": write(sharedKey(), 0o644),
		"of a group":         write(sharedKey(), 0o660),
		"empty":              write(nil, 0o600),
		"half":               write(sharedKey()[:500], 0o600),
		"two":                write(append(append([]byte{}, sharedKey()...), sharedKey()...), 0o600),
		"no key":             write([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), 0o600),
		"a link":             link,
	} {
		before, err := os.ReadFile(filepath.Join(dir, "issuer.pem"))
		require.NoError(t, err)
		_, err = devtoken.Open(dir, at)
		require.ErrorIs(t, err, devtoken.ErrKey, name)
		after, err := os.ReadFile(filepath.Join(dir, "issuer.pem"))
		require.NoError(t, err)
		require.Equal(t, before, after, "%s: nothing is repaired", name)
	}
	_, err := devtoken.Open(filepath.Join(t.TempDir(), "nowhere"), at)
	require.ErrorIs(t, err, os.ErrNotExist)
	for _, bad := range []string{"", "/issuer", at + "/", at + "?x=1", at + "#x"} {
		_, err := devtoken.Open(keyDir(t), bad)
		require.Error(t, err, bad)
	}
}

func post(h http.Handler, contentType, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/api/dev/token", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestTokenHandler(t *testing.T) {
	t.Parallel()
	i := open(t)
	h, v := devtoken.Handler(i), verifier(t, i)
	for body, tenant := range map[string]scope.Level{
		`{"tenant":"acme","user":"u1"}`:                 scope.None,
		`{"tenant":"acme","user":"u1","roles":null}`:    scope.None,
		`{"tenant":"acme","user":"u1","roles":[]}`:      scope.None,
		`{"tenant":"acme","user":"u1","roles":["ops"]}`: scope.TenantLevel,
	} {
		began := time.Now().Truncate(time.Second)
		w := post(h, "application/json; charset=utf-8", body)
		require.Equal(t, http.StatusOK, w.Code, body)
		require.Equal(t, "application/json", w.Header().Get("Content-Type"))
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		var got map[string]string
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
		require.Len(t, got, 2)
		expires, err := time.Parse(time.RFC3339, got["expires_at"])
		require.NoError(t, err)
		require.WithinRange(t, expires, began.Add(time.Hour), time.Now().Add(time.Hour))
		id, err := v.Verify(t.Context(), got["token"])
		require.NoError(t, err)
		require.Equal(t, "u1", id.User.UserID())
		require.Equal(t, tenant, id.Tenant.Level())
	}
}

func TestTokenHandlerRefuses(t *testing.T) {
	t.Parallel()
	h := devtoken.Handler(open(t))
	detail := func(w *httptest.ResponseRecorder, status int) string {
		require.Equal(t, status, w.Code)
		require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
		require.NotContains(t, w.Body.String(), `"token"`)
		var p struct {
			Title, Detail string
			Status        int
		}
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
		require.Equal(t, status, p.Status)
		return p.Detail
	}
	for body, want := range map[string]string{
		``:                                 "The body is not valid JSON: unexpected end at byte 0.",
		`[]`:                               "The body is not a JSON object.",
		`{"tenant":"acme","user":"u1"`:     "The body is not valid JSON: unexpected end at byte 28.",
		`{"tenant":"acme","user":"u1"} {}`: "The body is more than one JSON value: more data follows at byte 30.",
		`{"tenant":"acme","tenant":"globex","user":"u1"}`: `The body is ambiguous: the name "tenant" appears twice in one object.`,
		`{"tenant":"acme","user":"u1","Roles":["ops"]}`:   `The body has the unknown field "Roles".`,
		`{"tenant":"acme","user":"u1","exp":1}`:           `The body has the unknown field "exp".`,
		`{"tenant":["acme"],"user":"u1"}`:                 `The field "tenant" has a value of the wrong type.`,
		`{"tenant":"acme","user":1}`:                      `The field "user" has a value of the wrong type.`,
		`{"tenant":"acme","user":"u1","roles":"ops"}`:     `The field "roles" has a value of the wrong type.`,
		`{"user":"u1"}`:                                        "The tenant id is empty.",
		`{"tenant":"acme"}`:                                    "The user id is empty.",
		`{"tenant":"a/b","user":"u1"}`:                         "The tenant id has a character other than letters, digits, _ and -.",
		`{"tenant":"acme","user":" u1"}`:                       "The user id has a character other than letters, digits, _ and -.",
		`{"tenant":"acme","user":"u1","roles":["root"]}`:       `The role "root" does not exist.`,
		`{"tenant":"acme","user":"u1","roles":[null]}`:         `The role "" does not exist.`,
		`{"tenant":"acme","user":"u1","roles":["ops","ops"]}`:  `The role "ops" is repeated.`,
		"{\"tenant\":\"acme\",\"user\":\"u1\",\"x\":\"\xff\"}": "The body is not valid UTF-8 at byte 34.",
	} {
		require.Equal(t, want, detail(post(h, "application/json", body), http.StatusBadRequest), body)
	}
	good := `{"tenant":"acme","user":"u1"}`
	for _, contentType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"} {
		detail(post(h, contentType, good), http.StatusUnsupportedMediaType)
	}
	detail(post(h, "application/json", good+strings.Repeat(" ", 5000)), http.StatusRequestEntityTooLarge)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/api/dev/token", strings.NewReader(good)))
		detail(w, http.StatusMethodNotAllowed)
		require.Equal(t, http.MethodPost, w.Header().Get("Allow"))
	}
}

func Example() {
	dir, err := os.MkdirTemp("", "bookshelf")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	i, err := devtoken.Open(dir, at)
	if err != nil {
		panic(err)
	}
	w := post(devtoken.Handler(i), "application/json", `{"tenant": "acme", "user": "u1", "roles": ["ops"]}`)
	fmt.Println(w.Code, strings.HasPrefix(w.Body.String(), `{"expires_at":"`))
	// Output: 200 true
}
