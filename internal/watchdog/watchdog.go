// Package watchdog bounds how long a phase may last, for phases that begin and end very often: neither touches a timer.
package watchdog

import (
	"sync"
	"sync/atomic"
	"time"
)

// Watchdog calls a function when a phase has lasted too long. Its methods may be called concurrently.
type Watchdog struct {
	limit time.Duration
	bark  func()
	epoch time.Time
	since atomic.Int64 // when the phase began, in nanoseconds after epoch; -1 between phases

	mu    sync.Mutex
	timer *time.Timer
	ended bool
}

// New returns a Watchdog that calls bark, in a separate goroutine and once, when a phase has lasted for limit. The
// caller must call End.
func New(limit time.Duration, bark func()) *Watchdog {
	w := &Watchdog{limit: limit, bark: bark, epoch: time.Now()}
	w.since.Store(-1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(limit, w.look)
	return w
}

// Begin begins a phase. If one lasts already, it begins again.
func (w *Watchdog) Begin() { w.since.Store(int64(time.Since(w.epoch))) }

// Pause ends the phase.
func (w *Watchdog) Pause() { w.since.Store(-1) }

// End ends the Watchdog.
func (w *Watchdog) End() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.timer.Stop()
}

// look is called by the timer. It barks, or starts the timer for the earliest moment at which it may have to.
func (w *Watchdog) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	left := w.limit
	if since := w.since.Load(); since >= 0 {
		left -= time.Since(w.epoch) - time.Duration(since)
	}
	if left <= 0 {
		w.ended = true
		w.bark()
		return
	}
	w.timer.Reset(left)
}
