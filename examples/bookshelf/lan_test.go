package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/lan"
)

// A device of the network uploads a photo and follows its run, all at one origin.
func TestADeviceOfTheNetworkUsesTheBookshelf(t *testing.T) {
	t.Parallel()
	address := "127.0.0.1:0" // of which only the port counts
	if _, err := lan.Address("127.0.0.1", "0"); err != nil {
		others := lan.Others("")
		if len(others) == 0 {
			t.Skip("this machine does not have an address of a local network: ", err)
		}
		address, _, _ = strings.Cut(others[0], " ") // of a virtual network, which must be named
		address += ":0"
	}
	var terminal lockedBuffer
	a, err := start(t.Context(), config{
		addr: address, model: "m", landing: "carrel-landing", raw: "carrel-raw", table: "carrel", lan: true,
		terminal: &terminal, getenv: func(string) string { return "" }, log: slog.New(slog.DiscardHandler), pace: -1,
	})
	require.NoError(t, err)
	s := &shelf{t: t, app: a, url: a.url}
	t.Cleanup(s.stop)
	require.NotContains(t, a.url, "127.0.0.1")
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	client := &http.Client{Jar: jar, Transport: &http.Transport{Proxy: nil}}
	send := func(method, target string, headers map[string]string, body []byte) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), method, target, bytes.NewReader(body))
		require.NoError(t, err)
		for name, value := range headers {
			req.Header.Set(name, value)
		}
		res, err := client.Do(req)
		require.NoError(t, err)
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res.StatusCode, string(b)
	}
	for _, path := range []string{"/", "/api/ops/files", "/health", "/carrel-landing/x?X-Amz-Signature=x"} {
		status, _ := send(http.MethodGet, a.url+path, nil, nil)
		require.Equal(t, http.StatusForbidden, status, path)
	}
	code := regexp.MustCompile(`enter (\S{9})\.`).FindStringSubmatch(terminal.text())[1]
	status, page := send(http.MethodPost, a.url+"/code", map[string]string{
		"Content-Type": "application/x-www-form-urlencoded", "Origin": a.url,
	}, []byte(url.Values{"code": {code}}.Encode()))
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, "Bring a book to the desk")

	status, text := send(http.MethodGet, a.url+"/api/sign-in", nil, nil)
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `{"kind":"fixed","tenant":"demo","user":"anonymous"}`, text)
	for _, path := range []string{"/api/dev/token", "/issuer/.well-known/openid-configuration"} {
		status, _ = send(http.MethodGet, a.url+path, nil, nil)
		require.Equal(t, http.StatusNotFound, status, path)
	}

	_, photo := send(http.MethodGet, a.url+"/samples/moby-dick.png", nil, nil)
	status, text = send(http.MethodGet, a.url+"/api/upload/presigned?filename=cover.png&content_type=image/png", nil, nil)
	require.Equal(t, http.StatusOK, status, text)
	var grant struct {
		URL       string            `json:"url"`
		Headers   map[string]string `json:"headers"`
		SessionID string            `json:"session_id"`
	}
	require.NoError(t, json.Unmarshal([]byte(text), &grant))
	require.True(t, strings.HasPrefix(grant.URL, a.url+"/carrel-landing/"), grant.URL)
	tampered := strings.Replace(grant.URL, "cover.png", "other.png", 1)
	status, _ = send(http.MethodPut, tampered, grant.Headers, []byte(photo))
	require.Equal(t, http.StatusForbidden, status, "the storage checks the signature")
	status, text = send(http.MethodPut, grant.URL, grant.Headers, []byte(photo))
	require.Equal(t, http.StatusOK, status, text)
	status, text = send(http.MethodPost, a.url+"/api/metadata/extract",
		map[string]string{"Content-Type": "application/json", "Origin": a.url}, []byte(`{"session_id":"`+grant.SessionID+`"}`))
	require.Equal(t, http.StatusOK, status, text)
	require.Contains(t, text, `"complete"`)

	status, text = send(http.MethodGet, a.url+"/api/metadata/"+grant.SessionID, nil, nil)
	require.Equal(t, http.StatusOK, status)
	var draft struct {
		PhotoURL string `json:"photo_url"`
	}
	require.NoError(t, json.Unmarshal([]byte(text), &draft))
	require.True(t, strings.HasPrefix(draft.PhotoURL, a.url+"/carrel-landing/"), draft.PhotoURL)
	status, text = send(http.MethodGet, draft.PhotoURL, nil, nil)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, photo, text)

	client.Jar = nil
	status, _ = send(http.MethodGet, draft.PhotoURL, nil, nil)
	require.Equal(t, http.StatusForbidden, status, "a link to a photo is for devices that have been let in")
}
