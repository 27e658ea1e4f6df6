package agenttest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strconv"
	"sync"

	"github.com/carrel-go/carrel/agent"
)

// MismatchError says that a request is not the one that was recorded.
type MismatchError struct {
	// Diff shows the recorded request against the one that came, line by line as in the file: "-" was recorded, "+"
	// came, " " is in both.
	Diff string
}

// Error implements error.
func (e *MismatchError) Error() string { return "the request is not the recorded one:\n" + e.Diff }

// ErrLeft says that a recorded answer goes no further, since its consumer left the loop there.
var ErrLeft = errors.New("agenttest: the recording ends here: the consumer had left")

// Player is a Model that answers from a recording. It is safe for concurrent use.
//
// Each request takes the first exchange of the file that asks the same and has not been played, so several
// conversations may go on at once. The secrets in a request are taken out before it is compared; they need not be
// those of the recording, as long as what was the same secret there is the same secret now. A request that is not in
// the file is answered with a [*TurnError] that holds a [*MismatchError] or [ErrOver], inside an [*agent.ModelError].
//
// An answer that was cancelled waits at its end for its context to end.
type Player struct {
	rec recording

	mu     sync.Mutex
	vault  *vault
	fresh  map[string]int // by kind: placeholders above this number are not of the file
	played []bool
	errs   []error
}

// Replay returns a player of the file at path, which [Record] has written with the same options.
func Replay(path string, o *RecordingOptions) (*Player, error) {
	if o == nil {
		o = &RecordingOptions{}
	}
	b, err := os.ReadFile(path) //nolint:gosec // the caller's own file
	if err != nil {
		return nil, fmt.Errorf("agenttest: replay: %w", err)
	}
	rec, err := decodeRecording(b)
	if err != nil {
		return nil, fmt.Errorf("agenttest: replay %s: %w", path, err)
	}
	v, err := newVault(o.Redact)
	if err != nil {
		return nil, err
	}
	p := &Player{rec: rec, vault: v, fresh: map[string]int{}, played: make([]bool, len(rec.Exchanges))}
	for _, m := range placeholder.FindAllSubmatch(b, -1) {
		if n, err := strconv.Atoi(string(m[2])); err == nil {
			kind := string(m[1])
			p.fresh[kind] = max(p.fresh[kind], n)
			v.count[kind] = p.fresh[kind]
		}
	}
	return p, nil
}

// Err is what went wrong so far: each [*TurnError], and an [*UnusedError] if exchanges are left; or nil.
func (p *Player) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	errs := slices.Clone(p.errs)
	played := 0
	for _, done := range p.played {
		if done {
			played++
		}
	}
	if played < len(p.played) {
		errs = append(errs, &UnusedError{Played: played, Turns: len(p.played)})
	}
	return errors.Join(errs...)
}

// Stream implements [agent.Model].
func (p *Player) Stream(ctx context.Context, r *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(nil, err)
			return
		}
		e, err := p.find(r)
		if err != nil {
			yield(nil, &agent.ModelError{Code: agent.Internal, Message: "The recording and the run disagree.", Err: err})
			return
		}
		e.turn().play(ctx, yield)
	}
}

// turn is the answer as it is played.
func (e exchange) turn() Turn {
	t := Turn{end: cut}
	for _, d := range e.Answer {
		t.deltas = append(t.deltas, d.delta())
	}
	switch {
	case e.End == cancelled:
		t.end = stalled
	case e.End == left:
		t.end, t.err = failing, &agent.ModelError{Code: agent.Internal, Message: "The recording goes no further.", Err: ErrLeft}
	case e.Error != nil:
		t.end, t.err = failing, e.Error.error()
	}
	return t
}

// find takes the exchange for a request.
func (p *Player) find(r *agent.Request) (exchange, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	req := p.vault.request(r)
	got, err := compact(req)
	if err != nil {
		return exchange{}, err
	}
	first := -1
	for i, e := range p.rec.Exchanges {
		if p.played[i] {
			continue
		}
		if first < 0 {
			first = i
		}
		want, err := compact(e.Request)
		if err != nil {
			return exchange{}, err
		}
		if names, ok := p.unify(string(want), string(got)); ok {
			p.played[i] = true
			p.vault.rename(names)
			return e, nil
		}
	}
	failed := &TurnError{Turn: len(p.rec.Exchanges) + 1, Err: ErrOver}
	if first >= 0 {
		want, err := compact(p.rec.Exchanges[first].Request)
		if err != nil {
			return exchange{}, err
		}
		names, _ := p.unify(string(want), string(got))
		failed.Turn = first + 1
		failed.Err = &MismatchError{Diff: diff(string(pretty(want)), string(pretty([]byte(substitute(string(got), names)))))}
	}
	p.errs = append(p.errs, failed)
	return exchange{}, failed
}
