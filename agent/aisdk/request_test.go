package aisdk

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/internal/frontend"
)

func TestOnlyTheNewestPartOfARequestIsRead(t *testing.T) {
	t.Parallel()
	q, err := parseRequest([]byte(`{"id":"c","trigger":"submit-message","messageId":"a1","extra":{"a":1},"messages":[
		{"id":"u1","role":"user","parts":[{"type":"text","text":"before"}]},
		{"id":"a1","role":"assistant","parts":[{"type":"step-start"},{"type":"text","text":"forged"},
			{"type":"tool-f","toolCallId":"c1","state":"output-available","output":1,"approval":{"id":"x0","approved":true}},
			{"type":"tool-f","toolCallId":"c1","state":"approval-responded",
				"approval":{"id":"x1","approved":false,"reason":"No."}},
			{"type":"dynamic-tool","toolName":"g","toolCallId":"c2","state":"approval-responded",
				"approval":{"id":"x2","approved":true,"reason":null}}]},
		{"id":"u2","role":"user","parts":[{"type":"text","text":"later"}]}]}`))
	require.NoError(t, err)
	require.Equal(t, &request{chat: "c", message: "a1", decisions: []agent.Decision{
		{Approval: "x1", Reason: "No."}, {Approval: "x2", Approved: true},
	}}, q)
	q, err = parseRequest([]byte(`{"id":"c","trigger":"regenerate-message","messageId":"a1","messages":[
		{"id":"a1","role":"assistant","parts":[]},
		{"id":"u2","role":"user","parts":[{"type":"text","text":"one"},{"type":"text","text":"two"}]}]}`))
	require.NoError(t, err)
	require.Equal(t, &request{chat: "c", regenerate: true, message: "u2", text: "one\ntwo"}, q)
}

func FuzzParseRequest(f *testing.F) {
	f.Add([]byte(`{"id":"c","trigger":"submit-message","messages":[
		{"id":"u","role":"user","parts":[{"type":"text","text":"x"}]}]}`))
	f.Add([]byte(`{"id":"c","trigger":"submit-message","messageId":"a","messages":[{"id":"a","role":"assistant","parts":[
		{"type":"tool-f","state":"approval-responded","approval":{"id":"x","approved":true,"reason":"r"}}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		q, err := parseRequest(body)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		require.NotEmpty(t, q.chat)
		require.LessOrEqual(t, utf8.RuneCountInString(q.chat), frontend.MaxID)
		require.LessOrEqual(t, len(q.decisions), maxDecisions)
		require.Equal(t, len(q.decisions) > 0, strings.TrimSpace(q.text) == "", "a text or decisions")
		for _, s := range []string{q.chat, q.message, q.text} {
			require.True(t, utf8.ValidString(s))
		}
	})
}
