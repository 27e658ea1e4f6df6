package bedrocktest

import (
	"regexp"
	"strings"
)

// modelID is the maker and the name in a model's id, such as anthropic and claude-sonnet-4-5-20250929-v1:0. Both are
// empty if the id does not contain them, as in "any-model" or the ARN of an application inference profile: then only
// the rules of the service apply.
type modelID struct{ maker, name string }

func (m modelID) isClaude() bool { return m.maker == "anthropic" }
func (m modelID) isNova() bool   { return m.maker == "amazon" && strings.HasPrefix(m.name, "nova") }
func (m modelID) isTitan() bool  { return m.maker == "amazon" && strings.HasPrefix(m.name, "titan") }

const unknownModel = "The provided model identifier is invalid."

var (
	modelARN = regexp.MustCompile(`^arn:aws(-[^:]+)?:(bedrock|sagemaker):[a-z0-9-]{1,20}:([0-9]{12})?:([a-z-]+)/(.+)$`)
	plainID  = regexp.MustCompile(`^[a-zA-Z0-9._:-]+$`)
	// geography begins the id of an inference profile across regions.
	// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
	geography = regexp.MustCompile(`^(us|us-gov|eu|apac|ap|au|ca|jp|in|me|sa|global)\.`)
	// version ends an id, with the size of the context window for a provisioned model: v1:0, v1:0:200k.
	version = regexp.MustCompile(`^[0-9]+(:[a-z0-9]+)?$`)
)

// parseModelID parses an id or an ARN. It returns false for an id in a form that the service does not use. A name
// without a dot belongs to a test.
// Source: ConversationalModelId in the service's own model; recorded refusals of us.amazon.nova-micro-v1:O and
// us.does-not-exist-model-v1:0 in the tests of github.com/pydantic/pydantic-ai.
func parseModelID(id string) (modelID, bool) {
	if arn := modelARN.FindStringSubmatch(id); arn != nil {
		switch arn[4] {
		case "foundation-model", "inference-profile":
			return parseModelID(arn[5])
		}
		return modelID{}, true
	}
	if strings.HasPrefix(id, "arn:") || !plainID.MatchString(id) {
		return modelID{}, false
	}
	rest := geography.ReplaceAllString(id, "")
	maker, name, ok := strings.Cut(rest, ".")
	if !ok {
		return modelID{}, rest == id
	}
	if _, v, ok := strings.Cut(name, ":"); ok && !version.MatchString(v) {
		return modelID{}, false
	}
	return modelID{maker, name}, maker != "" && name != ""
}
