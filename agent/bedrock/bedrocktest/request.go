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
	"github.com/carrel-go/carrel/internal/sleep"
	"github.com/carrel-go/carrel/tools"
)

const (
	maxBody = 32 << 20 // bytes

	// beforeHeaders is the delay between the end of the request's body and the response. Over plain HTTP/1 the SDK
	// closes the request's body as soon as it sees the response's headers; if its transport still reads that body, it
	// drops the connection and the stream. A real service is never that fast.
	beforeHeaders = 2 * time.Millisecond
)

// Request is one request that reached the server.
type Request struct {
	Model  string      // the model id in the path, unescaped
	Header http.Header // as sent, signature included
	Body   []byte      // as sent: JSON

	// Messages are the messages in the agent's form. Media in S3 have neither bytes nor an object, and calls that the
	// service ran itself are left out: see Body.
	Messages    []agent.Message
	System      string
	Tools       []tools.Spec
	Choice      agent.Choice
	Output      *tools.Spec // structured output, with the schema in the form of the service
	CachePoints int
	MaxTokens   int // zero if absent

	// Refused is the message of the service's error, usually a ValidationException, if the request was refused, or
	// empty.
	Refused string

	refusal httpError // the answer, if Refused is set
	remote  bool      // some media are in S3
	extras  []string  // members that an agent.Request cannot represent
}

func (r *Request) refuse(e httpError) { r.Refused, r.refusal = e.message, e }

func (r *Request) agentRequest() *agent.Request {
	return &agent.Request{
		System: r.System, Messages: r.Messages, Tools: r.Tools, Choice: r.Choice, Output: r.Output,
		MaxTokens: r.MaxTokens, Cache: r.CachePoints > 0,
	}
}

// readRequest reads and checks a request. If it is not for this protocol, readRequest answers it and returns nil. If
// the service would refuse it, Refused is set.
func readRequest(w http.ResponseWriter, r *http.Request) *Request {
	req, ok := parseRoute(r)
	if !ok {
		_, _ = io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxBody))
		const message = "The requested operation is not supported."
		writeError(w, httpError{http.StatusNotFound, "UnknownOperationException", message})
		return nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	_ = sleep.For(r.Context(), beforeHeaders)
	req.Body = body
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		req.refuse(newValidationError(fmt.Sprintf("The request body is larger than %d bytes.", tooLarge.Limit)))
		return req
	}
	if err != nil {
		panic(http.ErrAbortHandler) // the client went away before the end of its request
	}
	if e, ok := authenticate(r, body); ok {
		req.refuse(e)
		return req
	}
	msg := unknownModel
	var in wireRequest
	if in.model, ok = parseModelID(req.Model); ok {
		msg = decodeRequest(body, &in)
	}
	if msg == "" {
		msg = checkRequest(&in)
	}
	if msg == "" {
		msg = checkPrompt(req.Model, &in)
	}
	if msg != "" {
		req.refuse(newValidationError(msg))
		return req
	}
	req.setFields(&in)
	return req
}

// parseRoute returns a request with the model id of the path, if the operation is converse-stream. The colons and
// slashes of an ARN are escaped.
func parseRoute(r *http.Request) (*Request, bool) {
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), "/model/")
	if !ok || r.Method != http.MethodPost {
		return nil, false
	}
	id, op, ok := strings.Cut(rest, "/")
	if !ok || op != "converse-stream" {
		return nil, false
	}
	model, err := url.PathUnescape(id)
	if err != nil || model == "" {
		return nil, false
	}
	return &Request{Model: model, Header: r.Header.Clone()}, true
}

// decodeRequest accepts one JSON value without unsupported members. It returns the service's message, or an empty
// string.
func decodeRequest(body []byte, in *wireRequest) string {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(in); err != nil {
		if _, field, ok := strings.Cut(err.Error(), "json: unknown field "); ok {
			return unsupportedFieldMessage(strings.Trim(field, `"`))
		}
		return malformedMessage(err.Error())
	}
	if _, err := d.Token(); err != io.EOF {
		return malformedMessage("more than one JSON value")
	}
	return ""
}
