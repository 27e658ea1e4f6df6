package agent

import (
	"encoding/json"
	"slices"

	"github.com/carrel-go/carrel/tools"
)

// Role is the author of a [Message].
type Role string

// The roles. Results of calls are in messages of the user.
const (
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
)

// ToolUse is a model's call of a tool.
//
// The ID is the service's. If that is empty, longer than 256 bytes, not printable ASCII, or used before in the
// conversation, the run replaces it in events and in the history. A History may hold any ids that are UTF-8 without
// control characters, have at most 256 bytes, and are unique among the calls of one message.
type ToolUse struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Input is the arguments. It is a JSON object in a [Part] and in a [ToolCalled]. In a [UsePart] it may be invalid.
	Input json.RawMessage `json:"input"`
}

// ToolResult is the result of the call with this ID.
type ToolResult struct {
	ID string `json:"id"`
	tools.Result
}

// Reasoning is the model's reasoning before an answer. Services require it back unchanged, because the signature covers
// the text.
type Reasoning struct {
	Text      string `json:"text,omitempty"`
	Signature string `json:"signature,omitempty"`
	// Redacted is reasoning that the service has encrypted. Text and Signature are empty then.
	Redacted []byte `json:"redacted,omitempty"`
	// Model is the model that signed it, as in [ModelInfo], or empty if that is not known. Requests to other models leave
	// the reasoning out.
	Model string `json:"model,omitempty"`
}

// Part is one piece of a message. Exactly one of its fields is set. Results, images, documents and videos are the
// user's. Calls, reasoning and citations are the assistant's.
type Part struct {
	Text      string       `json:"text,omitempty"`
	Use       *ToolUse     `json:"use,omitempty"`
	Result    *ToolResult  `json:"result,omitempty"`
	Image     *tools.Media `json:"image,omitempty"`
	Document  *tools.Media `json:"document,omitempty"`
	Video     *tools.Media `json:"video,omitempty"`
	Reasoning *Reasoning   `json:"reasoning,omitempty"`
	Citation  *Citation    `json:"citation,omitempty"`
}

// Message is one message of the user or of the assistant. Its parts must not be changed once it is in a [History].
type Message struct {
	Role  Role   `json:"role"`
	Parts []Part `json:"parts"`
}

// joinMessages appends m to ms. Messages of one role in a row become one, so that roles alternate.
func joinMessages(ms []Message, m Message) []Message {
	if n := len(ms); n > 0 && ms[n-1].Role == m.Role {
		ms[n-1].Parts = slices.Concat(ms[n-1].Parts, m.Parts)
		return ms
	}
	return append(ms, m)
}
