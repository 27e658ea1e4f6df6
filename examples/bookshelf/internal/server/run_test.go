package server_test

import (
	"bytes"
	"io"
	"log/slog"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/server"
)

// The second extract reads the record before the first one takes the stage, and takes it after the first has failed.
func TestExtractsOfOneUploadHaveDifferentRunIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var log bytes.Buffer
	w.options.Log = slog.New(slog.NewTextHandler(io.MultiWriter(&log, t.Output()), nil))
	w.srv = server.New(w.options)
	defer w.srv.Close(t.Context())
	id := w.uploaded(picture(t))
	w.model.then(fail(throttled), fail(throttled))
	first := func() { require.Equal(t, "throttled", w.extract(id).last(t)["code"]) }
	w.rows.onPut.Store(&first)
	require.Equal(t, "throttled", w.extract(id).last(t)["code"])
	runs := regexp.MustCompile(`msg="run failed" run=(\S+)`).FindAllStringSubmatch(log.String(), -1)
	require.Len(t, runs, 2)
	require.Equal(t, id+".1", runs[0][1])
	require.Equal(t, id+".2", runs[1][1])
}
