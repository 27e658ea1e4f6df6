package bedrock

import (
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// cachedMessages is how many of the user's messages end in a cache point: the last, so that the next turn finds what
// this one has sent, and the one before, where this turn finds what the last one has sent. With the tools and the
// system prompt that makes four, the service's limit.
const cachedMessages = 2

// cache puts cache points after what stays the same from one request to the next. All have one TTL, since the service
// refuses a longer one after a shorter one.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
func (m *Model) cache(in *bedrockruntime.ConverseStreamInput) {
	point := types.CachePointBlock{Type: types.CachePointTypeDefault, Ttl: types.CacheTTL(m.o.CacheTTL)}
	if in.ToolConfig != nil && !m.o.NoToolCache {
		in.ToolConfig.Tools = append(in.ToolConfig.Tools, &types.ToolMemberCachePoint{Value: point})
	}
	if len(in.System) > 0 {
		in.System = append(in.System, &types.SystemContentBlockMemberCachePoint{Value: point})
	}
	left := cachedMessages
	for i := len(in.Messages) - 1; i >= 0 && left > 0; i-- {
		msg := &in.Messages[i]
		if msg.Role != types.ConversationRoleUser || m.o.NoResultCache && results(msg.Content) > 0 {
			continue
		}
		left--
		if at := cacheable(msg.Content); at > 0 {
			blocks := make([]types.ContentBlock, 0, len(msg.Content)+1)
			blocks = append(append(blocks, msg.Content[:at]...), &types.ContentBlockMemberCachePoint{Value: point})
			msg.Content = append(blocks, msg.Content[at:]...)
		}
	}
}

// cacheable is how many of the blocks a cache point can cover: it may not come directly after a document or a
// video, nor first.
func cacheable(blocks []types.ContentBlock) int {
	n := len(blocks)
	for n > 0 && endsInMedia(blocks[n-1]) {
		n--
	}
	return n
}

func endsInMedia(b types.ContentBlock) bool {
	switch b := b.(type) {
	case *types.ContentBlockMemberDocument, *types.ContentBlockMemberVideo:
		return true
	case *types.ContentBlockMemberToolResult:
		_, ok := b.Value.Content[len(b.Value.Content)-1].(*types.ToolResultContentBlockMemberDocument)
		return ok
	}
	return false
}
