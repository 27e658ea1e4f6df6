package tools

import (
	"encoding/json"

	"github.com/carrel-go/carrel/scope"
)

// Call is one call of a tool: the model's arguments, and the scope and ids that the model does not control. It is
// read-only and safe for concurrent use.
type Call struct {
	o CallOptions

	// The decoded arguments, and the function that they were decoded for. Tool.Call sets both.
	decoded    any
	decodedFor *function
}

// CallOptions are the contents of a [Call].
type CallOptions struct {
	// Scope limits the data that the call may touch.
	Scope scope.Scope
	// Shared is the scope of the tenant's shared data, if the call may read it: see [Call.Shared]. The zero Scope denies
	// it, and so does every other scope than the shared one of Scope's tenant.
	Shared scope.Scope
	// ID is the id that the model's service gave the call.
	ID string
	// Name is the name under which the tool is called, which a [Set] may have changed. If it is empty, [Tool.Call] uses
	// the name of its tool.
	Name string
	// IdempotencyKey is the same if the run makes the same call again, for example after a crash, and differs otherwise.
	// It is empty if the run does not have an id.
	IdempotencyKey string
	// Args are the arguments as the model wrote them.
	Args json.RawMessage
	// State is the State of the conversation. If nil, the call gets an empty one.
	State *State
	// Progress, if non-nil, receives the progress of the call: a value that marshals to JSON. It may be called from any
	// goroutine until the call has returned.
	Progress func(v any)
}

// NewCall returns a call with these contents. Only an agent, or the test of a tool, needs it.
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

// Scope returns the scope of the data that the call may touch. It comes from the run, never from the model.
func (c *Call) Scope() scope.Scope { return c.o.Scope }

// Shared returns the scope of the data that the users of the tenant share, read-only. It is the zero Scope, which
// denies everything, unless the host has given it to the run. A tool must not derive it from the call's Scope.
func (c *Call) Shared() scope.Scope { return c.o.Shared }

// ID returns the call's id in the conversation.
func (c *Call) ID() string { return c.o.ID }

// Name returns the name under which the tool was called: the new name if a [Set] has renamed the tool.
func (c *Call) Name() string { return c.o.Name }

// Args returns the model's arguments. The function and its middleware see them in the form that [Tool.Validate]
// returns. They must not be changed.
func (c *Call) Args() json.RawMessage { return c.o.Args }

// IdempotencyKey returns a key for effects that must happen only once: see [CallOptions].
func (c *Call) IdempotencyKey() string { return c.o.IdempotencyKey }

// State returns the State of the conversation.
func (c *Call) State() *State { return c.o.State }

// Progress reports the progress of the call to the observers of the run.
func (c *Call) Progress(v any) {
	if c.o.Progress != nil {
		c.o.Progress(v)
	}
}
