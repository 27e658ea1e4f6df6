package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/carrel-go/carrel/tools"
)

// Ten thousand runs of one agent for 64 tenants at once do not see another's prompt, result, scope or state.
func TestSharedAgentIsolatesTenants(t *testing.T) {
	t.Parallel()
	const tenants, runs = 64, 157
	who := mustTool(t, "who", func(_ context.Context, c *tools.Call, word string) (string, error) {
		var seen []string
		err := c.State().Update("seen", &seen, func() error {
			if len(seen) == 3 {
				seen = seen[1:]
			}
			seen = append(seen, word)
			return nil
		})
		return fmt.Sprintf("%s/%s/%v", c.Scope().TenantID(), word, seen), err
	})
	m := modelFunc(func(ctx context.Context, r *Request) iterDeltas {
		last := r.Messages[len(r.Messages)-1].Parts
		if res := last[0].Result; res != nil && len(last) == 1 {
			return play(step{text("you are " + res.Result.Summary), end}).Stream(ctx, r)
		}
		word := last[len(last)-1].Text
		return play(step{use("id-"+word, "who", `{"word":"`+word+`"}`), calls}).Stream(ctx, r)
	})
	a := newAgent(t, m, Limits{}, who)
	var wg sync.WaitGroup
	defer wg.Wait()
	for g := range tenants {
		in := Input{Scope: tenant(t, fmt.Sprint("t", g)), Run: "same"}
		wg.Go(func() {
			for n := 0; n < runs; n += 10 { // several conversations, so that histories stay short
				if err := converse(a, in, g, n, min(runs, n+10)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
}

// converse runs one conversation of a tenant, with the prompts from first to before last, and checks its history.
func converse(a *Agent, in Input, tenant, first, last int) error {
	var want, seen []string
	for n := first; n < last; n++ {
		in.Prompt = fmt.Sprintf("g%d-n%d", tenant, n)
		done, err := a.Run(context.Background(), in)
		if err != nil {
			return err
		}
		seen = append(seen, in.Prompt)
		seen = seen[max(0, len(seen)-3):]
		answer := fmt.Sprintf("t%d/%s/%v", tenant, in.Prompt, seen)
		want = append(want, "user: "+in.Prompt, fmt.Sprintf(`assistant: [id-%s who {"word":"%s"}]`, in.Prompt, in.Prompt),
			fmt.Sprintf("user: {id-%s= %s}", in.Prompt, answer), "assistant: you are "+answer)
		if got := lines(done.History); !slices.Equal(got, want) {
			return fmt.Errorf("tenant t%d: got %q, want %q", tenant, got, want)
		}
		if n > first && in.History.State == done.History.State {
			return errors.New("the input's State is the output's")
		}
		in.History = done.History
	}
	return nil
}
