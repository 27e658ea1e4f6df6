package bedrock

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"

	"github.com/carrel-go/carrel/agent"
)

// callID matches the call ids that the service accepts.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html
var callID = regexp.MustCompile(`^[a-zA-Z0-9_.:-]{1,64}$`)

// callIDs replaces the call ids that the service would refuse: ids outside its grammar, and ids that an earlier message
// has used, which some models refuse. The replacement depends on the id and on the number of its earlier uses, so it
// stays the same while a conversation grows.
type callIDs struct {
	messages []agent.Message
	uses     map[string]int     // how many calls with an id have been sent
	sent     map[string]*string // replacements by original id
}

// mapCall returns the id to send for the next call, which has this id.
func (c *callIDs) mapCall(id *string) *string {
	if c.uses == nil {
		c.uses, c.sent = make(map[string]int), make(map[string]*string)
	}
	n := c.uses[*id]
	c.uses[*id]++
	if n == 0 && callID.MatchString(*id) {
		return id
	}
	for i := 0; ; i++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%q %d %d", *id, n, i))
		own := "call_" + hex.EncodeToString(sum[:16])
		if c.isGiven(own) {
			continue
		}
		c.sent[*id] = &own
		return &own
	}
}

// mapResult returns the id that was sent for the latest call with this id.
func (c *callIDs) mapResult(id *string) *string {
	if own, ok := c.sent[*id]; ok {
		return own
	}
	return id
}

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
