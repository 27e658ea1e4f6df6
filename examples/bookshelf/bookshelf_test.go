package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
)

func TestAPhotoBecomesMetadataAndStays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, media string
		o           *cover.Options
	}{
		{"cover.png", "image/png", nil},
		{"Ein Buch – 1.jpg", "image/jpeg", &cover.Options{Format: cover.JPEG}},
	} {
		t.Run(c.media, func(t *testing.T) {
			s := open(t, t.TempDir(), nil)
			sample := cover.Samples()[0]
			session := s.upload(c.file, c.media, drawn(t, sample, c.o))
			events, text := s.extract(session, "")
			kinds := map[any]int{}
			for _, e := range events {
				kinds[e["type"]]++
			}
			for _, kind := range []string{"text_delta", "tool_call", "tool_result", "metadata_update"} {
				require.Positive(t, kinds[kind], kind)
			}
			require.Contains(t, text, "a program")
			require.Equal(t, "complete", last(events)["type"])
			meta := last(events)["metadata"].(map[string]any)
			require.Equal(t, sample.ISBN, meta["isbn"])
			require.Equal(t, sample.Title, meta["title"])
			require.Equal(t, sample.Author, meta["author"])

			events, _ = s.extract(session, "the author is J. Austen")
			meta = last(events)["metadata"].(map[string]any)
			require.Equal(t, "J. Austen", meta["author"])

			status, accepted := s.json("POST", "/api/metadata/accept", map[string]any{"session_id": session, "metadata": meta})
			require.Equal(t, http.StatusOK, status, accepted)
			key := "tenant=demo/user=anonymous/uploads/" + session + "/metadata.json"
			require.Equal(t, key, accepted["saved_key"])

			s.stop() // a restart
			s.start()
			file := s.file(session)
			require.Equal(t, "SUCCESS", file["current_status"])
			for _, name := range []string{"user_upload", "enrichment"} {
				require.Equal(t, "success", stage(file, name)["status"])
				require.Greater(t, stage(file, name)["processing_time"], 0.0)
			}
			stored, err := os.ReadFile(filepath.Join(s.dir, "s3", "carrel-raw", key))
			require.NoError(t, err)
			var saved map[string]any
			require.NoError(t, json.Unmarshal(stored, &saved))
			require.Equal(t, meta, saved)
			_, counts := s.json("GET", "/api/ops/counts", nil)
			require.Equal(t, map[string]any{"all": 1.0, "active": 0.0, "waiting": 0.0, "failed": 0.0, "success": 1.0, "capped": false}, counts)
			status, _ = s.json("POST", "/api/metadata/accept", map[string]any{"session_id": session, "metadata": meta})
			require.Equal(t, http.StatusOK, status, "the same again")
		})
	}
}

func TestABookThatNobodyKnows(t *testing.T) {
	t.Parallel()
	s := open(t, "", nil)
	unknown := cover.Samples()[2]
	session := s.upload("cover.png", "image/png", drawn(t, unknown, nil))
	events, text := s.extract(session, "")
	require.Equal(t, "complete", last(events)["type"])
	require.Equal(t, unknown.ISBN, last(events)["metadata"].(map[string]any)["isbn"])
	require.Contains(t, text, "catalogue", "it says what it could not find")
}

func TestNoImageFailsForGood(t *testing.T) {
	t.Parallel()
	s := open(t, "", nil)
	whole := drawn(t, cover.Samples()[0], nil)
	for name, content := range map[string][]byte{"no image": []byte("hello"), "half an image": whole[:len(whole)/2]} {
		session := s.upload("cover.png", "image/png", content)
		events, _ := s.extract(session, "")
		require.Equal(t, "error", last(events)["type"], name)
		file := s.file(session)
		require.Equal(t, "FAILED", file["current_status"])
		require.Equal(t, "failed", stage(file, "enrichment")["status"])
		require.Equal(t, last(events)["message"], stage(file, "enrichment")["error_message"])
		status, _ := s.json("POST", "/api/metadata/extract", map[string]any{"session_id": session})
		require.Equal(t, http.StatusConflict, status)
	}
	status, _ := s.do("GET", s.url+"/health", "", nil, nil)
	require.Equal(t, http.StatusOK, status, "and the server goes on")
}

func TestThePageMayUpload(t *testing.T) {
	t.Parallel()
	s := open(t, "", nil)
	_, grant := s.json("GET", "/api/upload/presigned?filename=cover.png", nil)
	preflight := func(origin string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, grant["url"].(string), nil)
		require.NoError(t, err)
		req.Header.Set("Origin", origin)
		req.Header.Set("Access-Control-Request-Method", "PUT")
		req.Header.Set("Access-Control-Request-Headers", "content-type,if-none-match")
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		res.Body.Close()
		return res
	}
	require.Equal(t, s.url, preflight(s.url).Header.Get("Access-Control-Allow-Origin"))
	require.Empty(t, preflight("http://evil.example").Header.Get("Access-Control-Allow-Origin"))
	for _, path := range []string{"/", "/ops"} {
		status, page := s.do("GET", s.url+path, "", nil, nil)
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, page, "<!doctype html>")
	}
}
