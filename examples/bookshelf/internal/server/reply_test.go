package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/sse"
)

type reply struct {
	Status int
	Header http.Header
	Body   string
}

func (r reply) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(r.Body), &v), r.Body)
	return v
}

// events are the data of a stream's events.
func (r reply) events(t *testing.T) (events []map[string]any) {
	t.Helper()
	require.Equal(t, http.StatusOK, r.Status, r.Body)
	for _, block := range strings.Split(r.Body, "\n\n") {
		for _, line := range strings.Split(block, "\n") {
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				var v map[string]any
				require.NoError(t, json.Unmarshal([]byte(data), &v))
				events = append(events, v)
			}
		}
	}
	return events
}

// frames are the blocks of a stream without its comments, which keep the connection of a slow run alive.
func (r reply) frames(t *testing.T) (frames []string) {
	t.Helper()
	require.Equal(t, http.StatusOK, r.Status, r.Body)
	for _, block := range strings.Split(r.Body, "\n\n") {
		if !strings.HasPrefix(block, ":") {
			frames = append(frames, block)
		}
	}
	return frames
}

// ids are the ids of a stream's events.
func (r reply) ids(t *testing.T) (ids []string) {
	t.Helper()
	for e, err := range sse.Decode(strings.NewReader(r.Body), 0) {
		require.NoError(t, err)
		ids = append(ids, e.ID)
	}
	return ids
}

func (r reply) last(t *testing.T) map[string]any {
	t.Helper()
	events := r.events(t)
	require.NotEmpty(t, events)
	return events[len(events)-1]
}
