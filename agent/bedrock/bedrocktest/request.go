package bedrocktest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/tools"
)

const (
	maxBody = 32 << 20 // bytes

	// beforeHeaders is how long an answer waits after the request's body has been read. Over plain HTTP/1 the SDK
	// closes the request's body as soon as it sees the response's headers; when its transport is still busy with
	// that body, it drops the connection, and the stream with it. A real service is never so fast.
	beforeHeaders = 2 * time.Millisecond
)

// Request is one request that reached the server.
type Request struct {
	Model  string      // the model id of the path, unescaped
	Stream bool        // converse-stream rather than converse
	Header http.Header // as sent, signature included
	Body   []byte      // as sent: JSON

	Messages  []agent.Message
	System    string
	Tools     []tools.Spec
	MaxTokens int // 0: not given

	// Refused is the service's message if the request was answered with a ValidationException, or empty.
	Refused string
}

// request gives what an agent.Model needs of r.
func (r *Request) request() *agent.Request {
	return &agent.Request{System: r.System, Messages: r.Messages, Tools: r.Tools, MaxTokens: r.MaxTokens}
}

// read takes a request off the wire. It answers by itself, and gives nil, when the request is not for this
// protocol. A request that the service would refuse comes back with Refused set.
func read(w http.ResponseWriter, r *http.Request) *Request {
	req, ok := route(r)
	if !ok {
		_, _ = io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxBody))
		writeError(w, httpError{http.StatusNotFound, "UnknownOperationException", "The requested operation is not supported."})
		return nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	pause := time.NewTimer(beforeHeaders)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-r.Context().Done():
	}
	req.Body = body
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		req.Refused = fmt.Sprintf("The request body is larger than %d bytes.", tooLarge.Limit)
		return req
	}
	if err != nil {
		panic(http.ErrAbortHandler) // the client went away in mid-request: there is nobody to answer
	}
	var in wireRequest
	if req.Refused = decode(body, &in); req.Refused == "" {
		req.Refused = check(&in)
	}
	if req.Refused == "" {
		req.fill(&in)
	}
	return req
}

// route reads the operation and the model id off the path; an ARN's colons and slashes arrive escaped.
func route(r *http.Request) (*Request, bool) {
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), "/model/")
	if !ok || r.Method != http.MethodPost {
		return nil, false
	}
	id, op, ok := strings.Cut(rest, "/")
	if !ok || (op != "converse" && op != "converse-stream") {
		return nil, false
	}
	model, err := url.PathUnescape(id)
	if err != nil || model == "" {
		return nil, false
	}
	return &Request{Model: model, Stream: op == "converse-stream", Header: r.Header.Clone()}, true
}

// decode is strict: one JSON value, no member that is not supported. It gives the service's message, or "".
func decode(body []byte, in *wireRequest) string {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(in); err != nil {
		if _, field, ok := strings.Cut(err.Error(), "json: unknown field "); ok {
			field = strings.Trim(field, `"`)
			return fmt.Sprintf("This model doesn't support the %s field. Remove %s and try again.", field, field)
		}
		return "Malformed input request: " + err.Error() + ", please reformat your input and try again."
	}
	if _, err := d.Token(); err != io.EOF {
		return "Malformed input request: more than one JSON value, please reformat your input and try again."
	}
	return ""
}

// fill translates a request that has passed check.
func (r *Request) fill(in *wireRequest) {
	system := make([]string, 0, len(in.System))
	for _, s := range in.System {
		system = append(system, *s.Text)
	}
	r.System = strings.Join(system, "\n\n")
	if in.InferenceConfig != nil && in.InferenceConfig.MaxTokens != nil {
		r.MaxTokens = *in.InferenceConfig.MaxTokens
	}
	if in.ToolConfig != nil {
		for _, t := range in.ToolConfig.Tools {
			s := tools.Spec{Name: t.ToolSpec.Name, Schema: t.ToolSpec.InputSchema.JSON}
			if t.ToolSpec.Description != nil {
				s.Description = *t.ToolSpec.Description
			}
			r.Tools = append(r.Tools, s)
		}
	}
	for _, m := range in.Messages {
		msg := agent.Message{Role: agent.Role(m.Role)}
		for _, b := range m.Content {
			msg.Parts = append(msg.Parts, part(b))
		}
		r.Messages = append(r.Messages, msg)
	}
}

func part(b wireBlock) agent.Part {
	switch {
	case b.ToolUse != nil:
		return agent.Part{Use: &agent.ToolUse{ID: b.ToolUse.ToolUseID, Name: b.ToolUse.Name, Input: b.ToolUse.Input}}
	case b.ToolResult != nil:
		res := &agent.ToolResult{ID: b.ToolResult.ToolUseID}
		res.Result.IsError = b.ToolResult.Status == "error"
		for _, c := range b.ToolResult.Content {
			if c.Text != nil {
				res.Result.Blocks = append(res.Result.Blocks, tools.Block{Text: *c.Text})
			} else {
				res.Result.Blocks = append(res.Result.Blocks, tools.Block{JSON: c.JSON})
			}
		}
		return agent.Part{Result: res}
	}
	return agent.Part{Text: *b.Text}
}
