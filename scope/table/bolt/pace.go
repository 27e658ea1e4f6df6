package bolt

import "time"

const (
	paceInterval = 25 * time.Millisecond // between transactions of few writes
	paceWrites   = 12                    // writes that do not wait for others
	paceBurst    = 20                    // transactions that may begin without a pause before
	maxUnpaced   = 1024                  // transactions after which a pause is tried again
)

// pacer spaces transactions of few writes, so that concurrent writers share them: a
// transaction costs much more than a write in it. It does not delay the first writes after
// a while of fewer, nor a writer that is alone, for which a pause would not bring another
// write.
type pacer struct {
	next    time.Time // when the next transaction would begin if all had been spaced
	unpaced int       // transactions that still begin without a pause
	backOff int       // the value of unpaced after a pause that did not bring another write
}

// nextWait returns how long the next transaction should wait.
func (p *pacer) nextWait(now time.Time) time.Duration {
	if p.unpaced > 0 {
		return 0
	}
	return p.next.Add(-paceBurst * paceInterval).Sub(now)
}

// learn records whether other writes arrived during a pause.
func (p *pacer) learn(helped bool) {
	if helped {
		p.backOff = 0
		return
	}
	p.backOff = min(max(2*p.backOff, paceBurst), maxUnpaced)
	p.unpaced = p.backOff
}

// begin records that a transaction begins with that many writes.
func (p *pacer) begin(now time.Time, writes int) {
	if p.next.Before(now) {
		p.next = now
	}
	p.next = p.next.Add(paceInterval)
	if limit := now.Add((paceBurst + 1) * paceInterval); p.next.After(limit) {
		p.next = limit // after transactions without a pause
	}
	if p.unpaced = max(p.unpaced-1, 0); writes > 1 {
		p.unpaced, p.backOff = 0, 0
	}
}
