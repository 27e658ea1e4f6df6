package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
)

// A process is killed at random moments of accepts. Afterwards, a book is on the shelf exactly if its record has
// succeeded, and the same accept can be repeated in either case.
func TestAcceptsSurviveKills(t *testing.T) {
	t.Parallel()
	kills := 8
	if testing.Short() {
		kills = 3
	}
	dir := t.TempDir()
	s, kill := child(t, dir, nil)
	photo := drawn(t, cover.Samples()[0], nil)
	var ids []string
	for range kills {
		id := s.upload("cover.png", "image/png", photo)
		ids = append([]string{id}, ids...)
		s.follow(s.begin(id), "", nil)
	}
	succeeded := 0
	for _, id := range ids {
		body := fmt.Sprintf(`{"session_id":%q,"metadata":{"title":"Emma"}}`, id)
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			if res, err := s.send("POST", "/api/metadata/accept", body); err == nil {
				_ = res.Body.Close()
			}
		}()
		time.Sleep(rand.N(25 * time.Millisecond))
		kill(syscall.SIGKILL)
		<-sent
		s, kill = child(t, dir, nil)
		status, _ := s.json("GET", "/api/bookshelf/"+id, nil)
		if s.file(id)["current_status"] == "SUCCESS" {
			succeeded++
			require.Equal(t, http.StatusOK, status)
		} else {
			require.Equal(t, http.StatusNotFound, status)
		}
		require.Eventually(t, func() bool { // the lease of the killed accept may have to expire
			res, err := s.send("POST", "/api/metadata/accept", body)
			require.NoError(t, err)
			defer res.Body.Close()
			require.Contains(t, []int{http.StatusOK, http.StatusConflict}, res.StatusCode)
			return res.StatusCode == http.StatusOK
		}, 4*time.Minute, 100*time.Millisecond)
	}
	_, page := s.json("GET", "/api/bookshelf/catalogue", nil)
	var listed []string
	for _, b := range page["books"].([]any) {
		listed = append(listed, b.(map[string]any)["id"].(string))
	}
	require.Equal(t, ids, listed)
	t.Logf("%d of %d accepts had succeeded when the process was killed", succeeded, kills)
	kill(syscall.SIGTERM)
}
