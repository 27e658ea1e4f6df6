package bedrock

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	idle "github.com/carrel-go/carrel/internal/watchdog"
)

// errIdle is the cause of a context that a watchdog cancelled.
var errIdle = errors.New("bedrock: no event within the idle timeout")

// watchdog cancels its context after the idle time without a beat. The Go SDK does not have a read timeout, so a silent
// service would block the caller forever.
type watchdog struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	idle   *idle.Watchdog // nil: no bound
}

// startWatchdog starts a watchdog under ctx. The caller must call stop.
func startWatchdog(ctx context.Context, limit time.Duration) *watchdog {
	w := &watchdog{}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	if limit > 0 {
		w.idle = idle.New(limit, func() { w.cancel(errIdle) })
		w.idle.Begin()
	}
	return w
}

// beat restarts the idle time.
func (w *watchdog) beat() {
	if w.idle != nil {
		w.idle.Begin()
	}
}

// pause stops the clock until the next beat, while the consumer has control.
func (w *watchdog) pause() {
	if w.idle != nil {
		w.idle.Pause()
	}
}

func (w *watchdog) hasExpired() bool { return errors.Is(context.Cause(w.ctx), errIdle) }

func (w *watchdog) stop() {
	if w.idle != nil {
		w.idle.End()
	}
	w.cancel(nil)
}

// beatingClient is an HTTP client that beats at the start and at the end of each attempt of the SDK's retryer, so that
// the idle time bounds the service's silence and not the sum of the attempts.
//
// It also passes on each body as a [sentBody].
type beatingClient struct {
	next bedrockruntime.HTTPClient
	w    *watchdog
}

func (p beatingClient) Do(r *http.Request) (*http.Response, error) {
	p.w.beat()
	defer p.w.beat()
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &sentBody{body: r.Body}
	}
	return p.next.Do(r)
}

// sentBody is the body of a request. The transport refers to the request until it has the whole answer, which takes
// much longer, so sentBody drops the original body when that has been read.
//
// It also hides the WriteTo method of the body. If a server answers at once, as on loopback, the SDK closes the body
// while the transport still reads it. WriteTo then fails, although Read would just end, and the transport drops the
// connection with the answer.
type sentBody struct {
	mu   sync.Mutex
	body io.ReadCloser // http.NoBody after its end
}

func (b *sentBody) Read(p []byte) (int, error) {
	body := b.get()
	n, err := body.Read(p)
	if errors.Is(err, io.EOF) {
		_ = body.Close()
		b.mu.Lock()
		b.body = http.NoBody
		b.mu.Unlock()
	}
	return n, err
}

func (b *sentBody) Close() error { return b.get().Close() }

func (b *sentBody) get() io.ReadCloser {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.body
}
