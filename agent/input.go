package agent

import (
	"fmt"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// Input is what one run starts from.
type Input struct {
	// Scope is the tenant isolation of the run: tools can only reach its data. With the zero Scope an agent that has tools
	// returns [scope.ErrDenied].
	Scope scope.Scope
	// Shared lets the run read the data that the users of its tenant share: tools get it, read-only, from
	// [tools.Call.Shared], and media may name its objects. It must be of [scope.SharedLevel] and of Scope's tenant;
	// otherwise the run fails with [scope.ErrDenied]. Nothing derives it from Scope. Default: none.
	Shared scope.Scope
	// Run is the run's id, in UTF-8. The idempotency keys of the calls depend on it, so every run needs a new id, for
	// example from crypto/rand.Text, unless it resumes a checkpoint with that id. If two runs of a Scope have the same id,
	// a tool that uses its key may mistake a new call for one that it has already made. Without an id the keys are empty,
	// the run does not yield [Checkpointed] events, Done does not have a Checkpoint, and calls cannot wait for an
	// approval.
	Run string
	// Prompt is the user's message. It may be blank if there are Media, or if the history ends with something that the
	// model has not answered, such as results. The run then continues from there.
	Prompt string
	// Media are images, documents and videos, which come before the prompt. Each holds bytes, or an object that Scope or
	// Shared contains. Bytes that cannot be of their format are rejected.
	Media []tools.Media
	// History is the conversation before this run. The run works on a copy of its State.
	History History
	// Resume is a checkpoint of this Run and Scope. The run makes the calls that it holds, or else asks the model. Prompt
	// and Media must be empty. Pass the History that was stored with the checkpoint. After a cancellation, Done's History
	// also has the interrupted turn; the run repeats it. Any other History is rejected. The State, the usage and the
	// counts of the limits are the checkpoint's.
	//
	// An interrupted call that is made again finds the State as it left it.
	Resume *Checkpoint
}

// reach is the data that a run may read: its own scope, and the tenant's shared data if the host allows it.
type reach struct{ own, shared scope.Scope }

// newReach returns what the run may read.
func (in Input) newReach() reach { return reach{in.Scope, in.Shared.ReadOnly()} }

// contains reports whether data of s may be read.
func (r reach) contains(s scope.Scope) bool { return r.own.Contains(s) || r.shared.Contains(s) }

// isWithdrawn reports whether s is the tenant's shared data and the run may not read it. An earlier run may have.
func (r reach) isWithdrawn(s scope.Scope) bool {
	return s.Level() == scope.SharedLevel && s.TenantID() == r.own.TenantID() && !r.contains(s)
}

// checkShared returns an error unless Shared is the shared data of Scope's tenant, or zero.
func (in Input) checkShared() error {
	if in.Shared.Level() == scope.None {
		return nil
	}
	if err := in.Shared.Require(scope.SharedLevel); err != nil {
		return fmt.Errorf("agent: Input.Shared: %w", err)
	}
	if in.Shared.TenantID() != in.Scope.TenantID() {
		return fmt.Errorf("agent: Input.Shared: %w: it belongs to another tenant", scope.ErrDenied)
	}
	return nil
}
