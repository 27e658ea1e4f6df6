package bedrock

import (
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// cachedMessages is the number of the user's messages that end in a cache point: the last one writes the cache for the
// next turn, and the one before reads the cache of the previous turn. With the tools and the system prompt there are
// four cache points, the service's limit.
const cachedMessages = 2

// addCachePoints adds cache points after the content that later requests repeat. All have one TTL, because the service
// refuses a longer one after a shorter one.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
func (m *Model) addCachePoints(in *bedrockruntime.ConverseStreamInput) {
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
		if msg.Role != types.ConversationRoleUser || m.o.NoResultCache && countResults(msg.Content) > 0 {
			continue
		}
		left--
		if at := cacheIndex(msg.Content); at > 0 {
			blocks := make([]types.ContentBlock, 0, len(msg.Content)+1)
			blocks = append(append(blocks, msg.Content[:at]...), &types.ContentBlockMemberCachePoint{Value: point})
			msg.Content = append(blocks, msg.Content[at:]...)
		}
	}
}

// cacheIndex returns the last index where a cache point may be inserted, or zero: it must not directly follow a
// document or a video, or come first.
func cacheIndex(blocks []types.ContentBlock) int {
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
