package tools

import (
	"encoding/json"

	"github.com/carrel-go/carrel/scope"
)

// Call is one call of a tool: the model's arguments, and beside them what the model has no say in. It is read-only
// and safe for concurrent use.
type Call struct {
	o CallOptions

	// What Tool.Call found when it checked the arguments: for which tool, and the decoded value.
	by *function
	in any
}

// CallOptions are the contents of a [Call].
type CallOptions struct {
	// Scope is whose data the call may touch.
	Scope scope.Scope
	// Shared is the scope of the data that the users of Scope's tenant share, if the call may read it: see
	// [Call.Shared]. Default: it may not.
	Shared scope.Scope
	// ID is the call's id in the conversation, given by the model's service.
	ID string
	// Name is the name under which the tool is called, which is the one that a [Set] offers it by. Default: [Tool.Call]
	// fills in its tool's.
	Name string
	// IdempotencyKey is the same when the same call of the same run is made again, after a crash for example, and
	// differs otherwise. Empty if the run has no id.
	IdempotencyKey string
	// Args are the arguments as the model sent them.
	Args json.RawMessage
	// State is the conversation's. Default: an empty one of the call's own.
	State *State
	// Progress is told how far the call has come; v is marshalled to JSON by whoever shows it. It may be called from
	// any goroutine, until the call has returned. Default: nobody is told.
	Progress func(v any)
}

// NewCall returns a call with these contents. The agent makes calls; a test of a single tool may too.
func NewCall(o CallOptions) *Call {
	if o.Shared.Level() != scope.SharedLevel || o.Shared.TenantID() != o.Scope.TenantID() {
		o.Shared = scope.Scope{} // which denies everything
	}
	o.Shared = o.Shared.ReadOnly()
	if o.State == nil {
		o.State = &State{}
	}
	return &Call{o: o}
}

// Scope is whose data the call may touch. It comes from the run, never from the model.
func (c *Call) Scope() scope.Scope { return c.o.Scope }

// Shared returns the scope of the data that the users of the tenant share, read-only. It is the zero Scope, which denies
// everything, unless the host has given it to the run: a tool never derives it from the call's Scope.
func (c *Call) Shared() scope.Scope { return c.o.Shared }

// ID is the call's id in the conversation.
func (c *Call) ID() string { return c.o.ID }

// Name is the name under which the tool was called: where a [Set] has renamed it, the new one, since that is the one
// which the conversation knows.
func (c *Call) Name() string { return c.o.Name }

// Args are the arguments as the model sent them, except that the function and its middleware see integers in plain
// digits ([Tool.Validate]). They must not be changed.
func (c *Call) Args() json.RawMessage { return c.o.Args }

// IdempotencyKey is a key for effects that must happen once, see [CallOptions].
func (c *Call) IdempotencyKey() string { return c.o.IdempotencyKey }

// State is what the tools of this conversation remember.
func (c *Call) State() *State { return c.o.State }

// Progress tells whoever watches the run how far the call has come.
func (c *Call) Progress(v any) {
	if c.o.Progress != nil {
		c.o.Progress(v)
	}
}
