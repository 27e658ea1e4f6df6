package credential

import (
	"encoding/json"
	"fmt"
)

// document is a policy as IAM reads it:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html.
type document struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect    string // "Allow" or "Deny"
	Action    texts
	Resource  texts
	Condition conditions `json:",omitempty"`
}

// conditions are operator → key → values. JSON sorts the names, so the text is stable.
type conditions map[string]map[string]texts

// texts are an array, or its only element by itself.
type texts []string

func (l texts) MarshalJSON() ([]byte, error) {
	if len(l) == 1 {
		return json.Marshal(l[0])
	}
	return json.Marshal([]string(l))
}

func encode(statements []statement) (string, error) {
	text, err := json.Marshal(document{Version: "2012-10-17", Statement: statements})
	if err != nil {
		return "", err
	}
	if len(text) > MaxPolicy {
		return "", fmt.Errorf("%w: %d characters, %d are possible", ErrTooLong, len(text), MaxPolicy)
	}
	return string(text), nil
}
