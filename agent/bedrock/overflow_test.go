package bedrock

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
)

// overflows holds the reported wordings of models and gateways for a conversation that does not fit, by maker.
var overflows = map[string][]string{
	"Anthropic": {
		"prompt is too long: 203470 tokens > 200000 maximum",
		"The model returned the following errors: prompt is too long: 200049 tokens > 200000 maximum",
		"The model returned the following errors: Input is too long for requested model.",
		"input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length or `max_tokens` and try again",
		"too many total text bytes: 20971521 > 20971520",
	},
	"Amazon": {
		"Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please update the input to try again.",
		"400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token count: 9279 ",
		"Malformed input request: expected maxLength: 50000, actual: 52611, please reformat your input and try again.",
		"Input is too long.",
	},
	"OpenAI": {
		"This model's maximum context length is 131072 tokens. However, your messages resulted in 140000 tokens.",
		"Your input exceeds the context window of this model. Please adjust your input and try again.",
		"context_length_exceeded",
		"prompt tokens (1055489) exceed model maximum (1050000) for openai.gpt-oss-120b",
	},
	"Meta": {
		"This model's maximum context length is 8192 tokens. Please reduce the length of the prompt",
		"Your prompt is too long, please try again with a prompt that is less than 2048 tokens",
	},
	"Cohere": {
		"too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4292. Try using a shorter prompt.",
	},
	"Mistral": {
		"Prompt contains 40559 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
	},
	"AI21":     {"Prompt is too long: the maximum is 256000 tokens", "Too many tokens: 270000 exceeds the limit of 262144"},
	"Google":   {"The input token count (1200293) exceeds the maximum number of tokens allowed (1048576)."},
	"Moonshot": {"Invalid request: Your request exceeded model token limit: 262144 (requested: 269345)"},
	"MiniMax":  {"invalid params, context window exceeds limit (2013)"},
	"Z.ai":     {"Prompt exceeds max length"},
	"Qwen":     {"Range of input length should be [1, 129024]", "<400> InternalError.Algo.InvalidParameter: Input length should be less than 30720"},
	"xAI":      {"This model's maximum prompt length is 131072 but the request contains 537812 tokens."},
	"engines": {
		"The decoder prompt (length 40960) is longer than the maximum model length of 32768.",
		"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 32768. Given: 31000 `inputs` tokens and 2047 `max_new_tokens`",
		"the request exceeds the available context size. try increasing the context size or enable context shift",
		"Trying to keep the first 9000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens",
		"Please reduce the length of the messages or completion.",
		"request_too_large: Request exceeds the maximum size",
		"Request Entity Too Large",
		"The prompt token count of 140000 is greater than the model's max of 131072",
		"The total number of tokens (input + output) is 40000, which is more than the model's limit of 32768",
		"Prompt has 34000 tokens, but only 32768 are available",
		"total tokens in input and output should be less than 8192",
		"The sum of prompt length (40000.0), query length (0) should not exceed max_num_tokens (32768)",
		"Please provide a shorter prompt.",
	},
	"with media": {
		"prompt is too long: 210000 tokens > 200000 maximum (including 12 images)",
		"Total tokens of image and text exceed max message tokens",
		"The prompt, including the images and documents, is too long: 203470 tokens > 200000 maximum",
	},
}

func TestIsOverflow(t *testing.T) {
	t.Parallel()
	for maker, wordings := range overflows {
		for _, w := range wordings {
			require.True(t, isOverflow(w), "%s: %s", maker, w)
		}
	}
}

// Messages that only sound like overflow: rates, limits of the answer, limits of single parts, and other refusals.
func TestIsNotOverflow(t *testing.T) {
	t.Parallel()
	for _, w := range []string{
		"Too many tokens, please wait before trying again.",
		"Too many tokens per day, please wait before trying again.",
		"Too many requests, please wait before trying again. You have sent too many requests.",
		"This request would exceed your organization's rate limit of 40,000 input tokens per minute",
		"Your account's quota of input tokens is exceeded",
		"Rate exceeded",
		"Too many tokens, retry later",
		"Input token limit exceeded. Retry after 30 seconds",
		"Token limit exceeded, try again in 20s",
		"Too many input tokens in the last minute",
		"Concurrent request token limit exceeded",
		"On-demand token limit exceeded for this account; request an increase",
		"max_tokens (8192) exceeds the maximum allowed value (4096) for this model",
		"The value of max_tokens exceeds the model's limit of 8192",
		"thinking.budget_tokens exceeds the maximum allowed",
		"stop_sequences: input too long",
		"A request exceeds the maximum of 20 tools",
		"The maximum tokens you requested exceeds the model limit of 4096. Try again with a maximum tokens value that is lower than 4096.",
		"max_tokens: 100000 > 64000, which is the maximum allowed number of output tokens for claude-sonnet-4-5",
		"`max_tokens` must be greater than `thinking.budget_tokens`.",
		"messages.2.content.0.image.source.base64: image exceeds 5 MB maximum: 6291456 bytes > 5242880 bytes",
		"The model returned the following errors: input image is too large",
		"messages.0.content.1.image.source.base64.data: At least one of the image dimensions exceed max allowed size: 8000 pixels",
		"A maximum of 100 PDF pages may be provided.",
		"1 validation error detected: Value 'x' at 'toolConfig.tools.1.member.toolSpec.name' failed to satisfy constraint: Member must have length less than or equal to 64",
		"The document file name is too long: the input exceeds the limit of 200 characters",
		"Malformed input request: expected maxLength: 64, actual: 70, please reformat your input and try again.",
		"messages: roles must alternate between \"user\" and \"assistant\"",
		"The provided model identifier is invalid.",
		"User: arn:aws:sts::111122223333:assumed-role/reader/session is not authorized to perform: bedrock:InvokeModel",
		"The text field in the ContentBlock object at messages.0.content.0 is blank. Add text to the text field, and try again.",
		"Thinking may not be enabled when tool_choice forces tool use.",
		"",
	} {
		require.False(t, isOverflow(w), w)
	}
}

// An exception in the stream can carry the model's own message beside the service's.
func TestOverflowInTheOriginalMessage(t *testing.T) {
	t.Parallel()
	e := mapServiceError(&types.ModelStreamErrorException{
		Message: aws.String("The model could not answer."), OriginalMessage: aws.String("Input is too long."),
	})
	require.Equal(t, agent.CodeContextFull, e.Code)
}
