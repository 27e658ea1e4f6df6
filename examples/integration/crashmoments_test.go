package integration_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"
)

// moment is when a process is killed.
type moment string

const (
	anyTime        moment = "any time"
	beforeEffect   moment = "before an effect"
	afterEffect    moment = "after an effect"
	duringStart    moment = "during a start"
	afterStart     moment = "after a start"
	duringDecision moment = "during a decision"
	afterDecision  moment = "after a decision"
	atStoreRequest moment = "at a request to the store"
)

const (
	longestTrap   = 2 * time.Second // after which a process is killed anyway
	longestFreeze = 2 * crashLease
)

var moments = []moment{
	anyTime, anyTime, beforeEffect, afterEffect, duringStart, afterStart, duringDecision, afterDecision,
	atStoreRequest, atStoreRequest,
}

// trap kills the process that reaches a moment first.
type trap struct {
	moment moment
	hit    chan *process
}

// reach kills the process if it is wanted at that moment.
func (w *crashWorld) reach(p *process, m moment) {
	if t := w.armed.Load(); p != nil && t != nil && t.moment == m && w.armed.CompareAndSwap(t, nil) {
		p.kill()
		t.hit <- p
	}
}

// killProcess kills a process at a random moment, and now and then the other one too, and starts new ones.
func (w *crashWorld) killProcess() {
	m := moments[w.chance(len(moments))]
	p := w.await(m)
	if p == nil {
		m, p = anyTime, w.choose(w.rnd)
	}
	w.bury(p, m)
	if w.chance(6) == 0 {
		w.bury(w.choose(w.rnd), anyTime)
		w.startProcess()
	}
	w.startProcess()
}

// bury kills a process, if it still lives, and forgets it.
func (w *crashWorld) bury(p *process, m moment) {
	p.kill()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kills[m]++
	w.hitRunsLocked()
	delete(w.processes, p.name)
}

// countKills returns how often a process was killed.
func (w *crashWorld) countKills() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, k := range w.kills {
		n += k
	}
	return n
}

// await returns the process that was killed at a moment, or nil if none was.
func (w *crashWorld) await(m moment) *process {
	switch m {
	case anyTime:
		return nil
	case atStoreRequest:
		return w.killAtRequest()
	}
	t := &trap{m, make(chan *process, 1)}
	w.armed.Store(t)
	select {
	case p := <-t.hit:
		return p
	case <-time.After(longestTrap):
	}
	if w.armed.CompareAndSwap(t, nil) {
		return nil
	}
	return <-t.hit
}

// killAtRequest lets a process die at one of its next requests to the store.
func (w *crashWorld) killAtRequest() *process {
	p := w.choose(w.rnd)
	ctx, cancel := context.WithTimeout(w.t.Context(), longestTrap)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprint(p.url, "/kill/", 1+w.chance(100)), nil)
	require.NoError(w.t, err)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil // it is frozen
	}
	_ = res.Body.Close()
	select {
	case <-p.gone:
		return p
	case <-ctx.Done():
		return nil
	}
}

// freezeProcesses stops a process for a while, until ctx ends. If it is stopped for longer than a lease, another process
// takes its runs over, and it continues as if nothing had happened.
func (w *crashWorld) freezeProcesses(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(2*time.Second + time.Duration(w.chance(2000))*time.Millisecond):
		}
		p := w.choose(w.rnd)
		if p == nil || w.countHits() >= maxHits {
			continue
		}
		_ = p.command.Process.Signal(syscall.SIGSTOP)
		select {
		case <-p.gone:
		case <-time.After(time.Duration(w.chance(int(longestFreeze)))):
			_ = p.command.Process.Signal(syscall.SIGCONT)
		}
		w.mu.Lock()
		w.freezes++
		w.hitRunsLocked()
		w.mu.Unlock()
	}
}

// endProcesses asks all processes to end. Each hands its runs over and exits without an error.
func (w *crashWorld) endProcesses() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for p := range maps.Values(w.processes) {
		_ = p.command.Process.Signal(syscall.SIGTERM)
		<-p.gone
		require.Zero(w.t, p.command.ProcessState.ExitCode(), p.name)
	}
}
