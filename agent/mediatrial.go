package agent

import (
	"slices"

	"github.com/carrel-go/carrel/tools"
)

// maxSingleTrials is the number of media that are left out one by one, the newest first.
const maxSingleTrials = 8

// markAccepted marks the media of a request that the service has accepted. They are not the reason if it rejects a
// later request. It also counts the media that the request lacked.
func (r *run) markAccepted() {
	r.omittedMedia = max(r.omittedMedia, r.omitted)
	for _, m := range r.sent {
		r.accepted[m.Media] = true
	}
}

// tryWithoutMedia changes the next request because the service has rejected one, and reports whether it could. It first
// looks for deleted objects. Then it leaves out media that the service has not accepted before: one at a time, then
// those of the newest message with media. A note replaces them in the turns, which become the history if the service
// accepts the request. Finally it leaves all media of earlier turns out of the requests of this run.
func (r *run) tryWithoutMedia() bool {
	if r.trialBase == nil {
		if r.findGone() {
			return true
		}
		r.trialBase = r.turns
		r.trials = r.planTrials()
	}
	if len(r.trials) > 0 {
		trial := r.trials[0]
		r.trials = r.trials[1:]
		r.proposeTurns(replaceRefused(r.trialBase, trial))
		return true
	}
	hadAny := len(r.sent) > 0 // if not, the last trial was without media
	r.turns = r.trialBase
	r.resetMessages()
	return hadAny && r.dropMedia(true)
}

// planTrials returns the sets of media that may be the reason for a rejection, the most likely first.
func (r *run) planTrials() [][]medium {
	suspects := slices.DeleteFunc(slices.Clone(r.sent), func(m medium) bool { return r.accepted[m.Media] })
	slices.Reverse(suspects)
	var trials [][]medium
	for _, m := range suspects[:min(len(suspects), maxSingleTrials)] {
		trials = append(trials, []medium{m})
	}
	if n := slices.IndexFunc(suspects, func(m medium) bool { return m.message != suspects[0].message }); n > 1 {
		trials = append(trials, suspects[:n])
	} else if n < 0 && len(suspects) > 1 {
		trials = append(trials, suspects)
	}
	return trials
}

// replaceRefused returns the turns with a note in place of those media.
func replaceRefused(turns []Turn, refused []medium) []Turn {
	is := map[*tools.Media]bool{}
	for _, m := range refused {
		is[m.Media] = true
	}
	turns = slices.Clone(turns)
	for i, t := range turns {
		all := findMedia(t.Messages)
		for k := range all {
			if is[all[k].Media] {
				all[k].note = refusedNote
			}
		}
		turns[i].Messages = replaceMedia(t.Messages, all)
	}
	return turns
}

// findGone looks up the objects of earlier turns again, and reports whether one has been deleted.
func (r *run) findGone() bool {
	gone := false
	for i := range r.sent {
		m := &r.sent[i]
		if m.Object.IsZero() {
			continue
		}
		delete(r.findings, m.Media)
		gone = r.inspectOnce(m).note != "" || gone
	}
	return gone
}

// dropMedia leaves the media of earlier turns out of the requests of this run, and reports whether the last request had
// any: objects, or, if inline is set, bytes.
func (r *run) dropMedia(inline bool) bool {
	isDropped := func(m medium) bool { return inline || !m.Object.IsZero() }
	if r.withoutMedia || !slices.ContainsFunc(r.sent, isDropped) {
		return false
	}
	r.withoutMedia = true
	return true
}
