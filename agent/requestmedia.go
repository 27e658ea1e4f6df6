package agent

import (
	"context"
	"slices"
)

// requestMessages returns the messages of a request. A note replaces each medium of an earlier turn that exceeds the
// limits or has been deleted.
func (r *run) requestMessages() []Message {
	all := r.allMedia()
	r.sent, r.omitted = nil, 0
	if len(all) == 0 {
		return slices.Clip(r.messages)
	}
	for i := range all {
		m := &all[i]
		switch {
		case m.fresh:
			m.size = int64(len(m.Bytes))
		case !m.Object.IsZero() && r.in.newReach().isWithdrawn(m.Object.Scope()):
			m.note = "it is not shared with this conversation any more"
		case r.withoutMedia:
			m.note = refusedNote
			r.omitted++
		default:
			f := r.inspectOnce(m)
			m.size, m.note = f.size, f.note
		}
	}
	makeRoom(all, r.agent.requestLimits)
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

// inspectOnce determines whether any request can hold m. The run keeps the finding.
func (r *run) inspectOnce(m *medium) finding {
	if f, ok := r.findings[m.Media]; ok {
		return f
	}
	ctx, cancel := context.WithTimeout(r.ctx, r.agent.limits.ToolTimeout)
	defer cancel()
	f, err := r.agent.inspectMedium(ctx, r.in.newReach(), *m)
	if err != nil { // the store may recover before the model reads it
		return f
	}
	r.findings[m.Media] = f
	return f
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
			over := count.exceededKinds(limits)
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
			drop(begin, limits.reduceByQuarter())
			drop(end, limits)
		}
		for oldest < end && all[oldest].note != "" {
			oldest++
		}
	}
}
