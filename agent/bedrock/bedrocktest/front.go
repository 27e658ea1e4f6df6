package bedrocktest

import (
	"errors"
	"net/http"

	"github.com/carrel-go/carrel/agent"
)

// Front returns a handler that serves a model over ConverseStream, under every model id. The model runs under
// the request's context, so a client that goes away cancels it. The handler is safe for concurrent use if the model is.
//
// An [agent.ModelError] becomes the service's error of the same kind: an HTTP error before the first delta, an
// exception in the stream afterwards. If the service reports the failure in another way, so does Front: a truncated
// answer ends without messageStop, and one that was filtered, was malformed or filled the context window ends with that
// stop reason. Causes and other errors do not reach the client, but a cause with the method ServiceMessage() string
// replaces the message: a conformance suite uses it to send what an adapter must not show to a person.
//
// Images, documents, reasoning and the choice of a tool reach the model as the agent's parts, and cache points as
// [agent.Request.Cache]. Structured output reaches a model whose [agent.ModelInfo] says that it supports it.
// Request.Load is nil: media in S3 are refused, as are parameters that an [agent.Request] does not have, such as a
// temperature or a guardrail.
//
// Front panics if m is nil.
func Front(m agent.Model) http.Handler {
	if m == nil {
		panic("bedrocktest: Front: the model must not be nil")
	}
	return front{m}
}

type front struct{ model agent.Model }

func (f front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req := readRequest(w, r)
	if req == nil {
		return
	}
	switch {
	case req.Refused != "":
	case req.remote:
		req.refuse(newUnsupportedError("s3Location"))
	case req.Output != nil && !f.hasStructuredOutput():
		req.refuse(newUnsupportedError("outputConfig"))
	case len(req.extras) > 0:
		req.refuse(newUnsupportedError(req.extras[0]))
	}
	if req.Refused != "" {
		writeError(w, req.refusal)
		return
	}
	f.serveStream(w, r, req)
}

// hasStructuredOutput reports whether the model supports structured output.
func (f front) hasStructuredOutput() bool {
	d, ok := f.model.(agent.Described)
	return ok && d.Info().StructuredOutput
}

// serveStream answers a valid request. The headers are sent with the first delta, because the call may fail before it.
// An error of the writer means that the client has gone; leaving the loop cancels the model.
func (f front) serveStream(w http.ResponseWriter, r *http.Request, req *Request) {
	var (
		e    *eventWriter
		out  *deltaWriter // nil until the headers are out
		used agent.Usage
		stop string
	)
	begin := func() {
		if out == nil {
			e = newEventWriter(w)
			out = newDeltaWriter(startMessage(e))
		}
	}
	for d, err := range f.model.Stream(r.Context(), req.agentRequest()) {
		if err != nil {
			switch fault := mapModelError(err); {
			case fault.truncated:
				return
			case fault.reason != "":
				stop = fault.reason
				continue
			case out == nil:
				writeError(w, fault.httpError)
				return
			default:
				e.sendException(exceptionMember(fault.name), fault.message)
				return
			}
		}
		begin()
		switch d := d.(type) {
		case agent.UsageReport:
			used = d.Usage
		case agent.StopPart:
			stop = mapStopReason(d.Reason)
		default:
			err = out.writeDelta(d)
		}
		if err != nil {
			e.sendException("modelStreamErrorException", "The model contradicted itself.")
		}
		if err != nil || e.err != nil {
			return
		}
	}
	if stop == "" { // the model's stream was cut
		return
	}
	if begin(); out.isComplete() {
		out.stopMessage(stop, used)
	}
}

func newUnsupportedError(field string) httpError {
	return newValidationError(unsupportedFieldMessage(field))
}

// fault is the form of a model's error on the wire.
type fault struct {
	httpError
	truncated bool   // the stream ends without messageStop
	reason    string // not an error, but a stop reason
}

func mapModelError(err error) fault {
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
	newFault := func(status int, name string) fault {
		return fault{httpError: httpError{status, name, message}}
	}
	switch me.Code {
	case agent.CodeThrottled:
		return newFault(http.StatusTooManyRequests, "ThrottlingException")
	case agent.CodeAccessDenied:
		return newFault(http.StatusForbidden, "AccessDeniedException")
	case agent.CodeInvalidCall:
		return newFault(http.StatusBadRequest, "ValidationException")
	case agent.CodeUnavailable:
		return newFault(http.StatusServiceUnavailable, "ServiceUnavailableException")
	case agent.CodeTimeout:
		return newFault(http.StatusRequestTimeout, "ModelTimeoutException")
	case agent.CodeTruncated:
		f := newFault(http.StatusFailedDependency, "ModelErrorException")
		f.truncated = true
		return f
	case agent.CodeFiltered:
		return fault{reason: "content_filtered"}
	case agent.CodeMalformed:
		return fault{reason: "malformed_model_output"}
	case agent.CodeContextFull:
		return fault{reason: "model_context_window_exceeded"}
	}
	return newFault(http.StatusInternalServerError, "InternalServerException")
}

// mapStopReason is the service's name of a stop reason.
func mapStopReason(r agent.StopReason) string {
	switch r {
	case agent.StopContextWindow:
		return "model_context_window_exceeded"
	case agent.StopMalformed:
		return "malformed_model_output"
	}
	return string(r)
}
