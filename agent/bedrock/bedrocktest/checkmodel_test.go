package bedrocktest_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
)

const (
	claude = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
	nova   = "us.amazon.nova-2-lite-v1:0"
	titan  = "amazon.titan-text-express-v1:0:8k"
	writer = "us.writer.palmyra-x4-v1:0"
	llama  = "us.meta.llama4-maverick-17b-instruct-v1:0"
)

// askModel posts a body for a model to a script, and returns the service's message, or "" if it accepted the request.
func askModel(t *testing.T, model, body string) string {
	t.Helper()
	script := bt.NewScript(bt.Forever(bt.Reply(bt.Text("ok"))))
	w := httptest.NewRecorder()
	script.ServeHTTP(w, request("/model/"+url.PathEscape(model)+"/converse-stream", body))
	if w.Code == http.StatusOK {
		return ""
	}
	require.Equal(t, http.StatusBadRequest, w.Code)
	return w.Body.String()
}

func TestModelIDs(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:bedrock:us-east-1:111122223333:"
	body := `{"messages":[` + asks + `]}`
	for id, ok := range map[string]bool{
		"any-model": true, "reader": true, "carrel.offline-reader": true,
		claude: true, nova: true, titan: true, "openai.gpt-oss-120b-1:0": true, "anthropic.claude-v2": true,
		"google.gemma-3-27b-it": true, "anthropic.claude-3-sonnet-20240229-v1:0:200k": true,
		arn + "application-inference-profile/abcdefghijkl": true, arn + "inference-profile/" + claude: true,
		"arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-v2": true,
		"arn:aws:sagemaker:us-east-1:111122223333:endpoint/my-endpoint":   true,
		"us.amazon.nova-micro-v1:O":                                       false, // a letter for a digit
		"us.does-not-exist-model-v1:0":                                    false,
		arn + "inference-profile/us.does-not-exist-model-v1:0":            false,
		"arn:aws:iam::111122223333:role/reader":                           false,
		"a model":                                                         false,
		".claude":                                                         false,
		"anthropic.":                                                      false,
	} {
		msg := askModel(t, id, body)
		require.Equal(t, ok, msg == "", "%s: %s", id, msg)
		if !ok {
			require.Contains(t, msg, "The provided model identifier is invalid.")
		}
	}
}

// The rules of single makers, each with a model that keeps it and one that does not.
func TestModelRules(t *testing.T) {
	t.Parallel()
	const (
		place   = `{"s3Location":{"uri":"s3://files/a"}}`
		image   = `{"image":{"format":"png","source":` + place + `}}`
		doc     = `{"document":{"format":"pdf","name":"A","source":` + place + `}}`
		inBytes = `{"document":{"format":"pdf","name":"A","source":{"bytes":"AAAA"}}}`
		video   = `{"video":{"format":"mp4","source":` + place + `}}`
		said    = `{"text":"?"}`
		point   = `{"cachePoint":{"type":"default"}}`
		spec    = `{"toolSpec":{"name":"x","inputSchema":{"json":{"type":"object"}}}}`
		tools   = `"toolConfig":{"tools":[` + spec + `]}`
	)
	user := func(blocks ...string) string {
		return `{"messages":[{"role":"user","content":[` + strings.Join(blocks, ",") + `]}]}`
	}
	result := func(members string, beside ...string) string {
		blocks := append([]string{`{"toolResult":{"toolUseId":"a",` + members + `}}`}, beside...)
		return `{` + tools + `,"messages":[` + asks + `,{"role":"assistant","content":[{"toolUse":{"toolUseId":"a","name":"x","input":{}}}]},` +
			`{"role":"user","content":[` + strings.Join(blocks, ",") + `]}]}`
	}
	choosing := func(choice string) string {
		return `{"messages":[` + asks + `],"toolConfig":{"tools":[` + spec + `],"toolChoice":` + choice + `}}`
	}
	with := func(members string) string { return `{` + members + `,"messages":[` + asks + `]}` }
	const answers = `{"role":"assistant","content":[{"text":"!"}]}`
	for name, c := range map[string]struct {
		body, model, refused string // by this model, with these words
		others               []string
	}{
		"an image in S3":       {user(said, image), claude, "This model doesn't support the s3Uri field. Remove s3Uri and try again.", []string{nova, "any-model"}},
		"a video":              {user(said, video), claude, "This model doesn't support the video content block that you provided.", []string{nova, "any-model"}},
		"a video's result":     {result(`"content":[` + video + `]`), claude, "doesn't support the video content block", nil},
		"a video's result too": {result(`"content":[` + video + `]`), nova, "#/messages/2/content/0: extraneous key [toolResult] is not permitted", nil},
		"a video by a result":  {result(`"content":[{"text":"1"}]`, video), claude, "doesn't support the video content block", []string{nova}},
		"two videos":           {user(said, video, video), nova, "the number of videos is 2", []string{"any-model"}},
		"a cached video":       {user(said, video, point), nova, "Cache point cannot be inserted after a video block.", nil},
		"an image's result":    {result(`"content":[` + image + `]`), claude, "doesn't support the s3Uri field", []string{nova}},
		"a document in S3":     {user(said, doc), claude, "messages.0.content.1.document.source.type: Field required", []string{nova}},
		"a document's result":  {result(`"content":[` + doc + `]`), nova, "#/messages/2/content/0: extraneous key [toolResult] is not permitted", []string{claude, llama}},
		"a document in bytes":  {result(`"content":[` + inBytes + `]`), nova, "extraneous key [toolResult]", []string{claude, llama}},
		"an assistant first":   {`{"messages":[` + answers + `,` + asks + `]}`, nova, "A conversation must start with a user message", []string{claude}},
		"two users":            {`{"messages":[` + asks + `,` + asks + `]}`, nova, "must alternate", []string{titan}},
		"two assistants":       {`{"messages":[` + asks + `,` + answers + `,` + answers + `,` + asks + `]}`, titan, "must alternate", nil},
		"status":               {result(`"status":"success","content":[{"text":"1"}]`), writer, "This model doesn't support the status field. Remove status and try again.", []string{claude, nova, llama, "any-model"}},
		"any tool":             {choosing(`{"any":{}}`), llama, "doesn't support the toolConfig.toolChoice.any field", []string{claude, nova}},
		"one tool":             {choosing(`{"tool":{"name":"x"}}`), "mistral.mistral-large-2402-v1:0", "toolConfig.toolChoice.tool", []string{claude, nova}},
		"tools":                {choosing(`{"auto":{}}`), "us.deepseek.r1-v1:0", "This model doesn't support tool use.", []string{claude, llama}},
		"system":               {with(`"system":[{"text":"You."}]`), titan, "This model doesn't support system messages.", []string{claude, nova}},
		"cached tools":         {`{"toolConfig":{"tools":[` + spec + `,` + point + `]},"messages":[` + asks + `]}`, nova, "#/toolConfig/tools/1: extraneous key [cachePoint] is not permitted", []string{claude}},
		"cached results":       {result(`"content":[{"text":"1"}]`, point), nova, "#/messages/2/content/1: extraneous key [cachePoint] is not permitted", []string{claude}},
		"a cached question":    {user(said, point), "", "", []string{claude, nova}},
		"a blank stop":         {with(`"inferenceConfig":{"stopSequences":["\n"]}`), claude, "stop_sequences: each stop sequence must contain non-whitespace", []string{nova}},
		"a line by a document": {user(said, inBytes, `{"text":"\n"}`, point), "", "", []string{claude, nova}},
		"nothing by it":        {user(said, inBytes, `{"text":""}`), claude, "is blank", nil},
		"a line alone":         {user(said, `{"text":"\n"}`), claude, "is blank", nil},
	} {
		for _, m := range c.others {
			require.Empty(t, askModel(t, m, c.body), "%s: %s", name, m)
		}
		if c.refused != "" {
			require.Contains(t, askModel(t, c.model, c.body), c.refused, name)
		}
	}
}

func TestChecksThinking(t *testing.T) {
	t.Parallel()
	body := func(fields, more string) string {
		return `{"additionalModelRequestFields":` + fields + more + `,"messages":[` + asks + `]}`
	}
	const (
		thinks = `{"thinking":{"type":"enabled","budget_tokens":2048}}`
		tools  = `,"toolConfig":{"tools":[{"toolSpec":{"name":"x","inputSchema":{"json":{"type":"object"}}}}],"toolChoice":`
	)
	for _, c := range []struct{ body, refused string }{
		{body(thinks, ""), ""},
		{body(thinks, tools+`{"auto":{}}}`), ""},
		{body(thinks, `,"inferenceConfig":{"maxTokens":2049,"temperature":1,"topP":0.95}`), ""},
		{body(thinks, tools+`{"any":{}}}`), "Thinking may not be enabled when tool_choice forces tool use."},
		{body(`{"thinking":{"type":"adaptive"}}`, tools+`{"tool":{"name":"x"}}}`), "Thinking may not be enabled"},
		{body(`{"reasoning_config":{"type":"enabled","budget_tokens":1024}}`, tools+`{"any":{}}}`), "Thinking may not be enabled"},
		{body(`{"thinking":{"type":"disabled"}}`, tools+`{"any":{}}}`), ""},
		{body(thinks, `,"inferenceConfig":{"maxTokens":2048}`), "`max_tokens` must be greater than"},
		{body(thinks, `,"inferenceConfig":{"temperature":0.5}`), "`temperature` may only be set to 1"},
		{body(thinks, `,"inferenceConfig":{"topP":0.5}`), "`top_p` must be greater"},
		{body(`{"thinking":{"type":"enabled","budget_tokens":1023}}`, ""), "greater than or equal to 1024"},
		{body(`{"reasoning_config":"high"}`, tools+`{"any":{}}}`), ""},
	} {
		msg := askModel(t, claude, c.body)
		if c.refused == "" {
			require.Empty(t, msg, c.body)
		} else {
			require.Contains(t, msg, c.refused, c.body)
		}
	}
	require.Empty(t, askModel(t, nova, body(thinks, tools+`{"any":{}}}`)), "another maker's field")

	resumed := func(kind string) string {
		return `{` + offers + `,"additionalModelRequestFields":{"thinking":{"type":` + kind + `}},"messages":[` + asks + `,` + called +
			`,{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[{"text":"ok"}]}}]}]}`
	}
	require.Contains(t, askModel(t, claude, resumed(`"enabled","budget_tokens":1024`)), "must start with a thinking block")
	require.Empty(t, askModel(t, claude, resumed(`"adaptive"`)))
}

func TestChecksMetadataAndGuardrails(t *testing.T) {
	t.Parallel()
	with := func(member string) string { return `{` + member + `,"messages":[` + asks + `]}` }
	pairs := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, `"`+strings.Repeat("k", i+1)+`":""`)
		}
		return with(`"requestMetadata":{` + strings.Join(all, ",") + `}`)
	}
	rail := func(id, more string) string {
		return with(`"guardrailConfig":{"guardrailIdentifier":"` + id + `",` + more + `}`)
	}
	guard := func(g string) string {
		return `{"system":[{"text":"You."},` + g + `],"messages":[{"role":"user","content":[{"text":"?"},` + g + `]}]}`
	}
	for _, c := range []struct{ body, refused string }{
		{pairs(16), ""},
		{pairs(0), "greater than or equal to 1"},
		{pairs(17), "less than or equal to 16"},
		{with(`"requestMetadata":{"":"x"}`), "pattern"},
		{with(`"requestMetadata":{"k":"a*b"}`), "pattern"},
		{with(`"requestMetadata":{"k":"` + strings.Repeat("v", 257) + `"}`), "pattern"},
		{rail("gr1", `"guardrailVersion":"DRAFT","trace":"enabled","streamProcessingMode":"async"`), ""},
		{rail("GR 1", `"guardrailVersion":"1"`), "guardrailIdentifier"},
		{rail("gr1", `"guardrailVersion":"0"`), "guardrailVersion"},
		{rail("gr1", `"guardrailVersion":"1","trace":"loud"`), "guardrailConfig.trace"},
		{guard(`{"guardContent":{"text":{"text":"?","qualifiers":["query"]}}}`), ""},
		{guard(`{"guardContent":{"text":{"text":"?","qualifiers":["fact"]}}}`), "qualifiers"},
		{guard(`{"guardContent":{"text":{"text":" "}}}`), "is blank"},
		{guard(`{"guardContent":{}}`), "must set one of the following keys: text, image"},
		{`{"messages":[{"role":"user","content":[{"guardContent":{"image":{"format":"gif","source":{"bytes":"AAAA"}}}}]}]}`, "png, jpeg"},
	} {
		msg := askModel(t, nova, c.body)
		if c.refused == "" {
			require.Empty(t, msg, c.body)
		} else {
			require.Contains(t, msg, c.refused, c.body)
		}
	}
}
