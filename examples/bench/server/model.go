package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"time"
)

// The pace of the model.
const (
	firstToken = 300 * time.Millisecond
	pause      = 20 * time.Millisecond
	callPieces = 20  // pieces of text before a call
	endPieces  = 100 // pieces of text of the last answer
	calls      = 2
	allPieces  = calls*callPieces + endPieces
	// idealTime is how long a conversation takes if nothing but the model takes time.
	idealTime = (calls+1)*firstToken + (allPieces-calls-1)*pause
)

// model speaks ConverseStream and answers each request at the pace above: two answers with a call, and then one
// without.
type model struct {
	text, begin frame
	calls       [calls]answerEnd
	end         answerEnd
	late        *histogram // how much later than planned the text was sent
	server      *http.Server
}

// answerEnd are the frames after the text of an answer.
type answerEnd []frame

func newModel(late *histogram) *model {
	m := &model{
		late:  late,
		begin: newFrame("messageStart", `{"role":"assistant"}`),
		text: newFrame("contentBlockDelta",
			fmt.Sprintf(`{"contentBlockIndex":0,"delta":{"text":"%s"}}`, appendStamp(nil, time.UnixMicro(0)))),
	}
	for i, input := range [calls]string{
		`{\"field\":\"title\",\"value\":\"A Book\"}`, `{\"field\":\"author\",\"value\":\"A Writer\"}`,
	} {
		m.calls[i] = answerEnd{
			newFrame("contentBlockStop", `{"contentBlockIndex":0}`),
			newFrame("contentBlockStart",
				fmt.Sprintf(`{"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"call-%d","name":"set_field"}}}`, i+1)),
			newFrame("contentBlockDelta", `{"contentBlockIndex":1,"delta":{"toolUse":{"input":"`+input+`"}}}`),
			newFrame("contentBlockStop", `{"contentBlockIndex":1}`),
			newFrame("messageStop", `{"stopReason":"tool_use"}`),
			newFrame("metadata", `{"usage":{"inputTokens":900,"outputTokens":60,"totalTokens":960},"metrics":{"latencyMs":700}}`),
		}
	}
	m.end = answerEnd{
		newFrame("contentBlockStop", `{"contentBlockIndex":0}`),
		newFrame("messageStop", `{"stopReason":"end_turn"}`),
		newFrame("metadata", `{"usage":{"inputTokens":1100,"outputTokens":300,"totalTokens":1400},"metrics":{"latencyMs":2300}}`),
	}
	return m
}

// ServeHTTP counts the results in the request to find the present answer.
func (m *model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	n, pieces, end := bytes.Count(body, []byte(`"toolResult"`)), endPieces, m.end
	if n < calls {
		pieces, end = callPieces, m.calls[n]
	}
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	rc := http.NewResponseController(w)
	send := func(b []byte) bool {
		_, err := w.Write(b)
		return err == nil
	}
	if !send(m.begin.bytes) || rc.Flush() != nil {
		return
	}
	buf := make([]byte, 0, len(m.text.bytes))
	for i := range pieces {
		due := start.Add(firstToken + time.Duration(i)*pause)
		time.Sleep(time.Until(due))
		now := time.Now()
		m.late.add(now.Sub(due))
		buf = m.text.setStamp(buf, now)
		if !send(buf) || rc.Flush() != nil {
			return // the client has gone
		}
	}
	for _, f := range end {
		if !send(f.bytes) {
			return
		}
	}
}

// closeConnections closes the connections that no request uses, so that they are not counted.
func (m *model) closeConnections() {
	m.server.SetKeepAlivesEnabled(false)
	m.server.SetKeepAlivesEnabled(true)
}
