package bedrocktest

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

// httpError is one of the service's errors as an HTTP response.
type httpError struct {
	status  int
	name    string // for X-Amzn-ErrorType
	message string
}

func newValidationError(message string) httpError {
	return httpError{http.StatusBadRequest, "ValidationException", message}
}

func writeError(w http.ResponseWriter, e httpError) {
	w.Header().Set("X-Amzn-ErrorType", e.name)
	writeJSON(w, e.status, map[string]string{"message": e.message})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(marshal(v)) // the client may have gone
}

// marshal encodes our types, which cannot fail.
func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// eventWriter writes the frames of one event stream and flushes each. After an error, which means that the client has
// gone, it does not write any more. Source: the specification "Amazon Event Stream" of smithy.io.
type eventWriter struct {
	w     http.ResponseWriter
	flush func() error
	enc   *eventstream.Encoder
	buf   bytes.Buffer
	err   error
}

// newEventWriter sends the headers of a stream.
func newEventWriter(w http.ResponseWriter) *eventWriter {
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	w.WriteHeader(http.StatusOK)
	e := &eventWriter{w: w, flush: http.NewResponseController(w).Flush, enc: eventstream.NewEncoder()}
	_ = e.flush()
	return e
}

// sendEvent writes an event with its JSON payload.
func (e *eventWriter) sendEvent(name string, payload []byte) {
	e.sendFrame(newEvent(name, payload), false)
}

// sendException writes one of the service's exceptions; the stream ends with it.
func (e *eventWriter) sendException(name, message string) {
	e.sendFrame(newFrame("exception", name, marshal(map[string]string{"message": message})), false)
}

func newEvent(name string, payload []byte) eventstream.Message {
	return newFrame("event", name, payload)
}

// newFrame returns a frame of a kind, event or exception.
func newFrame(kind, name string, payload []byte) eventstream.Message {
	m := eventstream.Message{Payload: payload}
	m.Headers.Set(":message-type", eventstream.StringValue(kind))
	m.Headers.Set(":"+kind+"-type", eventstream.StringValue(name))
	m.Headers.Set(":content-type", eventstream.StringValue("application/json"))
	return m
}

// sendFrame writes one frame, with a wrong checksum if it is damaged, and flushes it.
func (e *eventWriter) sendFrame(m eventstream.Message, isDamaged bool) {
	if e.err != nil {
		return
	}
	e.buf.Reset()
	if e.err = e.enc.Encode(&e.buf, m); e.err != nil {
		return
	}
	b := e.buf.Bytes()
	if isDamaged {
		b[len(b)-1] ^= 0xff
	}
	if _, e.err = e.w.Write(b); e.err == nil {
		e.err = e.flush()
	}
}
