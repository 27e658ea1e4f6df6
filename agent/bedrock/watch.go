package bedrock

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
)

// errIdle is the cause of a context that a watchdog cancelled.
var errIdle = errors.New("bedrock: no event within the idle timeout")

// watchdog cancels its context when nothing has beaten for the idle time. The Go SDK has no read timeout: without
// it, a service that falls silent would hold the caller for ever.
//
// Its timer is not touched by a beat, of which there is one for every event: it looks, when it fires, how long the
// silence has been, and sleeps for the rest.
type watchdog struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	idle   time.Duration // 0: no bound
	began  time.Time
	silent atomic.Int64 // since when, counted from began; resting, if the clock stands

	mu    sync.Mutex // orders the timer's last look and stop
	timer *time.Timer
}

const resting = -1

// watch starts a watchdog under ctx; stop must be called.
func watch(ctx context.Context, idle time.Duration) *watchdog {
	w := &watchdog{idle: max(idle, 0), began: time.Now()}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	if w.idle > 0 {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.timer = time.AfterFunc(w.idle, w.look)
	}
	return w
}

// look is the timer's.
func (w *watchdog) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ctx.Err() != nil {
		return
	}
	left := w.idle
	if since := w.silent.Load(); since != resting {
		left -= time.Since(w.began) - time.Duration(since)
	}
	if left <= 0 {
		w.cancel(errIdle)
		return
	}
	w.timer.Reset(left)
}

// beat starts the idle time anew.
func (w *watchdog) beat() {
	if w.idle > 0 {
		w.silent.Store(int64(time.Since(w.began)))
	}
}

// rest stops the clock, for the time that the consumer takes, until the next beat.
func (w *watchdog) rest() { w.silent.Store(resting) }

func (w *watchdog) expired() bool { return errors.Is(context.Cause(w.ctx), errIdle) }

func (w *watchdog) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
	w.cancel(nil)
}

// pulse is an HTTP client that beats at the start and at the end of each attempt of the SDK's retryer, so that
// the idle time bounds the service's silence and not the sum of the attempts.
//
// It also hides that the request's body is an io.WriterTo. Where a server answers at once, as one on loopback does, the
// SDK closes the body while the transport is still about to ask it for more, and its WriteTo then fails where its Read
// just ends: the transport drops the connection, and the answer with it.
type pulse struct {
	next bedrockruntime.HTTPClient
	w    *watchdog
}

func (p pulse) Do(r *http.Request) (*http.Response, error) {
	p.w.beat()
	defer p.w.beat()
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = plainBody{r.Body}
	}
	return p.next.Do(r)
}

// plainBody can be read and closed, and nothing else.
type plainBody struct{ io.ReadCloser }
