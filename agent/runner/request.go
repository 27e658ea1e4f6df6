package runner

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/carrel-go/carrel/internal/jsonobject"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// Request describes a run to start.
type Request struct {
	// Scope is the session of the run.
	Scope scope.Scope
	// Shared lets the run read the data that the users of its tenant share, see [agent.Input]. Default: none.
	Shared scope.Scope
	// Agent names the agent for the [Host]. At most 256 bytes.
	Agent string
	// Prompt and Media are the user's message. Both may be empty only if Host.Prompt is set.
	Prompt string
	Media  []tools.Media
	// Key is the idempotency key of the caller, at most 256 bytes. If one of the last 20 runs of the session has the same
	// key and the same request, Start returns that run. Default: none.
	Key string
}

const (
	maxName  = 256
	lookback = 20 // runs in which an idempotency key is looked up
)

// input is the stored form of a request.
type input struct {
	Agent     string        `json:"agent,omitempty"`
	Prompt    string        `json:"prompt,omitempty"`
	Media     []tools.Media `json:"media,omitempty"`
	Shared    string        `json:"shared,omitempty"` // a partition
	Decisions []decision    `json:"decisions,omitempty"`

	shared scope.Scope // Shared, parsed
}

// encodeRequest checks the request and returns its stored form.
func (q *Request) encodeRequest() ([]byte, error) {
	if err := q.Scope.Require(scope.SessionLevel); err != nil {
		return nil, err
	}
	if err := q.Scope.RequireWrite(); err != nil {
		return nil, err
	}
	in := input{Agent: q.Agent, Prompt: q.Prompt, Media: q.Media}
	if q.Shared.Level() != scope.None {
		in.Shared = q.Shared.Partition()
		if _, err := parseShared(q.Scope, in.Shared); err != nil {
			return nil, err
		}
	}
	for _, s := range []string{q.Agent, q.Key, q.Prompt} {
		if !utf8.ValidString(s) {
			return nil, fmt.Errorf("%w: Agent, Key and Prompt must be UTF-8", ErrInvalid)
		}
	}
	if len(q.Agent) > maxName || len(q.Key) > maxName {
		return nil, fmt.Errorf("%w: Agent and Key must have at most %d bytes", ErrInvalid, maxName)
	}
	return json.Marshal(in)
}

// parseShared returns the shared scope of a run of the session.
func parseShared(session scope.Scope, partition string) (scope.Scope, error) {
	shared, err := scope.ParsePartition(partition)
	if err != nil {
		return scope.Scope{}, err
	}
	if shared.Level() != scope.SharedLevel || shared.TenantID() != session.TenantID() {
		return scope.Scope{}, fmt.Errorf("%w: the shared scope is not that of the session's tenant", scope.ErrDenied)
	}
	return shared.ReadOnly(), nil
}

// digestText returns the SHA-256 of s, or "" for an empty s.
func digestText(s []byte) string {
	if len(s) == 0 {
		return ""
	}
	return jsonobject.Digest(s)
}
