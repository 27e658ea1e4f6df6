package bedrock

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
)

// stubborn is an HTTP client that ignores contexts, as one for tests or a tunnel may. The body of its answer yields some
// bytes and then the result of end. Only Close ends a Read that waits.
type stubborn struct {
	bytes.Reader
	end    func() error // nil: wait
	once   sync.Once
	closed chan struct{}
	after  atomic.Bool // a Read that waited has returned
}

func (s *stubborn) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK,
		Header:     http.Header{"Content-Type": {"application/vnd.amazon.eventstream"}},
		Body:       s,
		Request:    r,
	}, nil
}

func (s *stubborn) Read(b []byte) (int, error) {
	if s.Len() > 0 {
		return s.Reader.Read(b)
	}
	if s.end != nil {
		return 0, s.end()
	}
	<-s.closed
	time.Sleep(time.Second) // in a bubble
	s.after.Store(true)
	return 0, http.ErrBodyReadAfterClose
}

func (s *stubborn) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

func (s *stubborn) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// withClient calls f with a Model and its client inside a bubble, which fails a test that leaves a goroutine behind.
func withClient(t *testing.T, answer []byte, end func() error, f func(t *testing.T, m *Model, s *stubborn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &stubborn{end: end, closed: make(chan struct{})}
		s.Reset(answer)
		f(t, must(New(bt.NewClient("http://localhost", func(o *bedrockruntime.Options) { o.HTTPClient = s }), "any-model", nil)), s)
	})
}

func eof() error { return io.EOF }

// question is a request, and drain reads its answer up to the end, a moment for each delta.
func question() *agent.Request {
	return &agent.Request{Messages: []agent.Message{{Role: agent.RoleUser, Parts: []agent.Part{{Text: "?"}}}}}
}

func drain(ctx context.Context, m *Model) (last error) {
	for _, err := range m.Stream(ctx, question()) {
		if err != nil {
			last = err
			continue
		}
		time.Sleep(time.Millisecond) // in a bubble
	}
	return last
}

// The body is closed however a stream ends: a client keeps its connection for as long as it is open.
func TestTheBodyIsClosed(t *testing.T) {
	t.Parallel()
	whole := answerOf(3)
	t.Run("at its end", func(t *testing.T) {
		withClient(t, whole, eof, func(t *testing.T, m *Model, s *stubborn) {
			err := drain(t.Context(), m)
			require.NoError(t, err)
			require.True(t, s.isClosed())
		})
	})
	t.Run("left", func(t *testing.T) {
		withClient(t, whole, nil, func(t *testing.T, m *Model, s *stubborn) {
			for range m.Stream(t.Context(), question()) {
				break
			}
			require.True(t, s.isClosed())
		})
	})
	t.Run("cut", func(t *testing.T) {
		withClient(t, whole[:len(whole)/2], eof, func(t *testing.T, m *Model, s *stubborn) {
			err := drain(t.Context(), m)
			require.ErrorAs(t, err, new(*agent.ModelError))
			require.True(t, s.isClosed())
		})
	})
	t.Run("senseless", func(t *testing.T) {
		twice := append(bytes.Clone(whole), whole...)
		withClient(t, twice, nil, func(t *testing.T, m *Model, s *stubborn) {
			err := drain(t.Context(), m)
			require.ErrorAs(t, err, new(*agent.ModelError))
			require.True(t, s.isClosed())
		})
	})
}

// refusing answers 403, and remembers the context that it was called with.
type refusing struct{ ctx context.Context }

func (c *refusing) Do(r *http.Request) (*http.Response, error) {
	c.ctx = r.Context()
	return &http.Response{StatusCode: http.StatusForbidden, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
}

// A call that fails before its stream leaves no context behind, and so no timer.
func TestTheContextEndsWithTheCall(t *testing.T) {
	t.Parallel()
	c := &refusing{}
	m := must(New(bt.NewClient("http://localhost", func(o *bedrockruntime.Options) { o.HTTPClient = c }), "any-model", nil))
	require.ErrorAs(t, drain(t.Context(), m), new(*agent.ModelError))
	require.ErrorIs(t, c.ctx.Err(), context.Canceled)
}

// Silence and cancellation end a stream over a client that heeds no context, too.
func TestStreamEndsOverAClientWithoutContexts(t *testing.T) {
	t.Parallel()
	half := answerOf(3)
	half = half[:len(half)/2]
	t.Run("silence", func(t *testing.T) {
		withClient(t, half, nil, func(t *testing.T, m *Model, s *stubborn) {
			err := drain(t.Context(), m)
			var me *agent.ModelError
			require.ErrorAs(t, err, &me)
			require.Equal(t, agent.CodeTimeout, me.Code)
			require.True(t, s.after.Load(), "the Read has ended")
		})
	})
	t.Run("cancelled", func(t *testing.T) {
		withClient(t, half, nil, func(t *testing.T, m *Model, s *stubborn) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := drain(ctx, m)
			require.Equal(t, context.DeadlineExceeded, err)
			require.True(t, s.isClosed())
		})
	})
}

// A stream whose context ends at the same time as its bytes returns the error of the context.
func TestCancelledAsItEnds(t *testing.T) {
	t.Parallel()
	whole := answerOf(3)
	for _, answer := range [][]byte{whole, whole[:len(whole)/2]} {
		for range 30 {
			ctx, cancel := context.WithCancel(t.Context())
			withClient(t, answer, func() error { cancel(); return io.EOF }, func(t *testing.T, m *Model, _ *stubborn) {
				err := drain(ctx, m)
				require.Equal(t, context.Canceled, err)
			})
		}
	}
}

// keeping answers 200 with an answer and remembers the request, as a transport does until the answer has been read.
type keeping struct {
	answer  []byte
	request *http.Request
	sent    []byte
}

func (k *keeping) Do(r *http.Request) (_ *http.Response, err error) {
	k.request = r
	k.sent, err = io.ReadAll(r.Body)
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(k.answer)), Header: http.Header{}, Request: r}, err
}

// A request that has been sent does not stay in memory while its answer is read.
func TestASentBodyIsForgotten(t *testing.T) {
	t.Parallel()
	k := &keeping{answer: answerOf(1)}
	m := must(New(bt.NewClient("http://localhost", func(o *bedrockruntime.Options) { o.HTTPClient = k }), "any-model", nil))
	require.NoError(t, drain(t.Context(), m))
	require.Contains(t, string(k.sent), `"messages"`)
	require.Equal(t, http.NoBody, k.request.Body.(*sentBody).body)
	require.NoError(t, k.request.Body.Close())
}
