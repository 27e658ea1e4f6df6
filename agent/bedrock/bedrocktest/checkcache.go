package bedrocktest

import "fmt"

const maxCachePoints = 4

// checkCachePoints checks all cache points in the order in which the service reads a request: tools, system, messages.
func checkCachePoints(in *wireRequest) string {
	var points int
	short := false // a point with a TTL of five minutes came before
	point := func(p *wireCachePoint, at string) string {
		if p == nil {
			return ""
		}
		points++
		long := p.TTL != nil && *p.TTL == "1h"
		switch {
		case p.Type != "default":
			return enumMessage(p.Type, at+".type", "default")
		case p.TTL != nil && *p.TTL != "5m" && *p.TTL != "1h":
			return enumMessage(*p.TTL, at+".ttl", "5m, 1h")
		case points > maxCachePoints:
			return fmt.Sprintf("A maximum of %d cache points may be provided. Found %d at %s.", maxCachePoints, points, at)
		case long && short:
			return at + ".ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. " +
				"Note that blocks are processed in the following order: `tools`, `system`, `messages`."
		}
		short = short || !long
		return ""
	}
	if in.ToolConfig != nil {
		for i, t := range in.ToolConfig.Tools {
			at := fmt.Sprintf("toolConfig.tools.%d.cachePoint", i)
			if t.CachePoint != nil && (i == 0 || in.ToolConfig.Tools[i-1].CachePoint != nil) {
				return nothingBeforeMessage(at)
			}
			if msg := point(t.CachePoint, at); msg != "" {
				return msg
			}
		}
	}
	for i, s := range in.System {
		at := fmt.Sprintf("system.%d.cachePoint", i)
		if s.CachePoint != nil && (i == 0 || in.System[i-1].CachePoint != nil) {
			return nothingBeforeMessage(at)
		}
		if msg := point(s.CachePoint, at); msg != "" {
			return msg
		}
	}
	for i, m := range in.Messages {
		for j, b := range m.Content {
			at := fmt.Sprintf("messages.%d.content.%d.cachePoint", i, j)
			if b.CachePoint != nil {
				switch {
				case j == 0 || m.Content[j-1].CachePoint != nil:
					return nothingBeforeMessage(at)
				case m.Content[j-1].Video != nil:
					return "Cache point cannot be inserted after a video block."
				case m.Content[j-1].Document != nil:
					return "Cache point cannot be inserted after a document block."
				case m.Content[j-1].Reasoning != nil:
					return "Cache point cannot be inserted after reasoning block."
				}
			}
			if msg := point(b.CachePoint, at); msg != "" {
				return msg
			}
		}
	}
	return ""
}

func nothingBeforeMessage(at string) string {
	return fmt.Sprintf("The cachePoint block at %s has no content before it. Move it after the content to cache and try again.", at)
}
