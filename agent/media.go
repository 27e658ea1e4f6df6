package agent

import (
	"fmt"
	"iter"
	"slices"

	"github.com/carrel-go/carrel/tools"
)

// mediaPart returns m as a part of the user's message.
func mediaPart(m tools.Media) (Part, error) {
	b := m.Block()
	return Part{Image: b.Image, Document: b.Document, Video: b.Video}, b.Check()
}

// refusedNote is the note of a medium with which the service rejected a request.
const refusedNote = "the request was refused with it"

// medium is an image, a document or a video in the messages of a request.
type medium struct {
	*tools.Media
	kind                 mediaKind
	message, part, block int  // where it is; block is -1 outside of results
	fresh                bool // part of the prompt, which does not change
	note                 string
	size                 int64
}

// eachMedium yields the media in parts, including those in results.
func eachMedium(parts []Part) iter.Seq[medium] {
	return func(yield func(medium) bool) {
		for i, p := range parts {
			if !yieldMedia(yield, medium{part: i, block: -1}, p.Image, p.Document, p.Video) {
				return
			}
			if p.Result != nil && !yieldResultMedia(yield, i, p.Result.Blocks) {
				return
			}
		}
	}
}

// yieldResultMedia yields the media in the blocks of a result, which is in that part. It reports whether the consumer
// wants more.
func yieldResultMedia(yield func(medium) bool, part int, blocks []tools.Block) bool {
	for k, b := range blocks {
		if !yieldMedia(yield, medium{part: part, block: k}, b.Image, b.Document, b.Video) {
			return false
		}
	}
	return true
}

// yieldMedia yields the media of one part or block, which are at the place of m.
func yieldMedia(yield func(medium) bool, m medium, byKind ...*tools.Media) bool {
	for kind, content := range byKind {
		m.Media, m.kind = content, mediaKind(kind)
		if content != nil && !yield(m) {
			return false
		}
	}
	return true
}

func resultMedia(res tools.Result) iter.Seq[medium] {
	return func(yield func(medium) bool) { yieldResultMedia(yield, 0, res.Blocks) }
}

func findMedia(ms []Message) []medium {
	var all []medium
	for i, msg := range ms {
		for m := range eachMedium(msg.Parts) {
			m.message = i
			all = append(all, m)
		}
	}
	return all
}

// replaceMedia returns ms with notes in place of the media that have one. ms does not change.
func replaceMedia(ms []Message, all []medium) []Message {
	copied := -1 // the last message whose parts are a copy
	for _, m := range all {
		if m.note == "" {
			continue
		}
		if copied < 0 {
			ms = slices.Clone(ms)
		}
		if copied != m.message {
			ms[m.message].Parts = slices.Clone(ms[m.message].Parts)
			copied = m.message
		}
		p := &ms[m.message].Parts[m.part]
		text := m.noteText()
		if m.block < 0 {
			*p = Part{Text: text}
			continue
		}
		res := *p.Result
		res.Blocks = slices.Clone(res.Blocks)
		res.Blocks[m.block] = tools.Block{Text: text}
		p.Result = &res
	}
	return ms
}

// noteText returns the note that replaces m in a request.
func (m medium) noteText() string {
	return fmt.Sprintf("[There was %s here: %s.]", m.displayName(), m.note)
}

func (m medium) displayName() string { return m.kind.withArticle() + " (" + m.Format + ")" }

func hasMedia(res tools.Result) bool {
	return !yieldResultMedia(func(medium) bool { return false }, 0, res.Blocks)
}

// mediaKind is a kind of media with separate limits.
type mediaKind int

const (
	anImage mediaKind = iota
	aDocument
	aVideo
	mediaKinds
)

func (k mediaKind) withArticle() string { return [...]string{"an image", "a document", "a video"}[k] }
