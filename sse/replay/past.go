package replay

import (
	"context"
	"slices"
)

// maxHeld is the size of the events that a reader holds until it knows which of them were taken back.
const maxHeld = 256 << 10

// past describes a log up to the end that a reader has found: the events that were taken back, and all events if they
// are few. Otherwise the reader reads them once more.
type past struct {
	end    string // the id of the last event
	gaps   []gap
	held   []Event
	isHeld bool
	size   int // of the events that were read
}

// gap is a range of events that were taken back: those after the first id, up to the last, which is the one that did
// so.
type gap struct{ after, last string }

// readPast reads a log up to its present end.
func readPast(ctx context.Context, r *reading) (*past, error) {
	p := &past{isHeld: true}
	var bad error
	err := r.readLog(ctx, func(events []Event) bool {
		bad = p.addEvents(events)
		return bad == nil
	}, false)
	if err == nil {
		err = bad
	}
	return p, err
}

func (p *past) addEvents(events []Event) error {
	for _, e := range events {
		p.end = e.ID
		if e.Type() == retractType {
			after, err := retractedAfter(e)
			if err != nil {
				return err
			}
			if after < e.ID {
				p.addGap(gap{after, e.ID})
			}
		}
		if p.size += len(e.Data); p.size > maxHeld {
			p.isHeld, p.held = false, nil
		}
		if p.isHeld {
			p.held = append(p.held, e)
		}
	}
	return nil
}

// addGap appends g and merges earlier gaps that overlap it.
func (p *past) addGap(g gap) {
	for n := len(p.gaps); n > 0 && p.gaps[n-1].last > g.after; n-- {
		g.after = min(g.after, p.gaps[n-1].after)
		p.gaps = p.gaps[:n-1]
	}
	p.gaps = append(p.gaps, g)
}

// keep returns the events without those that were taken back. It changes the slice.
func (p *past) keep(events []Event) []Event {
	return slices.DeleteFunc(events, func(e Event) bool {
		switch {
		case e.ID > p.end:
			return false
		case e.Type() == retractType:
			return true
		}
		for len(p.gaps) > 0 && p.gaps[0].last < e.ID {
			p.gaps = p.gaps[1:]
		}
		return len(p.gaps) > 0 && e.ID > p.gaps[0].after
	})
}
