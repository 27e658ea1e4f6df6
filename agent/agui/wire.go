package agui

import (
	"encoding/json"

	"github.com/carrel-go/carrel/sse"
)

// protocolVersion is the version of AG-UI that the package writes.
const protocolVersion = "1.0"

// The types of the events that the package writes.
const (
	typeRunStarted       = "RUN_STARTED"
	typeRunFinished      = "RUN_FINISHED"
	typeRunError         = "RUN_ERROR"
	typeStepStarted      = "STEP_STARTED"
	typeStepFinished     = "STEP_FINISHED"
	typeTextStart        = "TEXT_MESSAGE_START"
	typeTextContent      = "TEXT_MESSAGE_CONTENT"
	typeTextEnd          = "TEXT_MESSAGE_END"
	typeToolStart        = "TOOL_CALL_START"
	typeToolArgs         = "TOOL_CALL_ARGS"
	typeToolEnd          = "TOOL_CALL_END"
	typeToolResult       = "TOOL_CALL_RESULT"
	typeReasoningStart   = "REASONING_START"
	typeReasoningOpen    = "REASONING_MESSAGE_START"
	typeReasoningContent = "REASONING_MESSAGE_CONTENT"
	typeReasoningClose   = "REASONING_MESSAGE_END"
	typeReasoningEnd     = "REASONING_END"
	typeSnapshot         = "MESSAGES_SNAPSHOT"
	typeCustom           = "CUSTOM"
)

// The roles of messages.
const (
	roleUser      = "user"
	roleAssistant = "assistant"
	roleReasoning = "reasoning"
	roleTool      = "tool"
	roleActivity  = "activity"
)

// The events. The types of AG-UI that are not here are not written.
type (
	runStarted struct {
		Type     string `json:"type"`
		Thread   string `json:"threadId"`
		Run      string `json:"runId"`
		Version  string `json:"protocolVersion"`
		Metadata any    `json:"metadata,omitempty"`
	}
	runFinished struct {
		Type    string          `json:"type"`
		Thread  string          `json:"threadId"`
		Run     string          `json:"runId"`
		Result  json.RawMessage `json:"result,omitempty"`
		Outcome outcome         `json:"outcome"`
		Usage   []tokenUsage    `json:"usage,omitempty"`
	}
	outcome struct {
		Type       string      `json:"type"`
		Interrupts []interrupt `json:"interrupts,omitempty"`
	}
	interrupt struct {
		ID             string          `json:"id"`
		Reason         string          `json:"reason"`
		Message        string          `json:"message"`
		ToolCall       string          `json:"toolCallId"`
		ResponseSchema json.RawMessage `json:"responseSchema"`
		Expires        string          `json:"expiresAt,omitempty"`
	}
	runError struct {
		Type     string       `json:"type"`
		Message  string       `json:"message"`
		Code     string       `json:"code,omitempty"`
		Usage    []tokenUsage `json:"usage,omitempty"`
		Metadata any          `json:"metadata,omitempty"`
	}
	tokenUsage struct {
		Model      string `json:"model,omitempty"`
		Input      int64  `json:"inputTokens"`
		Output     int64  `json:"outputTokens"`
		Total      int64  `json:"totalTokens"`
		CacheRead  int64  `json:"cachedInputTokens,omitempty"`
		CacheWrite int64  `json:"cacheWriteInputTokens,omitempty"`
	}
	stepEvent struct {
		Type string `json:"type"`
		Name string `json:"stepName"`
	}
	messageStart struct {
		Type    string `json:"type"`
		Message string `json:"messageId"`
		Role    string `json:"role"`
	}
	messageContent struct {
		Type    string `json:"type"`
		Message string `json:"messageId"`
		Delta   string `json:"delta"`
	}
	messageMark struct { // an event that has only the id of its message
		Type    string `json:"type"`
		Message string `json:"messageId"`
	}
	toolStart struct {
		Type   string `json:"type"`
		Call   string `json:"toolCallId"`
		Name   string `json:"toolCallName"`
		Parent string `json:"parentMessageId"`
	}
	toolArgs struct {
		Type  string `json:"type"`
		Call  string `json:"toolCallId"`
		Delta string `json:"delta"`
	}
	toolEnd struct {
		Type string `json:"type"`
		Call string `json:"toolCallId"`
	}
	toolResult struct {
		Type     string `json:"type"`
		Message  string `json:"messageId"`
		Call     string `json:"toolCallId"`
		Content  string `json:"content"`
		Role     string `json:"role"`
		Metadata any    `json:"metadata,omitempty"`
	}
	snapshot struct {
		Type     string `json:"type"`
		Messages []any  `json:"messages"`
	}
	custom struct {
		Type  string `json:"type"`
		Name  string `json:"name"`
		Value any    `json:"value"`
	}
)

// The messages of a snapshot.
type (
	assistantMessage struct {
		ID      string        `json:"id"`
		Role    string        `json:"role"`
		Content string        `json:"content,omitempty"`
		Calls   []messageCall `json:"toolCalls,omitempty"`
	}
	messageCall struct {
		ID       string       `json:"id"`
		Type     string       `json:"type"`
		Function callFunction `json:"function"`
	}
	callFunction struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	}
	reasoningMessage struct {
		ID      string `json:"id"`
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	toolMessage struct {
		ID       string `json:"id"`
		Role     string `json:"role"`
		Content  string `json:"content"`
		Call     string `json:"toolCallId"`
		Metadata any    `json:"metadata,omitempty"`
	}
)

// namespace is the member of metadata, and the prefix of the names of custom events, that are carrel's own.
const namespace = "carrel"

// encodeFrame returns the frame of an event. Frames do not have ids, because an AG-UI client cannot continue from one.
func encodeFrame(event any) (sse.Event, error) {
	data, err := json.Marshal(event)
	return sse.Event{Data: data}, err
}
