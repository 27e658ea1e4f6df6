package aisdk_test

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent/aisdk"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
)

// unfinished is a chat whose log ends without a last event, or waits.
type unfinished struct{ aisdk.Chat }

func (unfinished) Runs(context.Context) ([]string, error) { return []string{"s.1"}, nil }

func (unfinished) Follow(ctx context.Context, run, _ string, d replay.Dialect) iter.Seq2[[]sse.Event, error] {
	return func(yield func([]sse.Event, error) bool) {
		first := replay.Event{ID: "000000000001.0000", Data: json.RawMessage(`{"type":"run_started","run":"s.1"}`)}
		frames, err := d.New()(first)
		if !yield(frames, err) || run == "ends" {
			return
		}
		<-ctx.Done()
		yield(nil, context.Cause(ctx))
	}
}

// A clean end would tell the client that the message is complete.
func TestAStreamThatCannotFinishIsBroken(t *testing.T) {
	t.Parallel()
	for _, ends := range []bool{true, false} {
		drain, drained := context.WithCancel(t.Context())
		h, err := aisdk.New(func(*http.Request, string) (aisdk.Chat, error) {
			if ends {
				return ended{}, nil
			}
			return unfinished{}, nil
		}, &aisdk.Options{Stream: sse.Options{Drain: drain}})
		require.NoError(t, err)
		mux := http.NewServeMux()
		mux.Handle("GET /chat/{id}/stream", h)
		srv := httptest.NewServer(mux)
		res, err := http.Get(srv.URL + "/chat/c/stream")
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, res.StatusCode)
		drained()
		_, err = io.ReadAll(res.Body)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.NoError(t, res.Body.Close())
		srv.Close()
	}
}

type ended struct{ unfinished }

func (e ended) Follow(ctx context.Context, _, after string, d replay.Dialect) iter.Seq2[[]sse.Event, error] {
	return e.unfinished.Follow(ctx, "ends", after, d)
}
