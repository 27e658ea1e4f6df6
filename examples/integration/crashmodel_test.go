package integration_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/approval"
)

// plan contains the answers and calls of the model in a conversation. It is the user's message.
type plan struct {
	Visit string // names the effects
	Words int    // of each answer
	Books []int  // that each answer puts on the shelf
	Bell  bool   // the first answer also rings the bell
	Lend  bool   // then one book is lent, which needs an approval
	Size  int    // of the result of each call
	Pad   string // makes the request large
}

// answers returns the number of answers of the model.
func (p plan) answers() int {
	n := len(p.Books) + 1
	if p.Lend {
		n++
	}
	return n
}

// title names a book, and with it the effect of a call.
func (p plan) title(answer, call int) string { return fmt.Sprintf("%s/%d/%d", p.Visit, answer, call) }

// effects returns the titles of all calls.
func (p plan) effects() (titles []string) {
	for answer, books := range p.Books {
		for call := range books {
			titles = append(titles, p.title(answer, call))
		}
	}
	if p.Bell {
		titles = append(titles, p.bell())
	}
	if p.Lend {
		titles = append(titles, p.lent())
	}
	return titles
}

// lent names the book that is lent, and bell the sound of the bell.
func (p plan) lent() string { return p.Visit + "/lent" }
func (p plan) bell() string { return p.Visit + "/bell" }

// readPlan returns the plan and the number of results after it.
func readPlan(r *agent.Request) (p plan, results int, err error) {
	for _, m := range r.Messages {
		for _, part := range m.Parts {
			switch {
			case part.Result != nil:
				results++
			case m.Role == agent.RoleUser && strings.HasPrefix(part.Text, "{"):
				p, results = plan{}, 0
				err = json.Unmarshal([]byte(part.Text), &p)
			}
		}
	}
	return p, results, err
}

// answerPlan answers like a real model: no two answers are the same, also if the model is asked again. Each word names its
// answer, so that parts of two answers can be told apart.
func answerPlan(_ context.Context, r *agent.Request) ([]agent.Delta, error) {
	p, results, err := readPlan(r)
	if err != nil {
		return nil, err
	}
	id := rand.Text()[:10]
	var deltas []agent.Delta
	for i := range p.Words {
		deltas = append(deltas, agenttest.Say(fmt.Sprintf("%s:%d ", id, i)))
	}
	call := func(tool, title string) {
		input := fmt.Sprintf(`{"Title":%q,"Size":%d}`, title, p.Size)
		deltas = append(deltas, agenttest.Call(fmt.Sprintf("%s-%d", id, len(deltas)), tool, input))
	}
	before := 0
	for answer, books := range p.Books {
		if results == before {
			for i := range books {
				call("put_book", p.title(answer, i))
			}
			if answer == 0 && p.Bell {
				call("ring_bell", p.bell())
			}
		}
		if before += books; answer == 0 && p.Bell {
			before++
		}
	}
	if p.Lend && results == before {
		call("lend_book", p.lent())
	}
	return append(deltas, agent.UsageReport{Usage: agent.Usage{Input: 100, Output: int64(p.Words)}}), nil
}

// effectTools have effects in a service outside the process.
type effectTools struct {
	url     string // of the service
	process string
}

type effectArgs struct {
	Title string
	Size  int
}

// newSet returns the tools of the model. The bell does not send a key.
func (e effectTools) newSet(approvals *approval.Approvals) tools.Set {
	retry := tools.RetryTransient(10)
	return tools.Of(
		must.Get(tools.New("put_book", "Puts a book on the shelf.", e.run(true), retry)),
		must.Get(tools.New("ring_bell", "Rings the bell.", e.run(false), retry)),
		must.Get(tools.New("lend_book", "Lends a book.", e.run(true), approvals.Require(nil), retry)),
	)
}

func (e effectTools) run(hasKey bool) func(context.Context, *tools.Call, effectArgs) (string, error) {
	return func(ctx context.Context, c *tools.Call, in effectArgs) (string, error) {
		c.Progress(map[string]string{"sends": in.Title})
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, strings.NewReader(in.Title))
		if err != nil {
			return "", err
		}
		req.Header.Set("Process", e.process)
		if hasKey {
			req.Header.Set("Idempotency-Key", c.IdempotencyKey())
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return "", tools.Transient(err)
		}
		defer func() { _ = res.Body.Close() }()
		if res.StatusCode != http.StatusOK {
			return "", fmt.Errorf("the service answers %s", res.Status)
		}
		return in.Title + " " + strings.Repeat("x", in.Size), nil
	}
}
