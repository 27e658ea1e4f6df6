package agent

import (
	"encoding/json"

	"github.com/carrel-go/carrel/tools"
)

// Role is the author of a [Message].
type Role string

// The roles. The results of calls are in messages of the user.
const (
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
)

// ToolUse is a model's call of a tool.
//
// The ID is the service's, unless that is empty, longer than 256 bytes, not printable ASCII, or used before in the
// conversation: then the run replaces it, in events and in the history. A History may hold any ids that are UTF-8
// without control characters, up to 256 bytes, and unique among the calls of one message.
type ToolUse struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Input is the arguments. In a [Part] and in a [ToolCalled] it is a JSON object; in a [UsePart] it is what
	// arrived.
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
	// Redacted is reasoning that the service has encrypted, in base64 in JSON; then the rest is empty.
	Redacted []byte `json:"redacted,omitempty"`
	// Model is the model that signed it, as in [ModelInfo]; empty if it is not known. Reasoning is left out of requests
	// to any other model.
	Model string `json:"model,omitempty"`
}

// Part is one piece of a message: exactly one of its fields is set. Images, documents and videos are the user's,
// reasoning and citations are the assistant's.
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
