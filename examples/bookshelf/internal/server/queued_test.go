package server_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/stretchr/testify/require"
)

// watched is a response that closes seen when its body contains the text.
type watched struct {
	*httptest.ResponseRecorder
	text string
	seen chan struct{}
	once sync.Once
}

func (w *watched) Write(b []byte) (int, error) {
	n, err := w.ResponseRecorder.Write(b)
	if strings.Contains(w.Body.String(), w.text) {
		w.once.Do(func() { close(w.seen) })
	}
	return n, err
}

// queue sends a request that starts a run, and returns when the run waits in the queue. The channel receives the whole
// response.
func (w *world) queue(target string, body map[string]any) <-chan reply {
	w.t.Helper()
	b, err := json.Marshal(body)
	require.NoError(w.t, err)
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, "http://localhost"+target, strings.NewReader(string(b)))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", w.as)
	res := &watched{ResponseRecorder: httptest.NewRecorder(), text: `"run_queued"`, seen: make(chan struct{})}
	whole := make(chan reply, 1)
	go func() {
		w.srv.ServeHTTP(res, r)
		whole <- reply{res.Code, res.Header(), res.Body.String()}
	}()
	select {
	case <-res.seen:
	case early := <-whole:
		w.t.Fatalf("the run does not wait: %d %s", early.Status, early.Body)
	}
	return whole
}
