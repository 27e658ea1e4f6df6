package bedrocktest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
)

// Script is an HTTP handler that plays steps, one a request, in the order in which the requests arrive. A retry of
// the SDK is a request too. It serves converse-stream alone. It is safe for concurrent use.
//
// A request that the service would refuse is refused, and takes no step. A request for which no step is left is
// refused too. [Script.Err] tells both, and [Script.Left] what was not asked for.
type Script struct {
	mu       sync.Mutex
	steps    []Step
	played   int // of steps[0]
	requests []Request
	err      error
}

// NewScript returns a script of the given steps.
func NewScript(steps ...Step) *Script {
	return &Script{steps: slices.Clone(steps)}
}

// Requests gives the requests that arrived so far, the refused ones too, in order.
func (s *Script) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Err is the first reason for which a request was refused, or nil: a test that expects its client to behave
// checks it at the end.
func (s *Script) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Left is how many answers nobody has asked for yet, those of steps that are played for ever not counted: a test whose
// client was to ask for all of them wants 0 at its end.
func (s *Script) Left() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, step := range s.steps {
		if step.times != forever {
			n += step.times
		}
	}
	if len(s.steps) > 0 && s.steps[0].times != forever {
		n -= s.played
	}
	return n
}

// ServeHTTP plays the next step.
func (s *Script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req := read(w, r)
	if req == nil {
		return
	}
	if !req.Stream && req.Refused == "" {
		req.refuse(refused("A script answers ConverseStream alone."))
	}
	step, ok := s.next(req)
	if !ok {
		refuse(w, r, req.as)
		return
	}
	for step.choose != nil {
		step = step.choose(req)
	}
	step.answer(w, r)
}

// next records a request and takes the step that answers it; false if the request is refused.
func (s *Script) next(req *Request) (Step, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.steps) > 0 && s.steps[0].times != forever && s.played >= s.steps[0].times {
		s.steps, s.played = s.steps[1:], 0
	}
	if req.Refused == "" && len(s.steps) == 0 {
		req.refuse(refused("The script has no step for this request."))
	}
	s.requests = append(s.requests, *req)
	if req.Refused != "" {
		if s.err == nil {
			s.err = fmt.Errorf("bedrocktest: request %d: %w", len(s.requests), errors.New(req.Refused))
		}
		return Step{}, false
	}
	s.played++
	return s.steps[0], true
}
