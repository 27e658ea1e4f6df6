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

// watchdog cancels its context after the idle time without a beat. The Go SDK does not have a read timeout, so a silent
// service would block the caller forever.
//
// A beat does not reset the timer, because there is one for every event. When the timer fires, it computes the length
// of the silence and sleeps for the rest.
type watchdog struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	idle   time.Duration // 0: no bound
	began  time.Time
	silent atomic.Int64 // since when, counted from began; resting if the clock is paused

	mu    sync.Mutex // orders checkIdle and stop
	timer *time.Timer
}

const resting = -1

// startWatchdog starts a watchdog under ctx. The caller must call stop.
func startWatchdog(ctx context.Context, idle time.Duration) *watchdog {
	w := &watchdog{idle: max(idle, 0), began: time.Now()}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	if w.idle > 0 {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.timer = time.AfterFunc(w.idle, w.checkIdle)
	}
	return w
}

// checkIdle runs when the timer fires.
func (w *watchdog) checkIdle() {
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

// beat restarts the idle time.
func (w *watchdog) beat() {
	if w.idle > 0 {
		w.silent.Store(int64(time.Since(w.began)))
	}
}

// pause stops the clock until the next beat, while the consumer has control.
func (w *watchdog) pause() { w.silent.Store(resting) }

func (w *watchdog) hasExpired() bool { return errors.Is(context.Cause(w.ctx), errIdle) }

func (w *watchdog) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
	w.cancel(nil)
}

// beatingClient is an HTTP client that beats at the start and at the end of each attempt of the SDK's retryer, so that
// the idle time bounds the service's silence and not the sum of the attempts.
//
// It also hides that the request's body is an io.WriterTo. If a server answers at once, as on loopback, the SDK closes
// the body while the transport still reads it. WriteTo then fails, although Read would just end, and the transport
// drops the connection with the answer.
type beatingClient struct {
	next bedrockruntime.HTTPClient
	w    *watchdog
}

func (p beatingClient) Do(r *http.Request) (*http.Response, error) {
	p.w.beat()
	defer p.w.beat()
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = plainBody{r.Body}
	}
	return p.next.Do(r)
}

// plainBody hides all methods but Read and Close.
type plainBody struct{ io.ReadCloser }
