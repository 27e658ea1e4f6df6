package main

import (
	"bytes"
	"net/http"
	"net/url"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
)

// A person's edits and the photo are there after the server was killed, and the agent does not overwrite the edits.
func TestADraftSurvivesAKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, kill := child(t, dir, nil)
	photo := drawn(t, cover.Samples()[0], nil)
	session := s.upload("cover.png", "image/png", photo)
	events, _ := s.extract(session, "")
	card := last(events)["metadata"].(map[string]any)
	card["title"], card["confidence"] = "Pride and Prejudice, my copy", ""
	status, saved := s.json("PUT", "/api/metadata/"+session+"/draft", map[string]any{
		"metadata": card, "version": s.draft(session)["version"],
	})
	require.Equal(t, http.StatusOK, status, saved)
	kill(syscall.SIGKILL)

	s, kill = child(t, dir, nil)
	d := s.draft(session)
	require.Equal(t, saved["metadata"], d["metadata"])
	require.Equal(t, saved["version"], d["version"])
	sources := d["sources"].(map[string]any)
	require.Equal(t, []any{"typed", "typed", "found"}, []any{sources["title"], sources["confidence"], sources["author"]})

	res, err := http.Get(d["photo_url"].(string))
	require.NoError(t, err)
	defer res.Body.Close()
	var got bytes.Buffer
	_, err = got.ReadFrom(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, photo, got.Bytes())
	page, err := http.Get(s.url)
	require.NoError(t, err)
	page.Body.Close()
	origin, err := url.Parse(d["photo_url"].(string))
	require.NoError(t, err)
	require.Contains(t, page.Header.Get("Content-Security-Policy"), "img-src 'self' blob: "+origin.Scheme+"://"+origin.Host+";")

	events, text := s.extract(session, "read the cover again")
	require.Contains(t, text, "I have left the title and the confidence as you typed it.")
	require.Equal(t, "Pride and Prejudice, my copy", last(events)["metadata"].(map[string]any)["title"])
	events, _ = s.extract(session, "the title is Pride & Prejudice")
	require.Equal(t, "Pride & Prejudice", last(events)["metadata"].(map[string]any)["title"])
	require.Equal(t, "told", s.draft(session)["sources"].(map[string]any)["title"])
	kill(syscall.SIGTERM)
}

// draft returns the draft of an upload.
func (s *shelf) draft(session string) map[string]any {
	s.t.Helper()
	status, d := s.json("GET", "/api/metadata/"+session, nil)
	require.Equal(s.t, http.StatusOK, status, d)
	return d
}
