package agent

import (
	"encoding/json"
	"sync"
)

// progressKept is how many values of one call wait for the consumer; beyond that the oldest are dropped.
const progressKept = 16

// progress carries what the tools of a batch say about how far they have come to the consumer's goroutine. It never
// makes a tool wait.
type progress struct {
	some chan struct{} // holds one: something has come

	mu    sync.Mutex
	calls []callProgress
}

type callProgress struct {
	values []json.RawMessage
	over   bool // the call has ended: whatever its tool still says is not heard
}

func newProgress(calls int) *progress {
	return &progress{some: make(chan struct{}, 1), calls: make([]callProgress, calls)}
}

// put keeps v for the call of that index. It marshals here, in the tool's goroutine, so that the tool may change v
// afterwards; what has no JSON is not heard.
func (p *progress) put(i int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		return
	}
	p.mu.Lock()
	c := &p.calls[i]
	if c.over {
		p.mu.Unlock()
		return
	}
	if len(c.values) == progressKept {
		c.values = append(c.values[:0], c.values[1:]...)
	}
	c.values = append(c.values, b)
	p.mu.Unlock()
	select {
	case p.some <- struct{}{}:
	default:
	}
}

// take gives what has come of a call since the last time.
func (p *progress) take(i int) []json.RawMessage {
	p.mu.Lock()
	defer p.mu.Unlock()
	v := p.calls[i].values
	p.calls[i].values = nil
	return v
}

// end closes a call.
func (p *progress) end(i int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[i] = callProgress{over: true}
}
