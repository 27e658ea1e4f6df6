package agent

import (
	"encoding/json"
	"sync"
)

// progressKept is the largest number of values of one call that wait for the consumer. Beyond it the oldest are
// dropped.
const progressKept = 16

// progress carries the progress of a batch's calls to the consumer's goroutine. It never makes a tool wait.
type progress struct {
	ready chan struct{} // holds one element if there are values

	mu    sync.Mutex
	calls []callProgress
}

type callProgress struct {
	values  []json.RawMessage
	isEnded bool // later values are dropped
}

func newProgress(calls int) *progress {
	return &progress{ready: make(chan struct{}, 1), calls: make([]callProgress, calls)}
}

// putValue keeps v for the call with that index. It marshals v in the tool's goroutine, so that the tool may change v
// afterwards, and drops a value that cannot be marshaled.
func (p *progress) putValue(i int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		return
	}
	p.mu.Lock()
	c := &p.calls[i]
	if c.isEnded {
		p.mu.Unlock()
		return
	}
	if len(c.values) == progressKept {
		c.values = append(c.values[:0], c.values[1:]...)
	}
	c.values = append(c.values, b)
	p.mu.Unlock()
	select {
	case p.ready <- struct{}{}:
	default:
	}
}

// takeValues returns the values of a call since the last take.
func (p *progress) takeValues(i int) []json.RawMessage {
	p.mu.Lock()
	defer p.mu.Unlock()
	v := p.calls[i].values
	p.calls[i].values = nil
	return v
}

func (p *progress) endCall(i int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[i] = callProgress{isEnded: true}
}
