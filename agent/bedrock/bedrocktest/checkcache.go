package bedrocktest

import "fmt"

const maxCachePoints = 4

func checkCachePoints(in *wireRequest) string {
	points := 0
	short := false // a point with a TTL of five minutes came before
	for _, s := range cacheSections(in) {
		for i, b := range s.blocks {
			p := b.CachePoint
			if p == nil {
				continue
			}
			at := fmt.Sprintf("%s.%d.cachePoint", s.path, i)
			if i == 0 {
				return nothingBeforeMessage(at)
			}
			if msg := checkBeforeCachePoint(s.blocks[i-1], at); msg != "" {
				return msg
			}
			points++
			long := p.TTL != nil && *p.TTL == "1h"
			switch msg := checkCachePoint(p, at); {
			case msg != "":
				return msg
			case points > maxCachePoints:
				return fmt.Sprintf("A maximum of %d cache points may be provided. Found %d at %s.", maxCachePoints, points, at)
			case long && short:
				return at + ".ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. " +
					"Note that blocks are processed in the following order: `tools`, `system`, `messages`."
			}
			short = short || !long
		}
	}
	return ""
}

// cacheSection is a list that may contain cache points. The blocks of tools and of the system prompt have only those.
type cacheSection struct {
	path   string
	blocks []wireBlock
}

// cacheSections returns the lists in the order in which the service reads a request: tools, system, messages.
func cacheSections(in *wireRequest) []cacheSection {
	tools, system := cacheSection{path: "toolConfig.tools"}, cacheSection{path: "system"}
	if in.ToolConfig != nil {
		for _, t := range in.ToolConfig.Tools {
			tools.blocks = append(tools.blocks, wireBlock{CachePoint: t.CachePoint})
		}
	}
	for _, s := range in.System {
		system.blocks = append(system.blocks, wireBlock{CachePoint: s.CachePoint})
	}
	all := []cacheSection{tools, system}
	for i, m := range in.Messages {
		all = append(all, cacheSection{fmt.Sprintf("messages.%d.content", i), m.Content})
	}
	return all
}

func checkCachePoint(p *wireCachePoint, at string) string {
	if msg := checkEnum(p.Type, at+".type", "default"); msg != "" || p.TTL == nil {
		return msg
	}
	return checkEnum(*p.TTL, at+".ttl", "5m", "1h")
}

func checkBeforeCachePoint(b wireBlock, at string) string {
	switch {
	case b.CachePoint != nil:
		return nothingBeforeMessage(at)
	case b.Video != nil:
		return "Cache point cannot be inserted after a video block."
	case b.Document != nil:
		return "Cache point cannot be inserted after a document block."
	case b.Reasoning != nil:
		return "Cache point cannot be inserted after reasoning block."
	}
	return ""
}

func nothingBeforeMessage(at string) string {
	const format = "The cachePoint block at %s has no content before it. Move it after the content to cache and try again."
	return fmt.Sprintf(format, at)
}
