package bedrocktest

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
)

// The request of ConverseStream, as far as it is supported. A nil pointer is an absent member; the decoder
// refuses unknown members.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
type (
	wireRequest struct {
		model modelID // of the path

		Messages        []wireMessage     `json:"messages"`
		System          []wireSystem      `json:"system"`
		InferenceConfig *wireInference    `json:"inferenceConfig"`
		ToolConfig      *wireToolConfig   `json:"toolConfig"`
		OutputConfig    *wireOutputConfig `json:"outputConfig"`
		wireExtras
	}
	// wireExtras are members that an agent.Request cannot represent.
	wireExtras struct {
		AdditionalModelRequestFields json.RawMessage   `json:"additionalModelRequestFields"`
		GuardrailConfig              *wireGuardrail    `json:"guardrailConfig"`
		PerformanceConfig            *wirePerformance  `json:"performanceConfig"`
		ServiceTier                  *wireServiceTier  `json:"serviceTier"`
		RequestMetadata              map[string]string `json:"requestMetadata"`
	}
	wireMessage struct {
		Role    string      `json:"role"`
		Content []wireBlock `json:"content"`
	}
	// wireBlock is a union: one of its members.
	wireBlock struct {
		Text *string `json:"text"`
		wireMediaUnion
		ToolUse    *wireToolUse      `json:"toolUse"`
		ToolResult *wireToolResult   `json:"toolResult"`
		Reasoning  *wireReasoning    `json:"reasoningContent"`
		Citations  *wireCitations    `json:"citationsContent"`
		Guard      *wireGuardContent `json:"guardContent"`
		CachePoint *wireCachePoint   `json:"cachePoint"`
	}
	wireToolUse struct {
		ToolUseID string          `json:"toolUseId"`
		Name      string          `json:"name"`
		Input     json.RawMessage `json:"input"`
		Type      string          `json:"type"`
	}
	wireToolResult struct {
		ToolUseID string            `json:"toolUseId"`
		Content   []wireResultBlock `json:"content"`
		Status    string            `json:"status"`
		Type      string            `json:"type"`
	}
	// wireResultBlock is a union: one of its members.
	wireResultBlock struct {
		Text *string         `json:"text"`
		JSON json.RawMessage `json:"json"`
		wireMediaUnion
	}
	// wireMediaUnion are the members of a union of content that are files.
	wireMediaUnion struct {
		Image    *wireMedia `json:"image"`
		Document *wireMedia `json:"document"`
		Video    *wireMedia `json:"video"`
	}
	// wireMedia is an image, a video or a document. Only a document has a name.
	wireMedia struct {
		Format    string     `json:"format"`
		Name      *string    `json:"name"`
		Source    wireSource `json:"source"`
		Citations *struct {
			Enabled bool `json:"enabled"`
		} `json:"citations"` // of a document
	}
	// wireSource is a union: one of its members.
	wireSource struct {
		Bytes      []byte          `json:"bytes"`
		S3Location *wireS3Location `json:"s3Location"`
		Text       *string         `json:"text"` // of a document with citations
	}
	wireS3Location struct {
		URI         string  `json:"uri"`
		BucketOwner *string `json:"bucketOwner"`
	}
	// wireReasoning is a union: one of its members.
	wireReasoning struct {
		ReasoningText   *wireReasoningText `json:"reasoningText"`
		RedactedContent []byte             `json:"redactedContent"`
	}
	wireReasoningText struct {
		Text      *string `json:"text"`
		Signature *string `json:"signature"`
	}
	wireCachePoint struct {
		Type string  `json:"type"`
		TTL  *string `json:"ttl"`
	}
	// wireSystem is a union: one of its members.
	wireSystem struct {
		Text       *string           `json:"text"`
		Guard      *wireGuardContent `json:"guardContent"`
		CachePoint *wireCachePoint   `json:"cachePoint"`
	}
	wireInference struct {
		MaxTokens     *int     `json:"maxTokens"`
		Temperature   *float64 `json:"temperature"`
		TopP          *float64 `json:"topP"`
		StopSequences []string `json:"stopSequences"`
	}
	wireToolConfig struct {
		Tools      []wireTool      `json:"tools"`
		ToolChoice *wireToolChoice `json:"toolChoice"`
	}
	// wireTool is a union: one of its members.
	wireTool struct {
		ToolSpec   *wireToolSpec   `json:"toolSpec"`
		SystemTool *wireSystemTool `json:"systemTool"`
		CachePoint *wireCachePoint `json:"cachePoint"`
	}
	wireToolSpec struct {
		Name        string          `json:"name"`
		Description *string         `json:"description"`
		InputSchema *wireToolSchema `json:"inputSchema"`
		Strict      bool            `json:"strict"`
	}
	// wireSystemTool is a tool that the service runs, such as Nova's nova_code_interpreter.
	wireSystemTool struct {
		Name string `json:"name"`
	}
	wireToolSchema struct {
		JSON json.RawMessage `json:"json"`
	}
	// wireToolChoice is a union: one of its members.
	wireToolChoice struct {
		Auto *struct{} `json:"auto"`
		Any  *struct{} `json:"any"`
		Tool *struct {
			Name string `json:"name"`
		} `json:"tool"`
	}
	wireOutputConfig struct {
		TextFormat *wireTextFormat `json:"textFormat"`
	}
	wireTextFormat struct {
		Type      string `json:"type"`
		Structure struct {
			JSONSchema *wireJSONSchema `json:"jsonSchema"`
		} `json:"structure"`
	}
	wireJSONSchema struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Schema      string `json:"schema"` // JSON in a string
	}
	wireGuardrail struct {
		Identifier           string `json:"guardrailIdentifier"`
		Version              string `json:"guardrailVersion"`
		StreamProcessingMode string `json:"streamProcessingMode"`
		Trace                string `json:"trace"`
	}
	wirePerformance struct {
		Latency string `json:"latency"`
	}
	wireServiceTier struct {
		Type string `json:"type"`
	}
)

func blockPath(message, block int) string {
	return fmt.Sprintf("messages.%d.content.%d", message, block)
}

// blocks yields the blocks of all messages with their paths.
func (in *wireRequest) blocks() iter.Seq2[string, wireBlock] {
	return func(yield func(string, wireBlock) bool) {
		for i, m := range in.Messages {
			for j, b := range m.Content {
				if !yield(blockPath(i, j), b) {
					return
				}
			}
		}
	}
}

// media yields the files of the block at a path, which is a file or a result that contains files, with their paths.
func (b wireBlock) media(at string) iter.Seq2[string, wireMediaUnion] {
	return func(yield func(string, wireMediaUnion) bool) {
		if b.ToolResult == nil {
			yield(at, b.wireMediaUnion)
			return
		}
		for k, c := range b.ToolResult.Content {
			if !yield(fmt.Sprintf("%s.toolResult.content.%d", at, k), c.wireMediaUnion) {
				return
			}
		}
	}
}

// hasResults reports whether a message contains results of tools.
func (m wireMessage) hasResults() bool {
	return slices.ContainsFunc(m.Content, func(b wireBlock) bool { return b.ToolResult != nil })
}

// The metadata of an answer.
type (
	wireMetadata struct {
		Usage   wireUsage   `json:"usage"`
		Metrics wireMetrics `json:"metrics"`
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
