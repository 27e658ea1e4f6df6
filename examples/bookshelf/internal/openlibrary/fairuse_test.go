package openlibrary_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
)

const absent = "9781234567897"

// ask looks an ISBN up that the stub does not have: one request.
func (b *stub) ask(ctx context.Context, s scope.Scope) error {
	_, _, err := b.client.ByISBN(ctx, s, absent)
	return err
}

func (b *stub) answerAll(t *testing.T, code int, header ...string) {
	t.Helper()
	b.handle("/isbn/"+absent+".json", func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	})
}

func TestRequestsAreLimitedToTwoASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newStub(t)
		began := time.Now()
		for range 12 {
			require.NoError(t, b.ask(t.Context(), b.tenant))
		}
		require.Equal(t, 5*time.Second, time.Since(began), "the first two are at once")
	})
}

// However much one tenant looks up, another waits for a few requests only.
func TestTenantsTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newStub(t)
		var inFlight, most, done atomic.Int64
		b.handle("/isbn/"+absent+".json", func(w http.ResponseWriter, _ *http.Request) {
			most.Store(max(most.Load(), inFlight.Add(1)))
			time.Sleep(3 * time.Second)
			inFlight.Add(-1)
			w.WriteHeader(http.StatusNotFound)
		})
		var all sync.WaitGroup
		for range 12 {
			all.Go(func() { require.NoError(t, b.ask(t.Context(), b.tenant)); done.Add(1) })
		}
		synctest.Wait()
		require.NoError(t, b.ask(t.Context(), must.Get(scope.Tenant("other"))))
		require.LessOrEqual(t, done.Load(), int64(4))
		all.Wait()
		require.LessOrEqual(t, most.Load(), int64(3))
	})
}

func TestAServiceThatIsDownIsLeftAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newStub(t)
		b.answerAll(t, http.StatusBadGateway)
		for range 3 {
			require.ErrorContains(t, b.ask(t.Context(), b.tenant), "status 502")
		}
		b.paths()
		require.ErrorContains(t, b.ask(t.Context(), b.tenant), "no request for another 30s")
		require.Empty(t, b.paths())
		time.Sleep(30 * time.Second)
		require.ErrorContains(t, b.ask(t.Context(), b.tenant), "status 502", "one attempt")
		require.ErrorContains(t, b.ask(t.Context(), b.tenant), "no request for another 30s")
		time.Sleep(30 * time.Second)
		b.answerAll(t, http.StatusNotFound)
		for range 3 {
			require.NoError(t, b.ask(t.Context(), b.tenant))
		}
		b.answerAll(t, http.StatusBadGateway)
		for range 2 {
			require.ErrorContains(t, b.ask(t.Context(), b.tenant), "status 502", "the answers have ended the row of failures")
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		code  int
		after func() string
		pause time.Duration
	}{
		"seconds":          {429, func() string { return "120" }, 2 * time.Minute},
		"a date":           {503, func() string { return time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat) }, 90 * time.Second},
		"nothing":          {429, func() string { return "" }, 30 * time.Second},
		"nonsense":         {503, func() string { return "soon" }, 30 * time.Second},
		"too long":         {429, func() string { return "99999999999" }, 15 * time.Minute},
		"a negative time":  {429, func() string { return "-5" }, time.Second},
		"a date long gone": {503, func() string { return "Mon, 02 Jan 1995 15:04:05 GMT" }, time.Second},
		"a ban":            {403, func() string { return "" }, 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newStub(t)
				b.answerAll(t, c.code, "Retry-After", c.after())
				require.ErrorContains(t, b.ask(t.Context(), b.tenant), fmt.Sprint("status ", c.code))
				b.answerAll(t, http.StatusNotFound)
				b.paths()
				time.Sleep(c.pause - time.Millisecond)
				require.ErrorContains(t, b.ask(t.Context(), b.tenant), "no request for another")
				require.Empty(t, b.paths())
				time.Sleep(time.Millisecond)
				require.NoError(t, b.ask(t.Context(), b.tenant))
			})
		})
	}
}

func TestASlowServiceIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newStub(t)
		b.handle("/isbn/"+absent+".json", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for range 60 { // slowly, but never silent
				fmt.Fprint(w, " ")
				if w.(http.Flusher).Flush(); r.Context().Err() != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		began := time.Now()
		require.ErrorIs(t, b.ask(t.Context(), b.tenant), context.DeadlineExceeded)
		require.Equal(t, 8*time.Second, time.Since(began))
	})
}

func TestALookUpEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newStub(t)
		b.handle("/isbn/"+absent+".json", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		for range 4 { // says nothing about the service
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			require.ErrorIs(t, b.ask(ctx, b.tenant), context.DeadlineExceeded)
			cancel()
		}
		b.answerAll(t, http.StatusNotFound)
		require.NoError(t, b.ask(t.Context(), b.tenant))
	})
}
