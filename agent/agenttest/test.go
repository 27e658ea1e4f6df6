package agenttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/carrel-go/carrel/agent"
)

// TestOptions configure [TestModel]. Nil is valid.
type TestOptions struct {
	// Request is the request that makes the model behave so, with this word, see [Behaviour]. It returns a new one each
	// time, which offers a tool look_up, and whose last message is the user's. Default: [Ask], which an [Actor]
	// behind the model's server understands.
	Request func(b Behaviour, word string) *agent.Request
	// Without are behaviours that the model cannot be made to show; the checks that need them are left out. Default:
	// none.
	Without []Behaviour
	// Answer is how long an answer may take, from the request to its end. Default: 1 min.
	Answer time.Duration
	// Release is how long a stream may take to return once its context has ended, and what it leaves to end, such as a
	// connection that is being closed. Default: 2 s.
	Release time.Duration
}

// CheckError is a check that failed. The error of [TestModel] is all of them joined; it has the method
// Unwrap() []error.
type CheckError struct {
	Check string // its name, in words
	Err   error
}

// Error implements error.
func (f *CheckError) Error() string { return "agenttest: " + f.Check + ": " + f.Err.Error() }

// Unwrap returns what went wrong.
func (f *CheckError) Unwrap() error { return f.Err }

// TestModel runs every check of what [agent.Model] promises and returns the failures joined, or nil. It sends some
// hundred requests, up to 16 at a time. A model is not deterministic: the checks need it to show certain behaviours,
// and fail where it does not, see [TestOptions].
//
// A stream that does not return in its time fails its check and is left behind.
func TestModel(ctx context.Context, m agent.Model, o *TestOptions) error {
	if m == nil {
		return errors.New("agenttest: the model is nil")
	}
	opts := TestOptions{}
	if o != nil {
		opts = *o
	}
	if opts.Request == nil {
		opts.Request = Ask
	}
	if opts.Answer <= 0 {
		opts.Answer = time.Minute
	}
	if opts.Release <= 0 {
		opts.Release = 2 * time.Second
	}
	var all []error
	for _, c := range checks() {
		if slices.Contains(opts.Without, c.needs) {
			continue
		}
		b := &bench{ctx: ctx, m: m, o: opts}
		b.label = fmt.Sprintf("%s %p", c.name, b) // one process may run the suite twice at once
		if err := b.try(c); err != nil {
			all = append(all, &CheckError{Check: c.name, Err: err})
		}
	}
	return errors.Join(all...)
}

type check struct {
	name  string
	needs Behaviour
	run   func(*bench, Behaviour)
}

func checks() []check {
	return []check{
		{"text", Speak, speaksInText},
		{"whole calls", CallOnce, wholeCalls},
		{"many calls", CallMany, manyCalls},
		{"reasoning", Reason, reasons},
		{"an image and a document", Look, speaksInText},
		{"the request is not changed", Speak, requestKept},
		{"the request is not changed by a call", CallOnce, requestKept},
		{"an image and a document are not changed", Look, requestKept},
		{"a call's input is the agent's", CallOnce, inputGiven},
		{"nothing before the loop", Stuck, notBefore},
		{"leaving a stream that is silent", Stuck, leaving},
		{"leaving at each delta", Speak, leavingAnywhere},
		{"a consumer that panics", Speak, panicking},
		{"a context that has ended", Speak, endedBefore},
		{"cancelled in silence", Stuck, cancelledInSilence},
		{"a deadline", Stuck, deadline},
		{"failing at once", FailAtOnce, failsAtOnce},
		{"failing in mid-answer", FailLater, failsLater},
		{"streams at once", Speak, speakAtOnce},
		{"calls at once", CallOnce, callAtOnce},
		{"a long history", Speak, longHistory},
		{"a history of calls", Speak, callHistory},
		{"a history of tools that are gone", Speak, goneTools},
		{"call ids of another service", Speak, foreignCallIDs},
		{"blank text", Speak, blankText},
		{"reasoning in the history", Reason, reasoningHistory},
	}
}
