package agent

import (
	"fmt"
	"strings"
)

// RequestLimits bound the content of one request to a [Model]'s service. Zero means no limit.
//
// The agent applies them when a tool returns: a result that exceeds them becomes a failed result. If a history exceeds
// them, because it has grown or was written for another model, notes replace its oldest media in requests.
type RequestLimits struct {
	// ImageBytes, DocumentBytes and VideoBytes are the largest sizes of one image, document and video.
	ImageBytes, DocumentBytes, VideoBytes int64
	// ImageSide is the largest width and height of an image, in pixels.
	ImageSide int
	// Images, Documents and Videos are the largest numbers of each, and Media is that of images and documents together.
	Images, Documents, Videos, Media int
	// Bytes is the largest size of all images and documents together, and of one result.
	Bytes int64
}

// strictestOf returns the smaller of each limit.
func (l RequestLimits) strictestOf(o RequestLimits) RequestLimits {
	return RequestLimits{
		ImageBytes: lowerLimit(l.ImageBytes, o.ImageBytes), DocumentBytes: lowerLimit(l.DocumentBytes, o.DocumentBytes),
		VideoBytes: lowerLimit(l.VideoBytes, o.VideoBytes), ImageSide: lowerLimit(l.ImageSide, o.ImageSide),
		Images: lowerLimit(l.Images, o.Images), Documents: lowerLimit(l.Documents, o.Documents),
		Videos: lowerLimit(l.Videos, o.Videos), Media: lowerLimit(l.Media, o.Media),
		Bytes: lowerLimit(l.Bytes, o.Bytes),
	}
}

// lowerLimit returns the smaller of two limits, of which zero is the largest.
func lowerLimit[N int | int64](a, b N) N {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

type mediaCount struct {
	of    [mediaKinds]int
	bytes int64 // of images and documents
}

// add counts one medium n times; n may be negative.
func (c *mediaCount) add(k mediaKind, size int64, n int) {
	c.of[k] += n
	if k != aVideo {
		c.bytes += size * int64(n)
	}
}

// plusCount returns the sum of two counts.
func (c mediaCount) plusCount(o mediaCount) mediaCount {
	for k := range c.of {
		c.of[k] += o.of[k]
	}
	c.bytes += o.bytes
	return c
}

// exceededKinds reports the kinds of which some media must be left out to keep the limits.
func (c mediaCount) exceededKinds(l RequestLimits) (kinds [mediaKinds]bool) {
	over := func(n, most int) bool { return most > 0 && n > most }
	together := over(c.of[anImage]+c.of[aDocument], l.Media) || l.Bytes > 0 && c.bytes > l.Bytes
	kinds[anImage] = together || over(c.of[anImage], l.Images)
	kinds[aDocument] = together || over(c.of[aDocument], l.Documents)
	kinds[aVideo] = over(c.of[aVideo], l.Videos)
	return kinds
}

// reduceByQuarter returns limits that are a quarter lower. Media are left out in large steps, because each step changes
// the beginning of the request, which a prompt cache holds.
func (l RequestLimits) reduceByQuarter() RequestLimits {
	l.Images -= l.Images / 4
	l.Documents -= l.Documents / 4
	l.Videos -= l.Videos / 4
	l.Media -= l.Media / 4
	l.Bytes -= l.Bytes / 4
	return l
}

func (c mediaCount) isBeyond(l RequestLimits) bool { return c.exceededKinds(l) != [mediaKinds]bool{} }

// listCounts lists the limits of numbers and bytes.
func (l RequestLimits) listCounts() string {
	var all []string
	add := func(n int64, what string) {
		if n > 0 {
			all = append(all, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(int64(l.Images), "images")
	add(int64(l.Documents), "documents")
	add(int64(l.Media), "of both together")
	add(int64(l.Videos), "videos")
	add(l.Bytes, "bytes")
	return strings.Join(all, ", ")
}
