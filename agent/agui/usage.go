package agui

import (
	"slices"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/internal/runlog"
)

// spending is the usage that an event of the log reports.
type spending struct {
	event string
	model string
	agent.Usage
}

func (t *translator) noteUsage(at string, e *runlog.Event) {
	t.spent = append(t.spent, spending{at, e.Model, e.Usage})
}

func (t *translator) noteCompaction(at string, e *runlog.Event) {
	t.spent = append(t.spent, spending{at, "", e.Spent})
}

// usage returns the tokens of the run by model, in the order of their first use. In AG-UI the cached tokens are a part
// of the input.
func (t *translator) usage() (all []tokenUsage) {
	for _, s := range t.spent {
		if s.Usage == (agent.Usage{}) {
			continue
		}
		i := slices.IndexFunc(all, func(u tokenUsage) bool { return u.Model == s.model })
		if i < 0 {
			i = len(all)
			all = append(all, tokenUsage{Model: s.model})
		}
		input := s.Input + s.CacheRead + s.CacheWrite
		all[i].Input += input
		all[i].Output += s.Output
		all[i].Total += input + s.Output
		all[i].CacheRead += s.CacheRead
		all[i].CacheWrite += s.CacheWrite
	}
	return all
}
