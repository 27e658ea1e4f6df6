package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/httpapi"
)

// serve returns the response of a handler.
func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestAProblemHasItsMembersAndHeaders(t *testing.T) {
	t.Parallel()
	p := &httpapi.Problem{
		Status: http.StatusConflict, Code: "running", Detail: "A run is in flight.", RetryAfter: 1100 * time.Millisecond,
		Members: map[string]any{"run": "r.1"},
	}
	located := p.WithHeader("Location", "/runs/r.1")
	require.Nil(t, p.Header, "the copy has the header")
	w := httptest.NewRecorder()
	located.Write(w)
	require.Equal(t, http.StatusConflict, w.Code)
	require.JSONEq(t, `{"type":"about:blank","title":"Conflict","status":409,"code":"running",
		"detail":"A run is in flight.","run":"r.1"}`, w.Body.String())
	for name, want := range map[string]string{
		"Location": "/runs/r.1", "Retry-After": "2", "Content-Type": "application/problem+json", "Cache-Control": "no-store",
		"X-Content-Type-Options": "nosniff",
	} {
		assert.Equal(t, want, w.Header().Get(name), name)
	}
}

func TestAnEndpointShowsProblemsAndHidesOtherErrors(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	answer := func(err error, describe func(error) *httpapi.Problem) *httptest.ResponseRecorder {
		log.Reset()
		return serve(&httpapi.Endpoint{
			Answer: func(http.ResponseWriter, *http.Request) error { return err }, Describe: describe,
			Log: slog.New(slog.NewTextHandler(&log, nil)),
		}, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/a", nil))
	}
	secret := errors.New("the secret cause")

	w := answer(fmt.Errorf("wrapped: %w", httpapi.NewProblem(http.StatusTeapot, "Short and stout.")), nil)
	assert.Equal(t, http.StatusTeapot, w.Code)
	assert.Contains(t, w.Body.String(), "Short and stout.")
	assert.NotContains(t, w.Body.String(), "wrapped")
	assert.Empty(t, log.String())

	w = answer(secret, nil)
	assert.Equal(t, http.StatusInternalServerError, w.Code)
	assert.NotContains(t, w.Body.String(), "secret")
	assert.Contains(t, log.String(), "level=ERROR")
	assert.Contains(t, log.String(), "the secret cause")

	for status, level := range map[int]string{http.StatusServiceUnavailable: "level=WARN", http.StatusConflict: ""} {
		w = answer(secret, func(err error) *httpapi.Problem {
			assert.Equal(t, secret, err)
			return httpapi.NewProblem(status, "Not now.")
		})
		assert.Equal(t, status, w.Code)
		assert.Contains(t, log.String(), level)
		assert.Equal(t, level == "", log.Len() == 0)
	}
}

func TestAnEndpointTakesItsMethodsOnly(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]int{"GET": 200, "PUT": 200, "HEAD": 405, "POST": 405, "get": 405} {
		r := httptest.NewRequestWithContext(t.Context(), method, "/a", nil)
		ok := func(http.ResponseWriter, *http.Request) error { return nil }
		w := serve(&httpapi.Endpoint{Methods: []string{http.MethodGet, http.MethodPut}, Answer: ok}, r)
		assert.Equal(t, want, w.Code, method)
		if want != http.StatusOK {
			assert.Equal(t, "GET, PUT", w.Header().Get("Allow"))
		}
		assert.Equal(t, http.StatusOK, serve(&httpapi.Endpoint{Answer: ok}, r).Code, "every method")
	}
}

// An empty 200 would look like success.
func TestAnEndpointAbortsIfTheClientHasGone(t *testing.T) {
	t.Parallel()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tc := range map[string]struct {
		ctx context.Context
		err error
	}{
		"its request has ended":      {gone, errors.New("canceled")},
		"its response was not taken": {t.Context(), fmt.Errorf("write: %w", http.ErrAbortHandler)},
	} {
		e := &httpapi.Endpoint{Answer: func(http.ResponseWriter, *http.Request) error { return tc.err }}
		r := httptest.NewRequestWithContext(tc.ctx, http.MethodGet, "/a", nil)
		assert.PanicsWithValue(t, http.ErrAbortHandler, func() { serve(e, r) }, name)
	}
	e := &httpapi.Endpoint{Answer: func(http.ResponseWriter, *http.Request) error {
		return httpapi.NewProblem(http.StatusBadRequest, "Half a request.")
	}}
	w := serve(e, httptest.NewRequestWithContext(gone, http.MethodGet, "/a", nil))
	assert.Equal(t, http.StatusBadRequest, w.Code, "the client may have sent half of its request and still read")
}

func TestAGuardRejectsForeignNames(t *testing.T) {
	t.Parallel()
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for _, tc := range []struct {
		guard *httpapi.Guard
		hosts map[string]int
	}{
		{&httpapi.Guard{Next: next}, map[string]int{
			"localhost:1": 200, "127.0.0.1": 200, "[::1]:1": 200, "[::1]": 200, "::1": 200,
			"": 421, "localhost.": 421, "[localhost]": 421, "a.test": 421, "localhost.a.test": 421, "127.0.0.1.a.test:1": 421,
		}},
		{&httpapi.Guard{Next: next, Hosts: []string{"a.test"}}, map[string]int{"a.test": 200, "a.test:1": 200, "localhost": 421}},
		{&httpapi.Guard{Next: next, AnyHost: true}, map[string]int{"a.test": 200, "": 200}},
	} {
		for host, want := range tc.hosts {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.Host = host
			assert.Equal(t, want, serve(tc.guard, r).Code, "%q with %v", host, tc.guard.Hosts)
		}
	}
}

func TestAGuardRejectsPagesOfOtherSites(t *testing.T) {
	t.Parallel()
	guard := &httpapi.Guard{Next: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		assert.NotEqual(t, "/never", r.URL.Path)
	}), AnyHost: true, Protected: "/api/"}
	for _, tc := range []struct {
		method, path, site string
		want               int
	}{
		{"POST", "/never", "cross-site", 403},
		{"GET", "/", "cross-site", 200}, // a link
		{"GET", "/api/a", "cross-site", 403},
		{"HEAD", "/api/a", "same-site", 403},
		{"GET", "/api/a", "same-origin", 200},
		{"GET", "/api/a", "none", 200},
		{"GET", "/api/a", "", 200}, // not a browser
		{"OPTIONS", "/api/a", "cross-site", 200},
	} {
		r := httptest.NewRequestWithContext(t.Context(), tc.method, tc.path, nil)
		r.Header.Set("Sec-Fetch-Site", tc.site)
		w := serve(guard, r)
		assert.Equal(t, tc.want, w.Code, tc)
		assert.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	}
}

func TestBodiesAreStrict(t *testing.T) {
	t.Parallel()
	const media = "application/json"
	for _, tc := range []struct {
		media, body string
		want        int
	}{
		{media, `{"name":"a","n":2}`, 0},
		{media + `; charset="UTF-8"`, `{"name":"a","n":null}`, 0},
		{media, `{}`, 0},
		{"", `{}`, 415},
		{"text/plain", `{}`, 415},
		{media + "; charset=latin1", `{}`, 415},
		{media, `{"name":"` + strings.Repeat("a", 100) + `"}`, 413},
		{media, `[]`, 400},
		{media, `{"name":"a"}{}`, 400},
		{media, `{"name":"a","name":"b"}`, 400},
		{media, `{"Name":"a"}`, 400},
		{media, `{"n":"2"}`, 400},
		{media, "{\"name\":\"\xff\"}", 400},
		{media, ``, 400},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(tc.body))
		r.Header.Set("Content-Type", tc.media)
		name, n := "", 1
		err := httpapi.ReadFields(httptest.NewRecorder(), r, 100, map[string]any{"name": &name, "n": &n})
		if tc.want == 0 {
			require.NoError(t, err, tc.body)
			continue
		}
		p, ok := errors.AsType[*httpapi.Problem](err)
		require.True(t, ok, tc.body)
		assert.Equal(t, tc.want, p.Status, tc.body)
		assert.NotEmpty(t, p.Detail)
	}
	for name, r := range map[string]*http.Request{
		"encoded":    httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("{}")),
		"incomplete": httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", iotest.ErrReader(errors.New("reset"))),
	} {
		r.Header.Set("Content-Type", media)
		if name == "encoded" {
			r.Header.Set("Content-Encoding", "gzip")
		}
		_, err := httpapi.ReadBody(httptest.NewRecorder(), r, 100)
		p, ok := errors.AsType[*httpapi.Problem](err)
		require.True(t, ok, name)
		assert.Contains(t, p.Detail, name)
	}
}

func TestIdempotencyKeysArePrintable(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		keys  []string
		valid bool
	}{
		{nil, true},
		{[]string{"a-1"}, true},
		{[]string{strings.Repeat("k", 256)}, true},
		{[]string{strings.Repeat("k", 257)}, false},
		{[]string{""}, false},
		{[]string{"a b"}, false},
		{[]string{"ä"}, false},
		{[]string{"a", "a"}, false},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		r.Header["Idempotency-Key"] = tc.keys
		key, err := httpapi.IdempotencyKey(r)
		assert.Equal(t, tc.valid, err == nil, "%q", tc.keys)
		if tc.valid && len(tc.keys) > 0 {
			assert.Equal(t, tc.keys[0], key)
		}
	}
}

type brokenWriter struct{ *httptest.ResponseRecorder }

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("reset") }

func TestWriteJSONTellsWhetherAResponseIsPossible(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	require.Error(t, httpapi.WriteJSON(w, func() {}))
	require.Empty(t, slices.Collect(maps.Keys(w.Header())), "another response is possible")
	require.NoError(t, httpapi.WriteJSON(w, json.RawMessage(`{"url":"/?a=1&b=2"}`)))
	require.Equal(t, `{"url":"/?a=1&b=2"}`+"\n", w.Body.String())
	require.ErrorIs(t, httpapi.WriteJSON(brokenWriter{httptest.NewRecorder()}, 1), http.ErrAbortHandler)
}
