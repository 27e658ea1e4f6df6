package agent

import (
	"slices"

	"github.com/carrel-go/carrel/tools"
)

const (
	// maxSingleTrials is how many media are left out one by one, the newest first.
	maxSingleTrials = 8
	// refusedNote is why a medium is left out with which the service has refused a request.
	refusedNote = "the request was refused with it"
)

// markAccepted notes that the service has accepted a request with the media that were sent: none of them is at fault when
// it refuses a later one.
func (r *run) markAccepted() {
	for _, m := range r.sent {
		r.accepted[m.Media] = true
	}
}

// tryWithoutMedia changes the next request because the service has refused one, and reports whether it could. It first
// looks for objects that have gone. Then it leaves out single media, and those of the newest message with media, of which
// no request has been accepted: a note replaces them in the turns, which become the history if the service accepts the
// request. At last all media of earlier turns are left out of the requests of this run.
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

// planTrials returns the sets of media that may be the reason for a refusal, the most likely first.
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

// replaceRefused returns the turns with a note in the place of those media.
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

// findGone looks again for the objects of earlier turns and reports whether one has gone since.
func (r *run) findGone() bool {
	gone := false
	for i := range r.sent {
		m := &r.sent[i]
		if m.Object.IsZero() {
			continue
		}
		delete(r.findings, m.Media)
		gone = r.inspect(m).note != "" || gone
	}
	return gone
}

// dropMedia leaves the media of earlier turns out of the requests of this run, and reports whether there are any to leave
// out: objects, and others only if inline is set.
func (r *run) dropMedia(inline bool) bool {
	isDropped := func(m medium) bool { return inline || !m.Object.IsZero() }
	if r.withoutMedia || !slices.ContainsFunc(r.sent, isDropped) {
		return false
	}
	r.withoutMedia = true
	return true
}
