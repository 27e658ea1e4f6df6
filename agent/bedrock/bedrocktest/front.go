package bedrocktest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/carrel-go/carrel/agent"
)

// Front serves a model over the Converse protocol, under every model id. The model runs under the request's
// context, so a client that goes away cancels it. The handler is safe for concurrent use if the model is.
//
// An [agent.ModelError] becomes the service's error of the same kind: an HTTP error before the first delta, an
// exception in the stream afterwards. Where the service would show the same failure in another way, so does Front:
// an answer that was truncated ends without messageStop, and one that was filtered, was malformed or filled the
// context window ends with that stop reason. Causes and other errors
// do not reach the client, but a cause with the method ServiceMessage() string replaces the message: a conformance suite
// uses it to send what an adapter must not show to a person.
//
// Images, documents, reasoning and the choice of a tool reach the model as the agent's parts, and cache points as
// [agent.Request.Cache]. Structured output reaches a model whose [agent.ModelInfo] says that it supports it. Request.Load is nil: what lies in S3 is refused, as are parameters of which a program knows
// nothing, such as a temperature or a guardrail.
func Front(m agent.Model) http.Handler { return front{m} }

type front struct{ model agent.Model }

func (f front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req := read(w, r)
	if req == nil {
		return
	}
	switch {
	case req.Refused != "":
	case req.remote:
		req.refuse(unsupported("s3Location"))
	case req.Output != nil && !f.structured():
		req.refuse(unsupported("outputConfig"))
	case len(req.extras) > 0:
		req.refuse(unsupported(req.extras[0]))
	}
	switch {
	case req.Refused != "":
		refuse(w, r, req.as)
	case req.Stream:
		f.stream(w, r, req)
	default:
		f.converse(w, r, req)
	}
}

// structured reports whether the model supports structured output.
func (f front) structured() bool {
	d, ok := f.model.(agent.Described)
	return ok && d.Info().StructuredOutput
}

// stream answers converse-stream. The headers wait for the first delta, since only then it is known that the call
// did not fail. An error of the writer means that the client has gone; leaving the loop cancels the model.
func (f front) stream(w http.ResponseWriter, r *http.Request, req *Request) {
	var (
		e    *eventWriter
		out  *speaker // nil until the headers are out
		used agent.Usage
		stop string
	)
	begin := func() error {
		if out != nil {
			return nil
		}
		e = newEventWriter(w)
		msg, err := startMessage(e)
		out = newSpeaker(msg)
		return err
	}
	for d, err := range f.model.Stream(r.Context(), req.request()) {
		if err != nil {
			switch fault := asFault(err); {
			case fault.truncated:
				return
			case fault.reason != "":
				stop = fault.reason
				continue
			case out == nil:
				writeError(w, fault.httpError)
				return
			default:
				_ = e.exception(lowerCamel(fault.name), fault.message)
				return
			}
		}
		if begin() != nil {
			return
		}
		switch d := d.(type) {
		case agent.UsageReport:
			used = d.Usage
		case agent.StopPart:
			stop = wireReason(d.Reason)
		default:
			err = out.say(d)
		}
		if errors.Is(err, errBreach) {
			_ = e.exception("modelStreamErrorException", "The model contradicted itself.")
			return
		}
		if err != nil {
			return
		}
	}
	if stop == "" || begin() != nil { // without a stop reason the model's stream was cut: so is ours
		return
	}
	if out.finish() == nil && out.stop(stop) == nil {
		_ = out.metadata(used)
	}
}

// converse answers the operation that does not stream.
func (f front) converse(w http.ResponseWriter, r *http.Request, req *Request) {
	res := wireResponse{Output: wireOutput{Message: wireMessage{Role: "assistant", Content: []wireBlock{}}}}
	content := &res.Output.Message.Content
	for d, err := range f.model.Stream(r.Context(), req.request()) {
		if err != nil {
			fault := asFault(err)
			if fault.reason == "" {
				writeError(w, fault.httpError)
				return
			}
			res.StopReason = fault.reason
			continue
		}
		switch d := d.(type) {
		case agent.TextDelta:
			if n := len(*content); n > 0 && (*content)[n-1].Text != nil {
				*(*content)[n-1].Text += d.Text
			} else {
				*content = append(*content, wireBlock{Text: &d.Text})
			}
		case agent.ReasoningPart:
			*content = append(*content, wireBlock{Reasoning: wholeReasoning(d.Reasoning)})
		case agent.CitationPart:
			*content = cite(*content, d.Citation)
		case agent.UsePart:
			input := d.Input
			if len(input) == 0 {
				input = []byte("{}")
			}
			if !json.Valid(input) {
				writeError(w, httpError{http.StatusFailedDependency, "ModelErrorException", "The model produced a tool use that is not valid JSON."})
				return
			}
			*content = append(*content, wireBlock{ToolUse: &wireToolUse{ToolUseID: d.ID, Name: d.Name, Input: input}})
		case agent.UsageReport:
			res.Usage = usage(d.Usage)
		case agent.StopPart:
			res.StopReason = wireReason(d.Reason)
		}
	}
	if res.StopReason == "" {
		writeError(w, asFault(&agent.ModelError{Code: agent.CodeTruncated}).httpError)
		return
	}
	writeJSON(w, http.StatusOK, res)
}

// cite adds a citation to the text before it, which becomes a block of citations.
func cite(content []wireBlock, c agent.Citation) []wireBlock {
	n := len(content)
	switch {
	case n > 0 && content[n-1].Text != nil:
		content[n-1] = wireBlock{Citations: &wireCitations{Content: []wireQuote{{*content[n-1].Text}}}}
	case n == 0 || content[n-1].Citations == nil:
		content = append(content, wireBlock{Citations: &wireCitations{}})
		n++
	}
	cited := content[n-1].Citations
	cited.Citations = append(cited.Citations, citationJSON(c))
	return content
}

func wholeReasoning(r agent.Reasoning) *wireReasoning {
	if len(r.Redacted) > 0 {
		return &wireReasoning{RedactedContent: r.Redacted}
	}
	t := &wireReasoningText{Text: &r.Text}
	if r.Signature != "" {
		t.Signature = &r.Signature
	}
	return &wireReasoning{ReasoningText: t}
}

func unsupported(field string) httpError {
	return refused(fmt.Sprintf("This model doesn't support the %s field. Remove %s and try again.", field, field))
}

// fault is how an error of a model looks on the wire.
type fault struct {
	httpError
	truncated bool   // in a stream: ends without messageStop
	reason    string // not an error at all, but a stop reason
}

func asFault(err error) fault {
	me, ok := errors.AsType[*agent.ModelError](err)
	if !ok {
		return fault{httpError: httpError{http.StatusInternalServerError, "InternalServerException",
			"The system encountered an unexpected error during processing. Try again your request."}}
	}
	message := me.Message
	if cause, ok := errors.AsType[interface {
		error
		ServiceMessage() string
	}](me.Err); ok {
		message = cause.ServiceMessage()
	}
	as := func(status int, name string) fault {
		return fault{httpError: httpError{status, name, message}}
	}
	switch me.Code {
	case agent.CodeThrottled:
		return as(http.StatusTooManyRequests, "ThrottlingException")
	case agent.CodeAccessDenied:
		return as(http.StatusForbidden, "AccessDeniedException")
	case agent.CodeInvalidCall:
		return as(http.StatusBadRequest, "ValidationException")
	case agent.CodeUnavailable:
		return as(http.StatusServiceUnavailable, "ServiceUnavailableException")
	case agent.CodeTimeout:
		return as(http.StatusRequestTimeout, "ModelTimeoutException")
	case agent.CodeTruncated:
		f := as(http.StatusFailedDependency, "ModelErrorException")
		f.truncated = true
		return f
	case agent.CodeFiltered:
		return fault{reason: "content_filtered"}
	case agent.CodeMalformed:
		return fault{reason: "malformed_model_output"}
	case agent.CodeContextFull:
		return fault{reason: "model_context_window_exceeded"}
	}
	return as(http.StatusInternalServerError, "InternalServerException")
}

// wireReason is the service's name of a stop reason.
func wireReason(r agent.StopReason) string {
	switch r {
	case agent.StopContextWindow:
		return "model_context_window_exceeded"
	case agent.StopMalformed:
		return "malformed_model_output"
	}
	return string(r)
}
