package oidctest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/scope/oidc/oidctest"
)

const (
	verifierText = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // of RFC 7636, appendix B
	callback     = "http://localhost:3000/callback?page=1"
)

// browser follows no redirect by itself.
type browser struct {
	t      *testing.T
	issuer *oidctest.Issuer
	client *http.Client
	config map[string]any
}

func newBrowser(t *testing.T, i *oidctest.Issuer, c *http.Client) *browser {
	t.Helper()
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b := &browser{t: t, issuer: i, client: c}
	res, body := b.do(http.MethodGet, i.URL()+"/.well-known/openid-configuration", nil)
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.NoError(t, json.Unmarshal([]byte(body), &b.config))
	return b
}

func (b *browser) do(method, target string, form url.Values) (*http.Response, string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, target, strings.NewReader(form.Encode()))
	require.NoError(b.t, err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := b.client.Do(req)
	require.NoError(b.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	return res, string(body)
}

// authorizeURL is that of a valid request with these changes. An empty value leaves a parameter out.
func (b *browser) authorizeURL(changes map[string]string) string {
	sum := sha256.Sum256([]byte(verifierText))
	params := map[string]string{
		"client_id": b.issuer.ClientID(), "redirect_uri": callback, "response_type": "code", "scope": "openid profile",
		"state": "s&1", "nonce": "n1", "code_challenge": base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method": "S256",
	}
	maps.Copy(params, changes)
	q := url.Values{}
	for name, value := range params {
		if value != "" {
			q.Set(name, value)
		}
	}
	return b.config["authorization_endpoint"].(string) + "?" + q.Encode()
}

// signIn presses a user's button and returns the code.
func (b *browser) signIn(user string) string {
	b.t.Helper()
	res, _ := b.do(http.MethodPost, b.authorizeURL(nil), url.Values{"user": {user}})
	require.Equal(b.t, http.StatusSeeOther, res.StatusCode)
	target, err := url.Parse(res.Header.Get("Location"))
	require.NoError(b.t, err)
	q := target.Query()
	require.Equal(b.t, "s&1", q.Get("state"))
	require.Equal(b.t, "1", q.Get("page"), "the redirect URI keeps its query")
	return q.Get("code")
}

// token posts a form to the token endpoint, with these changes to that of a code.
func (b *browser) token(changes map[string]string) (int, map[string]any) {
	b.t.Helper()
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {b.issuer.ClientID()},
		"redirect_uri": {callback}, "code_verifier": {verifierText},
	}
	for name, value := range changes {
		form.Set(name, value)
	}
	res, body := b.do(http.MethodPost, b.config["token_endpoint"].(string), form)
	require.Equal(b.t, "no-store", res.Header.Get("Cache-Control"))
	require.Equal(b.t, "*", res.Header.Get("Access-Control-Allow-Origin"))
	var v map[string]any
	require.NoError(b.t, json.Unmarshal([]byte(body), &v))
	return res.StatusCode, v
}

func (b *browser) refresh(token any) (int, map[string]any) {
	b.t.Helper()
	return b.token(map[string]string{"grant_type": "refresh_token", "refresh_token": token.(string)})
}

func TestBrowserSignsInRefreshesAndSignsOut(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, oidctest.Options{Users: []oidctest.User{
		{Name: "Ann <acme>", Claims: map[string]any{"sub": "ann", "custom:tenant_id": "acme", "cognito:groups": []string{"ops"}}},
		{Name: "Eve", Claims: map[string]any{"sub": "eve", "custom:tenant_id": "globex"}},
	}})
	b := newBrowser(t, i, &http.Client{})
	res, page := b.do(http.MethodGet, b.authorizeURL(nil), nil)
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Contains(t, page, `<button name="user" value="Ann &lt;acme&gt;">`)
	require.Contains(t, page, `<button name="user" value="Eve">`)

	status, answer := b.token(map[string]string{"code": b.signIn("Ann <acme>")})
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "Bearer", answer["token_type"])
	require.EqualValues(t, 3600, answer["expires_in"])
	claims := jwt.MapClaims{}
	_, _, err := jwt.NewParser().ParseUnverified(answer["id_token"].(string), claims)
	require.NoError(t, err)
	require.Equal(t, "n1", claims["nonce"])
	for token, use := range map[any]oidc.TokenUse{answer["id_token"]: oidc.IDToken, answer["access_token"]: oidc.AccessToken} {
		v := verifier(t, i, oidc.Options{TokenUse: []oidc.TokenUse{use}, TenantGroups: []string{"ops"}})
		id, err := v.Verify(t.Context(), token.(string))
		require.NoError(t, err, use)
		require.Equal(t, "t#acme#u#ann", id.User.Partition())
		require.Equal(t, "t#acme", id.Tenant.Partition())
	}

	status, again := b.refresh(answer["refresh_token"])
	require.Equal(t, http.StatusOK, status)
	_, err = verifier(t, i, oidc.Options{}).Verify(t.Context(), again["id_token"].(string))
	require.NoError(t, err)
	status, refused := b.refresh(answer["refresh_token"])
	require.Equal(t, http.StatusBadRequest, status, "a refresh token is used once")
	require.Equal(t, "invalid_grant", refused["error"])

	_, eve := b.token(map[string]string{"code": b.signIn("Eve")})
	logout := b.config["end_session_endpoint"].(string) + "?"
	q := url.Values{"id_token_hint": {again["id_token"].(string)}, "post_logout_redirect_uri": {"http://localhost:3000/"}, "state": {"s2"}}
	res, _ = b.do(http.MethodGet, logout+q.Encode(), nil)
	require.Equal(t, "http://localhost:3000/?state=s2", res.Header.Get("Location"))
	status, _ = b.refresh(again["refresh_token"])
	require.Equal(t, http.StatusBadRequest, status, "Ann has signed out")
	status, _ = b.refresh(eve["refresh_token"])
	require.Equal(t, http.StatusOK, status, "Eve has not")
	q.Del("post_logout_redirect_uri")
	res, _ = b.do(http.MethodGet, logout+q.Encode(), nil)
	require.Equal(t, http.StatusOK, res.StatusCode)
	for name, value := range map[string]string{"id_token_hint": "x", "post_logout_redirect_uri": "https://evil.example/"} {
		bad := maps.Clone(q)
		bad.Set(name, value)
		res, _ := b.do(http.MethodGet, logout+bad.Encode(), nil)
		require.Equal(t, http.StatusBadRequest, res.StatusCode, name)
	}
}

func TestCodeServesOnceForItsRedirectAndVerifier(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, oidctest.Options{URL: issuerURL})
	b := newBrowser(t, i, i.Client())
	for name, c := range map[string]struct {
		changes map[string]string
		want    string
	}{
		"another verifier":     {map[string]string{"code_verifier": strings.Repeat("x", 43)}, "invalid_grant"},
		"no verifier":          {map[string]string{"code_verifier": ""}, "invalid_grant"},
		"another redirect URI": {map[string]string{"redirect_uri": "http://localhost:3000/"}, "invalid_grant"},
		"another code":         {map[string]string{"code": "x"}, "invalid_grant"},
		"as a refresh token":   {map[string]string{"grant_type": "refresh_token"}, "invalid_grant"},
		"another client":       {map[string]string{"client_id": "other"}, "invalid_client"},
		"another grant type":   {map[string]string{"grant_type": "password"}, "unsupported_grant_type"},
		"an oversized form":    {map[string]string{"more": strings.Repeat("x", 17<<10)}, "invalid_request"},
	} {
		changes := map[string]string{"code": b.signIn("ann")}
		maps.Copy(changes, c.changes)
		status, answer := b.token(changes)
		require.Equal(t, http.StatusBadRequest, status, name)
		require.Equal(t, c.want, answer["error"], name)
	}
	code := map[string]string{"code": b.signIn("ann")}
	status, _ := b.token(code)
	require.Equal(t, http.StatusOK, status)
	status, _ = b.token(code)
	require.Equal(t, http.StatusBadRequest, status)
}

func TestCodesAndRefreshTokensExpire(t *testing.T) {
	t.Parallel()
	keyA()
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t, oidctest.Options{URL: issuerURL})
		b := newBrowser(t, i, i.Client())
		code := map[string]string{"code": b.signIn("ann")}
		time.Sleep(time.Minute)
		status, _ := b.token(code)
		require.Equal(t, http.StatusBadRequest, status)
		_, answer := b.token(map[string]string{"code": b.signIn("ann")})
		time.Sleep(24 * time.Hour)
		status, _ = b.refresh(answer["refresh_token"])
		require.Equal(t, http.StatusBadRequest, status)
	})
}

func TestInvalidAuthorizationRequestsAreRejected(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, oidctest.Options{URL: issuerURL})
	b := newBrowser(t, i, i.Client())
	for name, changes := range map[string]map[string]string{ // answered by the issuer
		"another client":        {"client_id": "other"},
		"no redirect URI":       {"redirect_uri": ""},
		"a redirect elsewhere":  {"redirect_uri": "https://evil.example/"},
		"a loopback look-alike": {"redirect_uri": "http://localhost.evil.example/"},
		"a user in it":          {"redirect_uri": "http://127.0.0.1@evil.example/"},
		"a fragment":            {"redirect_uri": "http://localhost:3000/#x"},
		"another scheme":        {"redirect_uri": "javascript://localhost/%0aalert(1)"},
		"an oversized query":    {"state": strings.Repeat("x", 5000)},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			res, _ := b.do(method, b.authorizeURL(changes), url.Values{"user": {"ann"}})
			require.Equal(t, http.StatusBadRequest, res.StatusCode, name)
			require.Empty(t, res.Header.Get("Location"), name)
		}
	}
	res, _ := b.do(http.MethodGet, b.authorizeURL(nil)+"&state=2", nil)
	require.Equal(t, http.StatusBadRequest, res.StatusCode, "a parameter twice")
	res, _ = b.do(http.MethodPost, b.authorizeURL(nil), url.Values{"user": {"mallory"}})
	require.Equal(t, http.StatusBadRequest, res.StatusCode, "an unknown user")

	for want, changes := range map[string]map[string]string{ // answered at the redirect URI
		"unsupported_response_type": {"response_type": "token"},
		"invalid_scope":             {"scope": "profile"},
		"invalid_request":           {"code_challenge_method": "plain"},
		"login_required":            {"prompt": "none"},
	} {
		res, _ := b.do(http.MethodGet, b.authorizeURL(changes), nil)
		target, err := url.Parse(res.Header.Get("Location"))
		require.NoError(t, err)
		require.Equal(t, want, target.Query().Get("error"))
		require.Equal(t, "s&1", target.Query().Get("state"))
		require.Empty(t, target.Query().Get("code"))
	}
	for _, challenge := range []string{"", "x", strings.Repeat("*", 43)} {
		res, _ := b.do(http.MethodGet, b.authorizeURL(map[string]string{"code_challenge": challenge}), nil)
		require.Contains(t, res.Header.Get("Location"), "error=invalid_request")
	}
}

func TestOtherSitesCannotPressAButton(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, oidctest.Options{URL: issuerURL})
	b := newBrowser(t, i, i.Client())
	req, err := http.NewRequest(http.MethodPost, b.authorizeURL(nil), strings.NewReader("user=ann"))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	res, err := b.client.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusForbidden, res.StatusCode)
}
