package mcp

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/approval"
)

// inputName is the name of the input request about an approval.
const inputName = "approval"

// requestState is the id of an approval, which is looked up under the caller's scope, and the nonce of the call. A
// client keeps it between the call and its retry. It grants nothing: the id is a digest of the scope, the nonce, the
// tool and the arguments, so it fits only the same call of the same caller.
var requestState = regexp.MustCompile(`^([0-9a-f]{64})\.([A-Z2-7]{26})$`)

var errState = newParamsError("requestState is not that of this call, or the approval has expired")

// wait holds the approval of a call.
type wait struct {
	req   *sdk.CallToolRequest
	nonce string
	key   string // the idempotency key, or "" if the call cannot wait for an approval
	// Of a retry:
	approval string            // the id of the request
	answer   *sdk.ElicitResult // nil if the client has not answered
}

// beginWait returns the wait of a new call, or of a retry, whose answer it records if the caller may decide.
func (s *server) beginWait(ctx context.Context, caller scope.Scope, req *sdk.CallToolRequest) (wait, error) {
	w := wait{req: req, nonce: rand.Text()}
	if s.o.Approvals == nil || !canElicit(req) {
		if req.Params.RequestState != "" {
			return wait{}, errState
		}
		return w, nil
	}
	if req.Params.RequestState != "" {
		state := requestState.FindStringSubmatch(req.Params.RequestState)
		if state == nil {
			return wait{}, errState
		}
		w.approval, w.nonce = state[1], state[2]
		w.answer, _ = req.Params.InputResponses[inputName].(*sdk.ElicitResult)
		if err := s.recordAnswer(ctx, caller, w); err != nil {
			return wait{}, err
		}
	}
	w.key = "mcp." + w.nonce // never the key of a call that an agent makes
	return w, nil
}

// canElicit reports whether the client can be asked for input within a call.
func canElicit(req *sdk.CallToolRequest) bool {
	c := req.ClientCapabilities()
	return req.ProtocolVersion() >= version2026 && c != nil && c.Elicitation != nil &&
		(c.Elicitation.Form != nil || c.Elicitation.URL == nil)
}

// recordAnswer records the client's answer as the decision if the request is pending and the caller may decide it.
func (s *server) recordAnswer(ctx context.Context, caller scope.Scope, w wait) error {
	r, err := s.o.Approvals.Get(ctx, caller, w.approval)
	if errors.Is(err, approval.ErrNotFound) {
		return errState
	}
	if err != nil {
		return s.fail(ctx, "approval", err)
	}
	if w.answer == nil || s.o.MayDecide == nil || r.Status != approval.StatusPending || r.Tool != w.req.Params.Name {
		return nil
	}
	d, ok := readDecision(w.answer)
	if !ok {
		return nil
	}
	if d.By, ok = s.o.MayDecide(ctx, r); !ok {
		return nil
	}
	switch _, err = s.o.Approvals.Decide(ctx, caller, w.approval, d); {
	case errors.Is(err, approval.ErrDecided): // elsewhere, at the same time: that decision counts
	case errors.Is(err, approval.ErrNotFound):
		return errState
	case errors.Is(err, approval.ErrInvalid):
		return newParamsError("the reason must have at most 1000 bytes")
	case err != nil:
		return s.fail(ctx, "approval", err)
	}
	return nil
}

func readDecision(answer *sdk.ElicitResult) (approval.Decision, bool) {
	switch answer.Action {
	case "decline":
		return approval.Decision{}, true
	case "accept":
		approve, ok := answer.Content["approve"].(bool)
		reason, isText := answer.Content["reason"].(string)
		if _, given := answer.Content["reason"]; given && !isText {
			ok = false
		}
		return approval.Decision{Approve: approve, Reason: reason}, ok
	}
	return approval.Decision{}, false
}

// answerPending returns the answer to a call that waits: a request for input, or a failed result if it cannot wait.
func (s *server) answerPending(
	ctx context.Context, caller scope.Scope, w wait, p *tools.PendingError,
) (*sdk.CallToolResult, error) {
	switch {
	case w.approval != "" && p.Approval != w.approval:
		return nil, errState // of a call with another tool or other arguments
	case p.Approval == "" || w.key == "":
		return s.failedResult(w.req, "Not run: "+p.Reason), nil
	case w.answer != nil && w.answer.Action != "accept":
		return s.failedResult(w.req, "Not run: the call waits for an approval. "+p.Reason), nil
	}
	r, err := s.o.Approvals.Get(ctx, caller, p.Approval)
	if err != nil {
		return nil, s.fail(ctx, "approval", err)
	}
	ask := &sdk.ElicitParams{Mode: "form", Message: describeRequest(r), RequestedSchema: json.RawMessage(confirmSchema)}
	if s.o.MayDecide != nil {
		if _, ok := s.o.MayDecide(ctx, r); ok {
			ask.RequestedSchema = json.RawMessage(decideSchema)
		}
	}
	if string(ask.RequestedSchema.(json.RawMessage)) == confirmSchema {
		ask.Message += "\n\nSomebody else must decide. Continue when they have."
	}
	res := s.inputRequired
	res.Content, res.InputRequests, res.RequestState = nil, sdk.InputRequestMap{inputName: ask}, p.Approval+"."+w.nonce
	return &res, nil
}

const (
	decideSchema = `{"type":"object","properties":{` +
		`"approve":{"type":"boolean","title":"Approve","description":"Run this call?"},` +
		`"reason":{"type":"string","title":"Reason","description":"Why not, for the model","maxLength":1000}},` +
		`"required":["approve"]}`
	confirmSchema = `{"type":"object","properties":{}}`
)

// maxShown is the largest number of bytes of the arguments that a question shows.
const maxShown = 2000

// describeRequest returns the question to a person. A model wrote the arguments, so they come last.
func describeRequest(r approval.Request) string {
	args := string(r.Args)
	if len(args) > maxShown {
		args = strings.ToValidUTF8(args[:maxShown], "") + "…"
	}
	return fmt.Sprintf("%s\n\nTool: %s\nArguments: %s", r.Reason, r.Tool, args)
}
