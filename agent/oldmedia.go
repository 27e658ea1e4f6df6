package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// medium is an image, a document or a video in the messages of a request.
type medium struct {
	*tools.Media
	kind                 mediaKind
	message, part, block int  // where it is; block is -1 outside of results
	fresh                bool // part of the prompt, which does not change
	note                 string
	size                 int64
}

// finding is the result of inspecting a medium: its size if known, and why no request can hold it, or "".
type finding struct {
	size int64
	note string
}

// requestMessages returns the messages of a request. A note replaces each medium of an earlier turn that exceeds the
// limits or has been deleted.
func (r *run) requestMessages() []Message {
	all := r.allMedia()
	r.sent = nil
	if len(all) == 0 {
		return slices.Clip(r.messages)
	}
	for i := range all {
		m := &all[i]
		switch {
		case m.fresh:
			m.size = int64(len(m.Bytes))
		case !m.Object.IsZero() && r.in.reach().isWithdrawn(m.Object.Scope()):
			m.note = "it is not shared with this conversation any more"
		case r.withoutMedia:
			m.note = refusedNote
		default:
			f := r.inspect(m)
			m.size, m.note = f.size, f.note
		}
	}
	makeRoom(all, r.agent.request)
	r.sent = slices.DeleteFunc(slices.Clone(all), func(m medium) bool { return m.fresh || m.note != "" })
	return replaceMedia(slices.Clip(r.messages), all)
}

// allMedia returns the media in the messages, in order.
func (r *run) allMedia() []medium {
	all := findMedia(r.messages)
	if r.prompt == nil {
		return all
	}
	last := len(r.messages) - 1
	old := len(r.messages[last].Parts) - len(r.prompt.Parts)
	for i := range all {
		all[i].fresh = all[i].message == last && all[i].part >= old
	}
	return all
}

// findMedia returns the media in ms, in order.
func findMedia(ms []Message) []medium {
	var all []medium
	for i, m := range ms {
		for j, p := range m.Parts {
			add := func(block int, media [mediaKinds]*tools.Media) {
				for kind, m := range media {
					if m != nil {
						all = append(all, medium{Media: m, kind: mediaKind(kind), message: i, part: j, block: block})
					}
				}
			}
			add(-1, [mediaKinds]*tools.Media{p.Image, p.Document, p.Video})
			if p.Result == nil {
				continue
			}
			for k, b := range p.Result.Result.Blocks {
				add(k, [mediaKinds]*tools.Media{b.Image, b.Document, b.Video})
			}
		}
	}
	return all
}

// inspect determines whether any request can hold m. The run keeps the finding.
func (r *run) inspect(m *medium) finding {
	if f, ok := r.findings[m.Media]; ok {
		return f
	}
	ctx, cancel := context.WithTimeout(r.ctx, r.agent.limits.ToolTimeout)
	defer cancel()
	f, err := r.agent.inspect(ctx, r.in.reach(), m.Media, m.kind)
	if err != nil { // the store may recover before the model reads it
		return f
	}
	r.findings[m.Media] = f
	return f
}

// inspect measures a medium and looks up its object, if the agent has a bucket. It returns an error if the store fails.
func (a *Agent) inspect(ctx context.Context, r reach, m *tools.Media, kind mediaKind) (finding, error) {
	f := finding{size: int64(len(m.Bytes))}
	if !m.Object.IsZero() && a.objects != nil && r.own.Level() != scope.None {
		root, err := a.root(r, m.Object)
		if err != nil {
			return f, err
		}
		_, info, err := root.Stat(ctx, m.Object)
		switch {
		case errors.Is(err, object.ErrNotFound):
			f.note = "it has been deleted"
		case errors.Is(err, object.ErrChanged):
			f.note = "it has been replaced by another file"
		case errors.Is(err, object.ErrDenied), errors.Is(err, object.ErrInvalid):
			f.note = "it cannot be read"
		case err != nil:
			return f, err
		}
		f.size = info.Size
	}
	most := [...]int64{a.request.ImageBytes, a.request.DocumentBytes, a.request.VideoBytes}[kind]
	width, height := 0, 0
	if side := a.request.ImageSide; kind == anImage && side > 0 && len(m.Bytes) > 0 {
		width, height, _ = imageSize(m)
	}
	switch {
	case f.note != "":
	case !isPlausible(m):
		f.note = "its bytes are not " + m.Format
	case most > 0 && f.size > most:
		f.note = fmt.Sprintf("it is larger than %d bytes", most)
	case a.request.ImageSide > 0 && max(width, height) > a.request.ImageSide:
		f.note = fmt.Sprintf("it has %d×%d pixels, and a side may have %d", width, height, a.request.ImageSide)
	}
	return f, nil
}

// makeRoom sets the note of the oldest media until the others keep the limits. It keeps fresh media. The selection only
// depends on earlier messages, so that requests of a growing conversation begin in the same way.
func makeRoom(all []medium, limits RequestLimits) {
	var count mediaCount
	oldest := 0
	// drop leaves out the oldest media before the end until the limits are kept.
	drop := func(end int, limits RequestLimits) {
		for i := oldest; i < end; i++ {
			m := &all[i]
			over := count.exceeds(limits)
			switch {
			case over == [mediaKinds]bool{}:
				return
			case m.fresh || m.note != "" || !over[m.kind]:
				continue
			}
			m.note = "it was left out to make room for newer ones"
			count.add(m.kind, m.size, -1)
		}
	}
	for begin, end := 0, 0; begin < len(all); begin = end {
		for ; end < len(all) && all[end].message == all[begin].message; end++ {
			if m := &all[end]; m.note == "" {
				count.add(m.kind, m.size, 1)
			}
		}
		if count.isBeyond(limits) {
			drop(begin, limits.reduced())
			drop(end, limits)
		}
		for oldest < end && all[oldest].note != "" {
			oldest++
		}
	}
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
		text := m.text()
		if m.block < 0 {
			*p = Part{Text: text}
			continue
		}
		res := *p.Result
		res.Result.Blocks = slices.Clone(res.Result.Blocks)
		res.Result.Blocks[m.block] = tools.Block{Text: text}
		p.Result = &res
	}
	return ms
}

// text returns the note that replaces m in a request.
func (m *medium) text() string {
	return fmt.Sprintf("[There was %s here: %s.]", mediaName(m.Media, m.kind), m.note)
}

// mediaName returns the name of m with its article.
func mediaName(m *tools.Media, kind mediaKind) string { return kind.name() + " (" + m.Format + ")" }
