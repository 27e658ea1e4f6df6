package main

import (
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// With -sign-in, the program's own issuer signs people in on its page, and everybody else is rejected.
func TestPeopleSignInAtTheEmbeddedIssuer(t *testing.T) {
	t.Parallel()
	s, _ := impatient(t, t.TempDir(), func(c *config) { c.signIn = true })
	status, _ := s.do("GET", s.url+"/api/ops/files", "", nil, nil)
	require.Equal(t, http.StatusUnauthorized, status, "nobody is anonymous")
	status, _ = s.do("POST", s.url+"/api/dev/token", "application/json", []byte(`{"tenant":"acme","user":"ann"}`), nil)
	require.Equal(t, http.StatusUnauthorized, status, "nobody gets a token without a sign-in")

	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	client := &http.Client{Jar: jar}
	post := func(target, media, body string) (int, map[string]any) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", media)
		req.Header.Set("Origin", s.url)
		res, err := client.Do(req)
		require.NoError(t, err)
		defer res.Body.Close()
		var v map[string]any
		_ = json.NewDecoder(res.Body).Decode(&v) // a page is not JSON
		return res.StatusCode, v
	}
	status, v := post(s.url+"/sign-in/start", "application/json", `{"return":"/ops"}`)
	require.Equal(t, http.StatusOK, status, v)
	status, _ = post(v["url"].(string), "application/x-www-form-urlencoded", url.Values{"user": {"acme/oda"}}.Encode())
	require.Equal(t, http.StatusOK, status, "the redirects end at the page where it began")
	status, v = post(s.url+"/api/sign-in/token", "application/json", "{}")
	require.Equal(t, http.StatusOK, status, v)
	require.Equal(t, []any{"ops"}, v["roles"])
	who := map[string]string{"Authorization": "Bearer " + v["token"].(string)}
	status, _ = s.do("GET", s.url+"/api/ops/files", "", nil, who)
	require.Equal(t, http.StatusOK, status)

	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/api/sign-in/token", nil)
	require.NoError(t, err)
	req.Header.Set("Origin", "https://elsewhere.example")
	res, err := client.Do(req)
	require.NoError(t, err)
	res.Body.Close()
	require.Equal(t, http.StatusForbidden, res.StatusCode, "a page of another site does not get the token")
}
