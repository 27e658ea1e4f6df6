package bedrock

import (
	"errors"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
)

// A conversation that does not fit the model does not have a separate exception: the service passes on the words of the
// model's maker. The patterns below match kinds of sentences, not single ones; overflow_test.go lists the known
// wordings. They see a message in lower case, without quotes and with spaces for underscores.
var (
	// aboutRate matches a limit on the rate, the load or the account, which waiting or an administrator cures.
	aboutRate = regexp.MustCompile(strings.Join([]string{
		`per (second|minute|hour|day|month)\b`, `in the last (second|minute|hour|day)\b`, `please wait`, `wait before`,
		`retry (later|after|in)\b`, `try again (later|after|in)\b`, `slow down`, `rate (limit|exceeded)`, `throttl`, `quota`,
		`too many (concurrent )?requests`, `concurren`, `\b[rt]p[md]\b`, `on[ -]?demand`, `capacity`,
		`\b(this|your) (account|organi[sz]ation)\b`, `request an increase`,
	}, "|"))

	// aboutContext matches every mention of the model's context as a size, and sums of prompt and answer.
	aboutContext = regexp.MustCompile(`context ?(window|length|limit|size)|(exceed\w*|overflow\w*) (the |its |model )*context\b` +
		`|context (is )?(too (long|large)|overflow|exceeded)|inputs tokens \+ max new tokens must be`)

	// aboutFields matches a single field of a request with a separate limit: one of the answer's size, above all, which
	// a shorter conversation does not cure.
	aboutFields = regexp.MustCompile(strings.Join([]string{
		`maximum tokens you requested`, `number of output tokens`,
		`\b(max (new |output |completion )?tokens|budget tokens)\b[^.:]{0,30}(exceed|must|should|greater|larger|>)`,
		`max tokens: \d`,
		`\b(stop ?sequences?|temperature|top ?[pk]|(request ?)?metadata|tools?|tool ?(choice|config)|guardrail|output ?config)\b[^:]{0,40}:`,
		`\b\d+ (tools|messages|blocks|items|turns)\b`,
	}, "|"))

	// aboutInput matches an input that is longer than some maximum.
	aboutInput = regexp.MustCompile(strings.Join([]string{
		`\b(prompt|inputs?|messages?|conversation|request|payload|total length|text)\b[^.]{0,80}\btoo (long|large|big)\b`,
		`request entity too large|request too large|payload.too.large`,
		`too many (total |input |prompt )?(text )?(tokens|bytes|characters)\b`,
		`\b(inputs?|prompt|messages?|conversation)\b[^.]{0,20}\b(tokens?|length|size)\b.{0,60}\bexceed`,
		`\btokens?\b[^.]{0,40}\bexceed\w*[^.]{0,40}\b(max\w*|limit|allowed)\b`,
		`\b(prompt|inputs?|messages?|conversation|request)\b[^.]{0,20}\bexceed\w*[^.]{0,20}\b(max\w*|limit|allowed)\b`,
		`exceed\w* (the )?(model )?token limit|token limit exceeded`,
		`\b(tokens?|prompt|inputs?)\b[^.]{0,60}\b(more|greater|larger|longer|higher) than\b[^.]{0,30}\b(max\w*|limit)\b`,
		`\b(prompt|inputs?|messages?)\b[^.]{0,20}\b\d+ tokens\b[^.]{0,30}\bonly \d+`,
		`\btokens\b[^.]{0,20}\binput\b[^.]{0,30}\b(should|must) be (less|smaller|at most|no more|<)`,
		`max\w* (prompt|input) (length|tokens?|size)`,
		`range of input length|input length should be`,
		`must have less than \d+ tokens|prompt that is less than \d+ tokens`,
		`(reduce|shorten) (the |your )*((length|size|number) of (the |your )*)?(prompt|inputs?|messages|conversation)`,
		`shorter (prompt|inputs?|messages?|conversation)`,
		`expected maxlength: \d{4,}`, // of a whole prompt: names and descriptions have smaller limits
	}, "|"))

	// aboutParts matches parts of a request with separate limits, which are not counted in tokens.
	aboutParts  = regexp.MustCompile(`\b(images?|documents?|videos?|audio|pdf|pixels?|pages?|names?|descriptions?|urls?|schemas?)\b`)
	aboutTokens = regexp.MustCompile(`\btokens?\b`)

	plainWords = strings.NewReplacer("`", "", `"`, "", "'", "", "_", " ")
)

// isOverflow reports whether a message of the service says that the conversation does not fit the model. The history is
// shortened permanently then, so a message that could mean something else is not one.
func isOverflow(message string) bool {
	m := plainWords.Replace(strings.ToLower(message))
	switch {
	case aboutRate.MatchString(m):
		return false
	case aboutContext.MatchString(m):
		return true
	case aboutFields.MatchString(m):
		return false
	}
	return aboutInput.MatchString(m) && (aboutTokens.MatchString(m) || !aboutParts.MatchString(m))
}

// exceptionMessages returns the message of an exception, and the model's message if the exception contains it.
func exceptionMessages(api smithy.APIError) []string {
	all := []string{api.ErrorMessage()}
	if e, ok := errors.AsType[*types.ModelStreamErrorException](error(api)); ok && e.OriginalMessage != nil {
		all = append(all, *e.OriginalMessage)
	}
	return all
}
