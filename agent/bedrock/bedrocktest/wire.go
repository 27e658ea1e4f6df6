package bedrocktest

import "encoding/json"

// The request of Converse and ConverseStream, as far as it is supported. Pointers tell what is absent; a member
// that is not here is refused by the decoder.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
type (
	wireRequest struct {
		Messages        []wireMessage   `json:"messages"`
		System          []wireText      `json:"system"`
		InferenceConfig *wireInference  `json:"inferenceConfig"`
		ToolConfig      *wireToolConfig `json:"toolConfig"`
	}
	wireMessage struct {
		Role    string      `json:"role"`
		Content []wireBlock `json:"content"`
	}
	// wireBlock is a union: one of its members.
	wireBlock struct {
		Text       *string         `json:"text,omitempty"`
		ToolUse    *wireToolUse    `json:"toolUse,omitempty"`
		ToolResult *wireToolResult `json:"toolResult,omitempty"`
	}
	wireToolUse struct {
		ToolUseID string          `json:"toolUseId"`
		Name      string          `json:"name"`
		Input     json.RawMessage `json:"input"`
	}
	wireToolResult struct {
		ToolUseID string            `json:"toolUseId"`
		Content   []wireResultBlock `json:"content"`
		Status    string            `json:"status"`
	}
	// wireResultBlock is a union: one of its members.
	wireResultBlock struct {
		Text *string         `json:"text"`
		JSON json.RawMessage `json:"json"`
	}
	wireText struct {
		Text *string `json:"text"`
	}
	wireInference struct {
		MaxTokens *int `json:"maxTokens"`
	}
	wireToolConfig struct {
		Tools      []wireTool      `json:"tools"`
		ToolChoice *wireToolChoice `json:"toolChoice"`
	}
	wireTool struct {
		ToolSpec *wireToolSpec `json:"toolSpec"`
	}
	wireToolSpec struct {
		Name        string          `json:"name"`
		Description *string         `json:"description"`
		InputSchema *wireToolSchema `json:"inputSchema"`
	}
	wireToolSchema struct {
		JSON json.RawMessage `json:"json"`
	}
	wireToolChoice struct {
		Auto *struct{} `json:"auto"`
	}
)

// The response of Converse.
type (
	wireResponse struct {
		Output     wireOutput  `json:"output"`
		StopReason string      `json:"stopReason"`
		Usage      wireUsage   `json:"usage"`
		Metrics    wireMetrics `json:"metrics"`
	}
	wireOutput struct {
		Message wireMessage `json:"message"`
	}
	wireUsage struct {
		InputTokens           int64 `json:"inputTokens"`
		OutputTokens          int64 `json:"outputTokens"`
		TotalTokens           int64 `json:"totalTokens"`
		CacheReadInputTokens  int64 `json:"cacheReadInputTokens,omitempty"`
		CacheWriteInputTokens int64 `json:"cacheWriteInputTokens,omitempty"`
	}
	wireMetrics struct {
		LatencyMs int64 `json:"latencyMs"`
	}
)
