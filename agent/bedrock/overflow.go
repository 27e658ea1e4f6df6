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
	// notOverflow matches what only sounds like it: a limit on the rate, which waiting cures, and a limit on the answer,
	// which a shorter conversation does not cure.
	notOverflow = regexp.MustCompile(strings.Join([]string{
		`per (second|minute|hour|day|month)\b`, `please wait`, `wait before`, `rate (limit|exceeded)`, `throttl`, `quota`,
		`too many requests`, `slow down`, `\b[rt]p[md]\b`,
		`maximum tokens you requested`, `number of output tokens`, `max tokens: \d+ >`,
	}, "|"))

	// aboutContext matches every mention of the model's context as a size.
	aboutContext = regexp.MustCompile(`context ?(window|length|limit|size)|(exceed\w*|overflow\w*) (the |its |model )*context\b` +
		`|context (is )?(too (long|large)|overflow|exceeded)`)

	// aboutInput matches an input that is longer than some maximum.
	aboutInput = regexp.MustCompile(strings.Join([]string{
		`\b(prompt|inputs?|messages?|conversation|request|payload|total length|text)\b[^.]{0,40}\btoo (long|large|big)\b`,
		`request entity too large|request too large|payload.too.large`,
		`too many (total |input |prompt )?(text )?(tokens|bytes|characters)\b`,
		`\b(inputs?|prompt|messages?|conversation)\b[^.]{0,20}\b(tokens?|length|size)\b[^.]{0,40}\bexceed`,
		`\btokens?\b[^.]{0,40}\bexceed\w*[^.]{0,40}\b(max\w*|limit|allowed)\b`,
		`\b(prompt|inputs?|messages?|conversation|request)\b[^.]{0,20}\bexceed\w*[^.]{0,20}\b(max\w*|limit|allowed)\b`,
		`exceed\w* (the )?(model )?token limit|token limit exceeded`,
		`max\w* (prompt|input) (length|tokens?|size)`,
		`range of input length|input length should be`,
		`inputs tokens \+ max new tokens must be|must have less than \d+ tokens|prompt that is less than \d+ tokens`,
		`longer than the (max\w* )?model`,
		`(reduce|shorten) (the |your )*((length|size|number) of (the |your )*)?(prompt|inputs?|messages|conversation)`,
		`expected maxlength: \d{4,}`, // of a whole prompt: names and descriptions have smaller limits
	}, "|"))

	// aboutParts matches parts of a request with separate limits, which are not the model's context.
	aboutParts = regexp.MustCompile(`\b(images?|documents?|videos?|audio|pdf|pixels?|pages?|names?|descriptions?|urls?|schemas?)\b`)

	plainWords = strings.NewReplacer("`", "", `"`, "", "'", "", "_", " ")
)

// isOverflow reports whether a message of the service says that the conversation does not fit the model.
func isOverflow(message string) bool {
	m := plainWords.Replace(strings.ToLower(message))
	switch {
	case notOverflow.MatchString(m):
		return false
	case aboutContext.MatchString(m):
		return true
	}
	return aboutInput.MatchString(m) && !aboutParts.MatchString(m)
}

// exceptionMessages returns what an exception says: its own message, and the model's when the exception carries it.
func exceptionMessages(api smithy.APIError) []string {
	all := []string{api.ErrorMessage()}
	if e, ok := errors.AsType[*types.ModelStreamErrorException](error(api)); ok && e.OriginalMessage != nil {
		all = append(all, *e.OriginalMessage)
	}
	return all
}
