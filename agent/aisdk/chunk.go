package aisdk

import (
	"bytes"
	"encoding/json"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/sse"
)

// chunk is one chunk of the UI message stream. Members that a type does not have are empty.
type chunk struct {
	Type string `json:"type"`

	ID        string `json:"id,omitempty"` // of a text, reasoning or data part
	Delta     string `json:"delta,omitempty"`
	MessageID string `json:"messageId,omitempty"`

	ToolCallID  string          `json:"toolCallId,omitempty"`
	ToolName    string          `json:"toolName,omitempty"`
	Input       json.RawMessage `json:"input,omitempty"`
	Output      json.RawMessage `json:"output,omitempty"`
	Preliminary bool            `json:"preliminary,omitempty"`
	ErrorText   string          `json:"errorText,omitempty"`

	ApprovalID string `json:"approvalId,omitempty"`
	Approved   *bool  `json:"approved,omitempty"`
	Reason     string `json:"reason,omitempty"`

	SourceID  string          `json:"sourceId,omitempty"`
	URL       string          `json:"url,omitempty"`
	MediaType string          `json:"mediaType,omitempty"`
	Title     string          `json:"title,omitempty"`
	Data      json.RawMessage `json:"data,omitempty"`

	FinishReason     string            `json:"finishReason,omitempty"`
	MessageMetadata  *metadata         `json:"messageMetadata,omitempty"`
	ProviderMetadata *providerMetadata `json:"providerMetadata,omitempty"`
}

// metadata is the metadata of the message.
type metadata struct {
	Usage usage  `json:"usage"`
	Model string `json:"model,omitempty"`
}

// usage is a LanguageModelUsage of the AI SDK.
type usage struct {
	Input        int64        `json:"inputTokens"` // cached ones included
	InputDetails inputDetails `json:"inputTokenDetails"`
	Output       int64        `json:"outputTokens"`
	Total        int64        `json:"totalTokens"`
}

type inputDetails struct {
	NoCache    int64 `json:"noCacheTokens"`
	CacheRead  int64 `json:"cacheReadTokens"`
	CacheWrite int64 `json:"cacheWriteTokens"`
}

func newUsage(u agent.Usage) usage {
	input := u.Input + u.CacheRead + u.CacheWrite
	details := inputDetails{u.Input, u.CacheRead, u.CacheWrite}
	return usage{Input: input, InputDetails: details, Output: u.Output, Total: input + u.Output}
}

// providerMetadata holds what the SDK does not have a member for.
type providerMetadata struct {
	Carrel citationDetails `json:"carrel"`
}

type citationDetails struct {
	Text     string         `json:"text,omitempty"`
	Quotes   []string       `json:"quotes,omitempty"`
	Location agent.Location `json:"location,omitzero"`
}

// doneFrame ends every complete stream.
var doneFrame = sse.Event{Data: []byte("[DONE]")}

// encodeValue returns a value from the log as the SDK accepts it.
func encodeValue(raw json.RawMessage) json.RawMessage {
	switch {
	case len(raw) == 0:
		return json.RawMessage("null")
	case isHarmless(raw):
		return raw
	}
	text, err := json.Marshal(string(raw))
	if err != nil {
		return json.RawMessage("null")
	}
	return text
}

// isHarmless reports whether the SDK's parser accepts the value: it rejects the members "__proto__" and
// "constructor" with a member "prototype".
func isHarmless(raw json.RawMessage) bool {
	isSuspect := func(word string) bool { return bytes.Contains(raw, []byte(word)) }
	if !isSuspect("__proto__") && !isSuspect("constructor") && !isSuspect(`\u`) {
		return true
	}
	v, err := strictjson.Parse(raw)
	return err == nil && !hasPrototype(v)
}

func hasPrototype(v strictjson.Value) bool {
	for item := range v.Items() {
		if hasPrototype(item) {
			return true
		}
	}
	for name, member := range v.Members() {
		if name == "__proto__" || hasPrototype(member) {
			return true
		}
		if _, ok := member.Get("prototype"); ok && name == "constructor" {
			return true
		}
	}
	return false
}
