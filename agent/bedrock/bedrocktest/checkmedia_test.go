package bedrocktest_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

const (
	asks   = `{"role":"user","content":[{"text":"?"}]}`
	says   = `{"role":"assistant","content":[{"text":"!"}]}`
	called = `{"role":"assistant","content":[{"toolUse":{"toolUseId":"a","name":"x","input":{}}}]}`
	offers = `"toolConfig":{"tools":[{"toolSpec":{"name":"x","inputSchema":{"json":{"type":"object"}}}}]}`
)

// user is a conversation of one message of the user's, with these blocks.
func user(blocks ...string) string {
	return `{"messages":[{"role":"user","content":[` + strings.Join(blocks, ",") + `]}]}`
}

// answered is a conversation in which a call has a result with these blocks.
func answered(blocks ...string) string {
	return `{` + offers + `,"messages":[` + asks + `,` + called + `,{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[` +
		strings.Join(blocks, ",") + `]}}]}]}`
}

func image(format, source string) string {
	return `{"image":{"format":"` + format + `","source":{` + source + `}}}`
}

func document(name, format, source string) string {
	return `{"document":{"name":"` + name + `","format":"` + format + `","source":{` + source + `}}}`
}

func bytesOf(n int) string {
	return `"bytes":"` + base64.StdEncoding.EncodeToString(make([]byte, n)) + `"`
}

func TestChecksMedia(t *testing.T) {
	t.Parallel()
	const text = `{"text":"Look."}`
	one := bytesOf(1)
	many := func(n int, of func(i int) string) string {
		blocks := []string{text}
		for i := range n {
			blocks = append(blocks, of(i))
		}
		return user(blocks...)
	}
	aDocument := func(i int) string { return document(fmt.Sprint("Document ", i), "pdf", one) }
	for _, c := range []check{
		{"good", user(image("png", one), image("jpeg", one), image("gif", one), image("webp", one)), ""},
		{"an image at its limit", user(image("png", bytesOf(3_750_000))), ""},
		{"an image over its limit", user(image("png", bytesOf(3_750_001))), "exceeds the maximum of 3750000 bytes"},
		{"twenty images", many(20, func(int) string { return image("png", one) }), ""},
		{"an image too many", many(21, func(int) string { return image("png", one) }), "contains 21 images. You can include up to 20"},
		{"an image of another kind", user(image("tiff", one)), "enum value set: [png, jpeg, gif, webp]"},
		{"an image of the assistant's", `{"messages":[` + asks + `,{"role":"assistant","content":[` + image("png", one) + `]},` + asks + `]}`, "The image block at messages.1.content.0 is in an assistant message"},
		{"an image with a name", user(`{"image":{"name":"x","format":"png","source":{` + one + `}}}`), "extraneous key [name]"},
		{"an image that is not there", user(image("png", ``)), "must set one of the following keys: bytes, s3Location"},
		{"an image that is empty", user(image("png", `"bytes":""`)), "image.source.bytes"},
		{"an image that is no base64", user(image("png", `"bytes":"%"`)), "Malformed input request"},
		{"an image twice", user(image("png", one+`,"s3Location":{"uri":"s3://bucket/x"}`)), "must set one of the following keys"},
		{"a place that is none", user(image("png", `"s3Location":{"uri":"https://bucket/x"}`)), "s3Location.uri"},
		{"an owner that is none", user(image("png", `"s3Location":{"uri":"s3://bucket/x","bucketOwner":"me"}`)), "s3Location.bucketOwner"},
		{"a front cannot read S3", user(image("png", `"s3Location":{"uri":"s3://bucket/x","bucketOwner":"111122223333"}`)), "doesn't support the s3Location field"},

		{"good documents", many(5, aDocument), ""},
		{"a document too many", many(6, aDocument), "exceeds the limit of 5. Remove 1 documents"},
		{"a document at its limit", user(text, document("A", "pdf", bytesOf(4_500_000))), ""},
		{"a document over its limit", user(text, document("A", "pdf", bytesOf(4_500_001))), "exceeds the maximum of 4500000 bytes"},
		{"a document of another kind", user(text, document("A", "rtf", one)), "enum value set: [pdf, csv, doc, docx, xls, xlsx, html, txt, md]"},
		{"a document of the assistant's", `{"messages":[` + asks + `,{"role":"assistant","content":[` + text + `,` + document("A", "pdf", one) + `]},` + asks + `]}`, "The document block at messages.1.content.1 is in an assistant message"},
		{"every letter of a name", user(text, document("Az 09-()[]", "md", one)), ""},
		{"a name with a dot", user(text, document("report.pdf", "pdf", one)), "The document file name can only contain alphanumeric"},
		{"a name with two spaces", user(text, document("a  b", "pdf", one)), "more than one consecutive whitespace"},
		{"a name in other letters", user(text, document("é", "pdf", one)), "The document file name can only contain alphanumeric"},
		{"a name of a wide space", user(text, document("a　b", "pdf", one)), "The document file name can only contain alphanumeric"},
		{"an empty name", user(text, document("", "pdf", one)), "document.name"},
		{"a long name", user(text, document(strings.Repeat("a", 201), "pdf", one)), "less than or equal to 200"},
		{"one name twice", user(text, document("A", "pdf", one), document("A", "md", one)), "Messages can't contain duplicate document names"},
		{"one name in two messages", `{"messages":[{"role":"user","content":[` + text + `,` + document("A", "pdf", one) + `]},` + says + `,{"role":"user","content":[` + text + `,` + document("A", "pdf", one) + `]}]}`, "duplicate document names"},
		{"no text beside it", user(document("A", "pdf", one)), "contains a document without a text block"},

		{"good results", answered(image("png", one), document("A", "pdf", one), `{"text":"ok"}`), ""},
		{"a result of another kind", answered(image("tiff", one)), "toolResult.content.0.image.format"},
		{"names of results count too", answered(document("A", "pdf", one), document("A", "pdf", one)), "duplicate document names"},
	} {
		c.run(t)
	}
}

func TestChecksReasoning(t *testing.T) {
	t.Parallel()
	thinks := func(r string) string {
		return `{"messages":[` + asks + `,{"role":"assistant","content":[{"reasoningContent":` + r + `},{"text":"!"}]},` + asks + `]}`
	}
	for _, c := range []check{
		{"good", thinks(`{"reasoningText":{"text":"Hm","signature":"c2ln"}}`), ""},
		{"a signature alone", thinks(`{"reasoningText":{"text":"","signature":"c2ln"}}`), ""},
		{"redacted", thinks(`{"redactedContent":"AAAA"}`), ""},
		{"no signature", thinks(`{"reasoningText":{"text":"Hm"}}`), "signature: Field required"},
		{"an empty signature", thinks(`{"reasoningText":{"text":"Hm","signature":""}}`), "Invalid `signature` in `thinking` block"},
		{"no text", thinks(`{"reasoningText":{"signature":"c2ln"}}`), "reasoningText.text"},
		{"both", thinks(`{"reasoningText":{"text":"Hm","signature":"c2ln"},"redactedContent":"AAAA"}`), "must set one of the following keys: reasoningText, redactedContent"},
		{"neither", thinks(`{}`), "must set one of the following keys: reasoningText, redactedContent"},
		{"redacted to nothing", thinks(`{"redactedContent":""}`), "redactedContent"},
		{"the user's", user(`{"text":"?"}`, `{"reasoningContent":{"reasoningText":{"text":"Hm","signature":"c2ln"}}}`), "The reasoningContent block at messages.0.content.1.reasoningContent is in a user message"},
	} {
		c.run(t)
	}
}

func TestChecksCachePoints(t *testing.T) {
	t.Parallel()
	const text = `{"text":"?"}`
	point := func(ttl string) string {
		if ttl == "" {
			return `{"cachePoint":{"type":"default"}}`
		}
		return `{"cachePoint":{"type":"default","ttl":"` + ttl + `"}}`
	}
	// all is a request with a point of the given TTL, or without one ("-"), in each of the three places.
	all := func(tools, system, messages string) string {
		with := func(before, ttl string) string {
			if ttl == "-" {
				return before
			}
			return before + "," + point(ttl)
		}
		return `{"toolConfig":{"tools":[` + with(`{"toolSpec":{"name":"x","inputSchema":{"json":{"type":"object"}}}}`, tools) +
			`]},"system":[` + with(`{"text":"You."}`, system) + `],"messages":[{"role":"user","content":[` + with(text, messages) + `]}]}`
	}
	for _, c := range []check{
		{"good", all("", "", ""), ""},
		{"all long", all("1h", "1h", "1h"), ""},
		{"long before short", all("1h", "5m", ""), ""},
		{"long before none before short", all("1h", "-", "5m"), ""},
		{"a long one after the default", all("", "-", "1h"), "messages.0.content.1.cachePoint.ttl: a ttl='1h' cache_control block must not come after a ttl='5m'"},
		{"a long one after a short one", all("5m", "1h", "-"), "system.1.cachePoint.ttl: a ttl='1h'"},
		{"long, short, long", all("1h", "5m", "1h"), "messages.0.content.1.cachePoint.ttl"},
		{"another time", all("2h", "-", "-"), "enum value set: [5m, 1h]"},
		{"another type", user(text, `{"cachePoint":{"type":"big"}}`), "enum value set: [default]"},
		{"four", user(text, point(""), text, point(""), text, point(""), text, point("")), ""},
		{"five", user(text, point(""), text, point(""), text, point(""), text, point(""), text, point("")), "A maximum of 4 cache points"},
		{"the first in a message", user(point(""), text), "has no content before it"},
		{"two in a row", user(text, point(""), point("")), "has no content before it"},
		{"the first in the system prompt", `{"system":[` + point("") + `,{"text":"You."}],"messages":[` + asks + `]}`, "system.0.cachePoint has no content before it"},
		{"the first of the tools", `{"toolConfig":{"tools":[` + point("") + `,{"toolSpec":{"name":"x","inputSchema":{"json":{"type":"object"}}}}]},"messages":[` + asks + `]}`, "toolConfig.tools.0.cachePoint has no content before it"},
		{"after a document", user(text, document("A", "pdf", bytesOf(1)), point("")), "Cache point cannot be inserted after a document block."},
		{"after reasoning", `{"messages":[` + asks + `,{"role":"assistant","content":[{"reasoningContent":{"redactedContent":"AAAA"}},` + point("") + `]},` + asks + `]}`, "Cache point cannot be inserted after reasoning block."},
		{"beside text in one block", `{"system":[{"text":"You.","cachePoint":{"type":"default"}}],"messages":[` + asks + `]}`, "must set one of the following keys: text, guardContent, cachePoint"},
	} {
		c.run(t)
	}
}

func TestChecksParameters(t *testing.T) {
	t.Parallel()
	with := func(member string) string { return `{` + member + `,"messages":[` + asks + `]}` }
	for _, c := range []check{
		{"too hot", with(`"inferenceConfig":{"temperature":1.5}`), "inferenceConfig.temperature"},
		{"too much", with(`"inferenceConfig":{"topP":-0.1}`), "inferenceConfig.topP"},
		{"nothing to stop at", with(`"inferenceConfig":{"stopSequences":[""]}`), "inferenceConfig.stopSequences"},
		{"too many stop sequences", with(`"inferenceConfig":{"stopSequences":["x"` + strings.Repeat(`,"x"`, 2500) + `]}`), "less than or equal to 2500"},
		{"fields that are no object", with(`"additionalModelRequestFields":[1]`), "additionalModelRequestFields is invalid"},
		{"half a guardrail", with(`"guardrailConfig":{"guardrailIdentifier":"g"}`), "guardrail identifier and version"},
		{"another latency", with(`"performanceConfig":{"latency":"none"}`), "enum value set: [standard, optimized]"},
		{"another tier", with(`"serviceTier":{"type":"gold"}`), "enum value set: [priority, default, flex, reserved]"},

		{"metadata is for the log", with(`"requestMetadata":{"a":"b"}`), ""},
		{"a front has no temperature", with(`"inferenceConfig":{"temperature":0.5}`), "This model doesn't support the temperature field"},
		{"a front has no topP", with(`"inferenceConfig":{"topP":0.5}`), "doesn't support the topP field"},
		{"a front does not stop", with(`"inferenceConfig":{"stopSequences":["x"]}`), "doesn't support the stopSequences field"},
		{"a front has no fields", with(`"additionalModelRequestFields":{}`), "doesn't support the additionalModelRequestFields field"},
		{"a front has no guardrail", with(`"guardrailConfig":{"guardrailIdentifier":"g","guardrailVersion":"1"}`), "doesn't support the guardrailConfig field"},
		{"a front is not fast", with(`"performanceConfig":{"latency":"optimized"}`), "doesn't support the performanceConfig field"},
		{"a front has no tiers", with(`"serviceTier":{"type":"flex"}`), "doesn't support the serviceTier field"},
	} {
		c.run(t)
	}
}
