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

func refused(message string) httpError {
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
	_, _ = w.Write(body) // a client that went away is no error of ours
}

// eventWriter writes the frames of one event stream, each flushed by itself. An error means that the client has
// gone. Source: the specification "Amazon Event Stream" of smithy.io.
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

// event writes an event with its JSON payload.
func (e *eventWriter) event(name string, payload []byte) error {
	return e.send(event(name, payload), false)
}

// damaged writes an event with a wrong checksum.
func (e *eventWriter) damaged(name string, payload []byte) error {
	return e.send(event(name, payload), true)
}

// half writes the first half of an event.
func (e *eventWriter) half(name string, payload []byte) error {
	e.buf.Reset()
	if err := e.enc.Encode(&e.buf, event(name, payload)); err != nil {
		return err
	}
	if _, err := e.w.Write(e.buf.Bytes()[:e.buf.Len()/2]); err != nil {
		return err
	}
	return e.flush()
}

// exception writes one of the service's exceptions; the stream ends with it.
func (e *eventWriter) exception(name, message string) error {
	payload, err := json.Marshal(map[string]string{"message": message})
	if err != nil {
		return err
	}
	return e.send(frame(payload, header{":message-type", "exception"}, header{":exception-type", name}, header{":content-type", "application/json"}), false)
}

// failure writes an error that has no type; the stream ends with it.
func (e *eventWriter) failure(code, message string) error {
	return e.send(frame(nil, header{":message-type", "error"}, header{":error-code", code}, header{":error-message", message}), false)
}

func event(name string, payload []byte) eventstream.Message {
	return frame(payload, header{":message-type", "event"}, header{":event-type", name}, header{":content-type", "application/json"})
}

// header is the name and the value of a frame's header.
type header [2]string

func frame(payload []byte, headers ...header) eventstream.Message {
	m := eventstream.Message{Payload: payload}
	for _, h := range headers {
		m.Headers.Set(h[0], eventstream.StringValue(h[1]))
	}
	return m
}

// send writes one frame and flushes it.
func (e *eventWriter) send(m eventstream.Message, damaged bool) error {
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
