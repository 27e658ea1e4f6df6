package aisdk

import (
	"cmp"
	"maps"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/internal/runlog"
)

// The kinds of parts that are sent in pieces.
const (
	textPart      = "text"
	reasoningPart = "reasoning"
)

// state is the state of the message at one place in it.
type state struct {
	step      int    // number of the current step, 0 before the first
	parts     int    // number of parts that were begun, for their ids
	finishing bool   // the step has ended; finish-step comes before the next one
	openKind  string // of the part that is open, or empty
	openID    string
	calls     map[string]callState // by id
	approvals map[string]string    // the call of each approval
	usage     agent.Usage
	model     string
}

// callState is how far a call is.
type callState struct {
	hasEnded bool
	declined bool
}

func newState() state {
	return state{calls: map[string]callState{}, approvals: map[string]string{}}
}

// clone returns a copy that later changes of s do not reach.
func (s *state) clone() state {
	c := *s
	c.calls, c.approvals = maps.Clone(s.calls), maps.Clone(s.approvals)
	return c
}

func (s *state) addUsage(e *runlog.Event) {
	s.usage.Input += e.Usage.Input
	s.usage.Output += e.Usage.Output
	s.usage.CacheRead += e.CacheRead
	s.usage.CacheWrite += e.CacheWrite
	s.model = cmp.Or(e.Model, s.model) // a compaction does not name one
}

// metadata returns the metadata of the message, or nil if no usage is known.
func (s *state) metadata() *metadata {
	if s.usage == (agent.Usage{}) {
		return nil
	}
	return &metadata{newUsage(s.usage), s.model}
}
