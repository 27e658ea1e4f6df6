package credential

import (
	"encoding/json"
	"fmt"
)

// document is an IAM policy:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html.
type document struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect    string // "Allow" or "Deny"
	Action    stringList
	Resource  stringList
	Condition conditions `json:",omitempty"`
}

// conditions are operator → key → values. JSON sorts the names, so the text is stable.
type conditions map[string]map[string]stringList

// stringList is encoded as an array, or as its element if it has only one.
type stringList []string

func (l stringList) MarshalJSON() ([]byte, error) {
	if len(l) == 1 {
		return json.Marshal(l[0])
	}
	return json.Marshal([]string(l))
}

func encodePolicy(statements []statement) (string, error) {
	text, err := json.Marshal(document{Version: "2012-10-17", Statement: statements})
	if err != nil {
		return "", err
	}
	if len(text) > maxPolicy {
		return "", fmt.Errorf("%w: %d characters, must be at most %d", errTooLong, len(text), maxPolicy)
	}
	return string(text), nil
}
