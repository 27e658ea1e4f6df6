package agent

import (
	"fmt"
	"strings"
)

// RequestLimits are what the service of a [Model] accepts in one request. A field that is zero sets no limit.
//
// The agent applies them when a tool returns: a result beyond them is a failed one. What a history holds beyond them,
// since it has grown or was written for another model, is left out of requests, the oldest first, with a note in its
// place.
type RequestLimits struct {
	// ImageBytes and DocumentBytes are the size of the largest image and document.
	ImageBytes, DocumentBytes int64
	// ImageSide is the largest width and height of an image, in pixels.
	ImageSide int
	// Images and Documents are the largest numbers of them, and Media of both together.
	Images, Documents, Media int
	// Bytes is the size of all images and documents together, and of one result.
	Bytes int64
}

// strictest returns the smaller of each limit.
func (l RequestLimits) strictest(o RequestLimits) RequestLimits {
	return RequestLimits{
		ImageBytes: lower(l.ImageBytes, o.ImageBytes), DocumentBytes: lower(l.DocumentBytes, o.DocumentBytes),
		ImageSide: lower(l.ImageSide, o.ImageSide),
		Images:    lower(l.Images, o.Images), Documents: lower(l.Documents, o.Documents), Media: lower(l.Media, o.Media),
		Bytes: lower(l.Bytes, o.Bytes),
	}
}

// lower returns the smaller limit of two; zero is none.
func lower[N int | int64](a, b N) N {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// mediaCount counts the images and documents of a request.
type mediaCount struct {
	images, documents int
	bytes             int64
}

// add counts one medium n times; n may be negative.
func (c *mediaCount) add(image bool, size int64, n int) {
	if image {
		c.images += n
	} else {
		c.documents += n
	}
	c.bytes += size * int64(n)
}

// exceeds reports whether the count is beyond the limits. Of a count that exceeds nothing but the number of images, no
// document needs to go, and the reverse: then of says which kind does.
func (c mediaCount) exceeds(l RequestLimits) (image, document bool) {
	over := func(n, most int) bool { return most > 0 && n > most }
	if over(c.images+c.documents, l.Media) || l.Bytes > 0 && c.bytes > l.Bytes {
		return true, true
	}
	return over(c.images, l.Images), over(c.documents, l.Documents)
}

// reduced returns limits a quarter lower. What is left out goes in larger steps, since each step changes the beginning
// of the request, which a prompt cache holds.
func (l RequestLimits) reduced() RequestLimits {
	l.Images -= l.Images / 4
	l.Documents -= l.Documents / 4
	l.Media -= l.Media / 4
	l.Bytes -= l.Bytes / 4
	return l
}

// isBeyond reports whether the count is beyond the limits.
func (c mediaCount) isBeyond(l RequestLimits) bool {
	images, documents := c.exceeds(l)
	return images || documents
}

// counts names the limits of numbers and bytes.
func (l RequestLimits) counts() string {
	var all []string
	add := func(n int64, what string) {
		if n > 0 {
			all = append(all, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(int64(l.Images), "images")
	add(int64(l.Documents), "documents")
	add(int64(l.Media), "of both together")
	add(l.Bytes, "bytes")
	return strings.Join(all, ", ")
}
