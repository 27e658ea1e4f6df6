package mcp

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/approval"
)

// version2026 is the first protocol version with results that need input, and with structured content of any type.
const version2026 = "2026-07-28"

func (s *server) listTools(
	ctx context.Context, caller scope.Scope, req *sdk.ListToolsRequest, next sdk.MethodHandler,
) (sdk.Result, error) {
	found, err := next(ctx, "tools/list", req) // those of Options.Features
	if err != nil {
		return nil, err
	}
	list := found.(*sdk.ListToolsResult)
	if req.Params != nil && req.Params.Cursor != "" {
		return list, nil // the tools of the set are on the first page
	}
	set, err := s.set.Resolve(ctx, caller, nil)
	if err != nil {
		return nil, s.fail(ctx, "tools/list", err)
	}
	all := make([]*sdk.Tool, 0, set.Len()+len(list.Tools))
	for spec := range set.Specs() {
		t := &sdk.Tool{Name: spec.Name, Description: spec.Description, InputSchema: spec.Schema}
		if s.o.Annotate != nil {
			t.Annotations = s.o.Annotate(spec)
		}
		all = append(all, t)
	}
	for _, t := range list.Tools {
		if _, hidden := set.Lookup(t.Name); !hidden {
			all = append(all, t)
		}
	}
	list.Tools = all
	return list, nil
}

func (s *server) callTool(
	ctx context.Context, caller scope.Scope, req *sdk.CallToolRequest, next sdk.MethodHandler,
) (sdk.Result, error) {
	set, err := s.set.Resolve(ctx, caller, nil)
	if err != nil {
		return nil, s.fail(ctx, "tools/call", err)
	}
	tool, ok := set.Lookup(req.Params.Name)
	if !ok {
		return next(ctx, "tools/call", req) // a tool of Options.Features, or unknown
	}
	w, err := s.beginWait(ctx, caller, req)
	if err != nil {
		return nil, err
	}
	res, err := tool.Call(ctx, tools.NewCall(tools.CallOptions{
		Scope: caller, Shared: s.sharedScope(ctx, caller), ID: w.nonce, IdempotencyKey: w.key,
		Args: arguments(req.Params.Arguments), Progress: newProgress(ctx, req),
	}))
	if pending, ok := errors.AsType[*tools.PendingError](err); ok {
		return s.answerPending(ctx, caller, w, pending)
	}
	if err != nil {
		return s.failedResult(req, s.explainFailure(ctx, caller, w, tool, err)), nil
	}
	return s.encodeResult(ctx, caller, req, res), nil
}

// arguments returns the arguments of a call, which a client may leave out.
func arguments(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("{}")
	}
	return raw
}

// explainFailure returns the text for the model about a call that ended with err. Only the log has causes.
func (s *server) explainFailure(ctx context.Context, caller scope.Scope, w wait, tool *tools.Tool, err error) string {
	if correction, ok := errors.AsType[*tools.CorrectionError](err); ok {
		return correction.Message
	}
	if w.key == "" && errors.Is(err, approval.ErrInvalid) {
		return "Not run: a person must approve this call, and it cannot wait for an approval here. " +
			"The client must support form elicitation and protocol version " + version2026 + "."
	}
	s.o.Logger.WarnContext(ctx, "mcp: call failed", "tool", tool.Spec().Name, "scope", caller, "err", err)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Sprintf("The tool did not finish within %v. Whether it has had an effect is not known.", s.o.Timeout)
	}
	if fatal, ok := errors.AsType[*tools.FatalError](err); ok {
		return cmp.Or(fatal.Message, "The tool failed.")
	}
	return "The tool failed."
}

// newResult returns an empty complete result for the protocol version of the request.
func (s *server) newResult(version string) *sdk.CallToolResult {
	if version < version2026 {
		return &sdk.CallToolResult{}
	}
	res := s.complete
	return &res
}

func (s *server) failedResult(req *sdk.CallToolRequest, text string) *sdk.CallToolResult {
	res := s.newResult(req.ProtocolVersion())
	res.IsError, res.Content = true, []sdk.Content{&sdk.TextContent{Text: text}}
	return res
}
