package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tracking"
)

// Status is the state of a run.
type Status string

// The statuses. A run that is queued or running has not ended.
const (
	StatusQueued   Status = "queued"
	StatusRunning  Status = "running"
	StatusComplete Status = "complete"
	StatusPending  Status = "pending" // a call waits for an approval
	StatusStopped  Status = "stopped"
	StatusLimit    Status = "limit" // one of agent.Limits was reached
	StatusFailed   Status = "failed"
)

// HasEnded reports whether the run has its last event.
func (s Status) HasEnded() bool { return s != StatusQueued && s != StatusRunning }

// Run describes a run. Its fields must not be changed.
type Run struct {
	// ID is the session's id, a dot and the number of the run in the session, for example "0192….3".
	ID string
	// Scope and Shared are those of the [Request].
	Scope, Shared scope.Scope
	// Agent, Prompt and Media are those of the Request. Like Shared, they are empty once the run has ended, unless it is
	// pending. A run that continues another one has the Agent and the Media of that one, and no Prompt.
	Agent, Prompt string
	Media         []tools.Media
	// Continues is the id of the run whose pending calls this one makes, or empty.
	Continues string
	Status    Status
	// TakenOver reports that another process began the run.
	TakenOver bool
	// Attempt is the stage that Host.Stage claimed, or nil. Only the functions of [Host] see it.
	Attempt *tracking.Attempt
}

// Result is how a run ended.
type Result struct {
	Status Status `json:"status"`
	// Output is the typed answer of a complete run, see [agent.StreamAs].
	Output json.RawMessage `json:"output,omitempty"`
	// StopReason is why the model stopped in the last answer of a complete run, see [agent.Done]. It is open: the text of
	// a run with a reason such as "refusal" may not be the answer that was asked for.
	StopReason agent.StopReason `json:"stop_reason,omitempty"`
	// Code, Message and Retryable describe a failure, see [agent.RunError]. A browser may see them.
	Code      string `json:"code,omitempty"`
	Message   string `json:"message,omitempty"`
	Retryable bool   `json:"retryable,omitempty"`
	// Err is the cause of a failure, for the log. It is nil if another process has seen the failure.
	Err error `json:"-"`
}

// Custom is an event of the application in the log of a run: {"type":"custom","name":…,"value":…}.
type Custom struct {
	Name  string
	Value json.RawMessage
}

// Host contains the functions of an application. They are called for many runs at once, for each run one after another.
// A run fails if one of them panics. If a process ends during a function, another process calls it again.
type Host struct {
	// Agent returns the agent of a run. Required unless Stream is set.
	Agent func(ctx context.Context, r *Run) (*agent.Agent, error)
	// Stream runs the agent for a run. It takes the place of Agent where an [agent.Agent.Stream] is not enough, for
	// example for typed answers: see [agent.StreamAs].
	Stream func(ctx context.Context, r *Run, in agent.Input) iter.Seq2[agent.Event, error]
	// Prompt returns what the model is asked. It is not called for a run that continues from a checkpoint. If nil, the
	// model is asked the request's Prompt, with its Media.
	Prompt func(ctx context.Context, r *Run) (text string, media []tools.Media, err error)
	// Stage claims the tracked stage of the run, with [tracking.ClaimOptions].TakeOver if r.TakenOver is set. The Key of
	// the claim must identify the run, for example r.ID, and no other work may use it. The runner renews the lease until
	// End. A run that was taken over may have ended its stage already; Stage then returns nil, and End does nothing.
	// The process before may also claim the stage at the same moment: on [tracking.ErrRunning] under its own Key, Stage
	// reads the record again. Stage is also called for a run that was stopped, so that End can record that. An error
	// ends the run. If nil, the run does not have a stage.
	Stage func(ctx context.Context, r *Run) (*tracking.Attempt, error)
	// Custom returns the events that follow an event of the agent. An error ends the run. If nil, the log has only the
	// other events.
	Custom func(ctx context.Context, r *Run, ev agent.Event) ([]Custom, error)
	// End records the result of the run, for example in its stage, before its last event is written. An error is retried
	// for 30 s, or for the time of a longer lease; then the run ends as failed. An error that wraps [tracking.ErrFenced]
	// is not retried: another worker has the stage, so a run that has not failed ends as stopped. If nil, nothing is
	// recorded.
	End func(ctx context.Context, r *Run, res Result) error
}

// streamAgent returns a Host.Stream that runs the agent that choose returns.
func streamAgent(
	choose func(context.Context, *Run) (*agent.Agent, error),
) func(context.Context, *Run, agent.Input) iter.Seq2[agent.Event, error] {
	return func(ctx context.Context, r *Run, in agent.Input) iter.Seq2[agent.Event, error] {
		return func(yield func(agent.Event, error) bool) {
			a, err := choose(ctx, r)
			if err == nil && a == nil {
				err = errors.New("runner: Host.Agent returned nil")
			}
			if err != nil {
				yield(nil, err)
				return
			}
			a.Stream(ctx, in)(yield)
		}
	}
}

func runID(session scope.Scope, n int) string { return session.SessionID() + "." + strconv.Itoa(n) }

// parseRun returns the session and the number of a run that sc may reach: its session or its user.
func parseRun(sc scope.Scope, id string) (session scope.Scope, n int, err error) {
	if err := sc.Require(scope.UserLevel, scope.SessionLevel); err != nil {
		return session, 0, err
	}
	name, digits, _ := strings.Cut(id, ".")
	session = sc
	if sc.Level() == scope.UserLevel {
		if session, err = sc.Session(name); err != nil {
			return session, 0, ErrNotFound
		}
	}
	n, err = strconv.Atoi(digits)
	if err != nil || n < 1 || n > maxRun || runID(session, n) != id {
		return session, 0, ErrNotFound
	}
	return session, n, nil
}

func logName(n int) string { return fmt.Sprintf("%08d", n) }
