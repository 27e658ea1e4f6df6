package server_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The check before a run and all of the run's tools share one decoding, and so do later runs: the file is read twice,
// once for its header.
func TestOneDecodingARun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.uploaded(picture(t))
	for _, run := range []string{"a", "b"} {
		w.model.then(call(run+"1", "scan_barcode", `{}`), call(run+"2", "scan_barcode", `{}`), say("done"))
		require.Equal(t, "complete", w.extract(id).last(t)["type"])
	}
	require.Equal(t, 1, w.opened.opens, "a small photo is read once for its header and its pixels")
}
