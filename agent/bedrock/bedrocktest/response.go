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
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own types, and JSON that has been checked
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may have gone
}

// eventWriter writes the frames of one event stream and flushes each. An error means that the client has gone. Source:
// the specification "Amazon Event Stream" of smithy.io.
type eventWriter struct {
	w     http.ResponseWriter
	flush func() error
	enc   *eventstream.Encoder
	buf   bytes.Buffer
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
func (e *eventWriter) sendEvent(name string, payload []byte) error {
	return e.sendMessage(newEvent(name, payload), false)
}

// sendDamaged writes an event with a wrong checksum.
func (e *eventWriter) sendDamaged(name string, payload []byte) error {
	return e.sendMessage(newEvent(name, payload), true)
}

// sendException writes one of the service's exceptions; the stream ends with it.
func (e *eventWriter) sendException(name, message string) error {
	payload, err := json.Marshal(map[string]string{"message": message})
	if err != nil {
		return err
	}
	return e.sendMessage(newFrame(payload, header{":message-type", "exception"}, header{":exception-type", name}, header{":content-type", "application/json"}), false)
}

func newEvent(name string, payload []byte) eventstream.Message {
	return newFrame(payload, header{":message-type", "event"}, header{":event-type", name}, header{":content-type", "application/json"})
}

// header is the name and the value of a frame's header.
type header [2]string

func newFrame(payload []byte, headers ...header) eventstream.Message {
	m := eventstream.Message{Payload: payload}
	for _, h := range headers {
		m.Headers.Set(h[0], eventstream.StringValue(h[1]))
	}
	return m
}

// sendMessage writes one frame and flushes it.
func (e *eventWriter) sendMessage(m eventstream.Message, damaged bool) error {
	e.buf.Reset()
	if err := e.enc.Encode(&e.buf, m); err != nil {
		return err
	}
	b := e.buf.Bytes()
	if damaged {
		b[len(b)-1] ^= 0xff
	}
	if _, err := e.w.Write(b); err != nil {
		return err
	}
	return e.flush()
}
