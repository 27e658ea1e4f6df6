package bedrock

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"

	"github.com/carrel-go/carrel/agent"
)

// callID matches the ids of calls that the service accepts.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html
var callID = regexp.MustCompile(`^[a-zA-Z0-9_.:-]{1,64}$`)

// callIDs replaces the ids of a request's calls that the service would refuse: those that are not in its grammar, and
// those that an earlier message has used, which some of its models refuse. The replacement depends on the id and on
// how often it came before, so it stays the same while a conversation grows.
type callIDs struct {
	messages []agent.Message
	count    map[string]int     // how often each id has come so far
	sent     map[string]*string // the replacements, by what they replace
}

// call returns the id to send for the next call with this id.
func (c *callIDs) call(id *string) *string {
	n := c.count[*id]
	if c.count == nil {
		c.count = make(map[string]int)
	}
	c.count[*id]++
	if n == 0 && callID.MatchString(*id) {
		return id
	}
	for i := 0; ; i++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%q %d %d", *id, n, i))
		own := "call_" + hex.EncodeToString(sum[:16])
		if c.isGiven(own) {
			continue
		}
		if c.sent == nil {
			c.sent = make(map[string]*string)
		}
		c.sent[*id] = &own
		return &own
	}
}

// result returns the id that was sent for the latest call with this id.
func (c *callIDs) result(id *string) *string {
	if own, ok := c.sent[*id]; ok {
		return own
	}
	return id
}

// isGiven reports whether a call of the request has this id.
func (c *callIDs) isGiven(id string) bool {
	for _, m := range c.messages {
		for _, p := range m.Parts {
			if p.Use != nil && p.Use.ID == id {
				return true
			}
		}
	}
	return false
}
