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

	// Messages are what an agent's request can hold. Media that lie in S3 have neither bytes nor an object, and the calls
	// that the service made itself are left out: see the Body.
	Messages    []agent.Message
	System      string
	Tools       []tools.Spec
	Choice      agent.Choice
	Output      *tools.Spec // structured output, with the schema in the form of the service
	CachePoints int
	MaxTokens   int // 0: not given

	// Refused is the service's message if the request was refused, with a ValidationException most often, or empty.
	Refused string

	as     httpError // how it was refused
	remote bool      // media lie in S3
	extras []string  // what a model that is a program cannot do
}

func (r *Request) refuse(e httpError) { r.Refused, r.as = e.message, e }

// request gives what an agent.Model needs of r.
func (r *Request) request() *agent.Request {
	return &agent.Request{
		System: r.System, Messages: r.Messages, Tools: r.Tools, MaxTokens: r.MaxTokens, Choice: r.Choice, Output: r.Output, Cache: r.CachePoints > 0,
	}
}

// read takes a request off the wire. It answers by itself, and gives nil, when the request is not for this
// protocol. A request that the service would refuse comes back with Refused set.
func read(w http.ResponseWriter, r *http.Request) *Request {
	req, ok := route(r)
	if !ok {
		_, _ = io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxBody))
		refuse(w, r, httpError{http.StatusNotFound, "UnknownOperationException", "The requested operation is not supported."})
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
		req.refuse(refused(fmt.Sprintf("The request body is larger than %d bytes.", tooLarge.Limit)))
		return req
	}
	if err != nil {
		panic(http.ErrAbortHandler) // the client went away in mid-request: there is nobody to answer
	}
	if e, ok := authenticate(r, body); ok {
		req.refuse(e)
		return req
	}
	msg := unknownModel
	var in wireRequest
	if in.model, ok = parseModelID(req.Model); ok {
		msg = decode(body, &in)
	}
	if msg == "" {
		msg = check(&in)
	}
	if msg == "" {
		msg = checkPrompt(req.Model, &in)
	}
	if msg != "" {
		req.refuse(refused(msg))
		return req
	}
	req.fill(&in)
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
