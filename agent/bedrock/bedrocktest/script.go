package bedrocktest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
)

// Script is an HTTP handler that plays one step per request, in the order of the requests. A retry of the SDK is also a
// request. It is safe for concurrent use.
//
// A request that the service would refuse is refused without taking a step, as is a request after the last step.
// [Script.Err] reports refused requests.
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

// Requests returns the requests so far, including refused ones, in order.
func (s *Script) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Err returns the first refusal of a request, or nil. A test whose client must behave checks it at the end.
func (s *Script) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// ServeHTTP plays the next step.
func (s *Script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req := readRequest(w, r)
	if req == nil {
		return
	}
	step, ok := s.takeStep(req)
	if !ok {
		writeError(w, req.refusal)
		return
	}
	for step.choose != nil {
		step = step.choose(req)
	}
	if step.answer == nil {
		writeError(w, s.refuseZeroStep())
		return
	}
	step.answer(w, r)
}

// refuseZeroStep records that the zero Step was played for a request, and returns the answer.
func (s *Script) refuseZeroStep() httpError {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = errors.New("bedrocktest: the zero Step does not have an answer")
	}
	return newValidationError("The zero Step does not have an answer.")
}

// takeStep records a request and returns the step that answers it. It returns false if the request is refused.
func (s *Script) takeStep(req *Request) (Step, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.steps) > 0 && s.steps[0].times != forever && s.played >= s.steps[0].times {
		s.steps, s.played = s.steps[1:], 0
	}
	if req.Refused == "" && len(s.steps) == 0 {
		req.refuse(newValidationError("The script has no step for this request."))
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
