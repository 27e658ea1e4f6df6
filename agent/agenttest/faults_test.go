package agenttest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
)

var faults = map[string]fault{
	"an answer without an end": {just(wrap(func(d agent.Delta, err error, y yield) bool { return isStop(d) || y(d, err) })),
		"text", "error before text"},
	"two ends": {just(wrap(func(d agent.Delta, err error, y yield) bool { return y(d, err) && (!isStop(d) || y(d, nil)) })),
		"text", "error before text"},
	"text after the end": {just(wrap(func(d agent.Delta, err error, y yield) bool {
		return y(d, err) && (!isStop(d) || y(agent.TextDelta{Text: "!"}, nil))
	})), "text", "error after text"},
	"a delta and an error in one pair": {just(wrap(func(d agent.Delta, err error, y yield) bool {
		if err != nil {
			d = agent.TextDelta{Text: "…"}
		}
		return y(d, err)
	})), "error before text", "text"},
	"nothing in a pair": {just(wrap(func(d agent.Delta, err error, y yield) bool { return y(nil, nil) && y(d, err) })),
		"text", "lazy start"},
	"a delta after the error": {just(after(func(_ context.Context, s *state, y yield) {
		if s.err != nil {
			y(agent.StopPart{Reason: agent.StopEndTurn}, nil)
		}
	})), "error after text", "text"},
	"an end, and then an error": {just(wrap(func(d agent.Delta, err error, y yield) bool {
		if err != nil && !y(agent.StopPart{Reason: agent.StopEndTurn}, nil) {
			return false
		}
		return y(d, err)
	})), "error after text", "text"},
	"an error that looks like an end": {just(wrap(func(d agent.Delta, err error, y yield) bool {
		if err != nil {
			return y(agent.StopPart{Reason: agent.StopEndTurn}, nil)
		}
		return y(d, err)
	})), "cancellation", "text"},
	"a stop without a reason": {just(wrap(func(d agent.Delta, err error, y yield) bool {
		if isStop(d) {
			d = agent.StopPart{}
		}
		return y(d, err)
	})), "text", "error before text"},
	"errors without a code": {just(wrap(func(d agent.Delta, err error, y yield) bool {
		if _, ok := errors.AsType[*agent.ModelError](err); ok {
			err = errors.New("HTTP 503")
		}
		return y(d, err)
	})), "error before text", "cancellation"},
	"an error that names an account": {just(wrap(func(d agent.Delta, err error, y yield) bool {
		if e, ok := errors.AsType[*agent.ModelError](err); ok {
			err = &agent.ModelError{Code: e.Code, Message: "arn:aws:bedrock:us-east-1:111122223333:model/m is busy."}
		}
		return y(d, err)
	})), "error after text", "text"},
	"an error of its own for a cancelled context": {just(wrap(func(d agent.Delta, err error, y yield) bool {
		if errors.Is(err, context.Canceled) {
			err = &agent.ModelError{Code: agent.CodeUnavailable, Message: "The connection was lost."}
		}
		return y(d, err)
	})), "cancellation", "deadline"},
	"an error of its own for a deadline": {just(wrap(func(d agent.Delta, err error, y yield) bool {
		if errors.Is(err, context.DeadlineExceeded) {
			err = &agent.ModelError{Code: agent.CodeTimeout, Message: "The model was too slow."}
		}
		return y(d, err)
	})), "deadline", "cancellation"},
	"what it said is lost in an error": {just(model(func(ctx context.Context, r *agent.Request, y yield) {
		var ds []agent.Delta
		for d, err := range agenttest.Actor().Stream(ctx, r) {
			if err != nil {
				y(nil, err)
				return
			}
			ds = append(ds, d)
		}
		for _, d := range ds {
			if !y(d, nil) {
				return
			}
		}
	})), "error after text", "text"},
	"a context that is not looked at": {func(stop context.Context) agent.Model {
		return model(func(_ context.Context, r *agent.Request, y yield) { agenttest.Actor().Stream(stop, r)(y) })
	}, "cancellation", "text"},
	"an ended context that is not looked at": {func(stop context.Context) agent.Model {
		return model(func(ctx context.Context, r *agent.Request, y yield) {
			if ctx.Err() != nil {
				ctx = stop
			}
			agenttest.Actor().Stream(ctx, r)(y)
		})
	}, "ended context", "cancellation"},
	"a goroutine for each stream that is left": {func(stop context.Context) agent.Model {
		return model(func(ctx context.Context, r *agent.Request, y yield) {
			agenttest.Actor().Stream(ctx, r)(func(d agent.Delta, err error) bool {
				ok := y(d, err)
				if !ok {
					go func() { <-stop.Done() }()
				}
				return ok
			})
		})
	}, "leaving a silent stream", "cancellation"},
	"a goroutine for each stream that is cancelled": {func(stop context.Context) agent.Model {
		return wrap(func(d agent.Delta, err error, y yield) bool {
			if errors.Is(err, context.Canceled) {
				go func() { <-stop.Done() }()
			}
			return y(d, err)
		})
	}, "cancellation", "leaving a silent stream"},
	"a goroutine for each panic": {func(stop context.Context) agent.Model {
		return wrap(func(d agent.Delta, err error, y yield) bool {
			ok := false
			defer func() {
				if !ok {
					go func() { <-stop.Done() }()
				}
			}()
			more := y(d, err)
			ok = true
			return more
		})
	}, "consumer panic", "leaving a silent stream"},
	"a panic that is swallowed": {just(wrap(func(d agent.Delta, err error, y yield) (more bool) {
		defer func() { _ = recover() }()
		return y(d, err)
	})), "consumer panic", "text"},
	"work before the loop":             {func(stop context.Context) agent.Model { return eager{stop} }, "lazy start", "text"},
	"a consumer who leaves is ignored": {just(wrap(func(d agent.Delta, err error, y yield) bool { y(d, err); return true })), "leaving at each delta", "text"},
	"a stream that waits for more although it was left": {func(stop context.Context) agent.Model {
		return model(func(ctx context.Context, r *agent.Request, y yield) {
			agenttest.Actor().Stream(ctx, r)(func(d agent.Delta, err error) bool {
				ok := y(d, err)
				if !ok {
					<-stop.Done()
				}
				return ok
			})
		})
	}, "leaving a silent stream", "text"},
	"a system prompt that is written over": {just(remembering(func(r, _ *agent.Request) { r.System += " Be brief." })),
		"unchanged request", "text"},
	"a text that is written over": {just(remembering(func(r, _ *agent.Request) {
		r.Messages[0].Parts[0].Text = strings.TrimSpace(r.Messages[0].Parts[0].Text) + "\n"
	})), "unchanged request", "error before text"},
	"messages appended in place": {just(remembering(func(r, _ *agent.Request) {
		_ = append(r.Messages, agent.Message{Role: agent.RoleAssistant})
	})), "unchanged request", "text"},
	"a schema that is written over": {just(remembering(func(r, _ *agent.Request) {
		if len(r.Tools) > 0 {
			r.Tools[0].Schema[0] = ' '
		}
	})), "unchanged request of a call", "text"},
	"calls in pieces": {just(wrap(func(d agent.Delta, err error, y yield) bool {
		if u, ok := d.(agent.UsePart); ok && len(u.Input) > 4 {
			head := u
			head.Input = u.Input[:4]
			u.Input = u.Input[4:]
			return y(head, nil) && y(u, nil)
		}
		return y(d, err)
	})), "one call", "text"},
	"pieces that are not the whole": {just(wrap(func(d agent.Delta, err error, y yield) bool {
		if u, ok := d.(agent.UsePart); ok && !y(agent.UseDelta{ID: u.ID, Name: u.Name, Input: string(u.Input[1:])}, nil) {
			return false
		}
		return y(d, err)
	})), "one call", "text"},
	"pieces of a call that never comes": {just(wrap(func(d agent.Delta, err error, y yield) bool {
		return (!isStop(d) || y(agent.UseDelta{ID: "never", Name: "look_up", Input: "{"}, nil)) && y(d, err)
	})), "text", "error after text"},
	"one id for all calls": {just(wrap(func(d agent.Delta, err error, y yield) bool {
		if u, ok := d.(agent.UsePart); ok {
			u.ID = "call"
			d = u
		}
		return y(d, err)
	})), "many calls", "one call"},
	"ids that are not UTF-8": {just(wrap(func(d agent.Delta, err error, y yield) bool {
		if u, ok := d.(agent.UsePart); ok {
			u.ID = "\xff" + u.ID
			d = u
		}
		return y(d, err)
	})), "one call", "text"},
	"the first call alone": {just(model(func(ctx context.Context, r *agent.Request, y yield) {
		calls := 0
		for d, err := range agenttest.Actor().Stream(ctx, r) {
			if _, ok := d.(agent.UsePart); ok {
				if calls++; calls > 1 {
					continue
				}
			}
			if !y(d, err) {
				return
			}
		}
	})), "many calls", "one call"},
	"a tool that was not offered": {just(wrap(func(d agent.Delta, err error, y yield) bool {
		if u, ok := d.(agent.UsePart); ok {
			u.Name = "functions.look_up"
			d = u
		}
		return y(d, err)
	})), "one call", "text"},
	"arguments that are kept": {func(context.Context) agent.Model {
		kept := map[string][]byte{}
		var mu sync.Mutex
		return wrap(func(d agent.Delta, err error, y yield) bool {
			if u, ok := d.(agent.UsePart); ok {
				mu.Lock()
				if kept[u.ID] == nil {
					kept[u.ID] = u.Input
				}
				u.Input = kept[u.ID]
				mu.Unlock()
				d = u
			}
			return y(d, err)
		})
	}, "input ownership", "one call"},
	"streams that share": {func(context.Context) agent.Model {
		var mu sync.Mutex
		var latest *agent.Request // the request that is answered: the newest one
		return model(func(ctx context.Context, r *agent.Request, y yield) {
			mu.Lock()
			latest = r
			mu.Unlock()
			time.Sleep(time.Millisecond) // of a bubble: all have asked
			mu.Lock()
			r = latest
			mu.Unlock()
			agenttest.Actor().Stream(ctx, r)(y)
		})
	}, "concurrent text", "text"},
	"calls that share": {func(context.Context) agent.Model {
		var mu sync.Mutex
		var latest agent.UsePart
		return wrap(func(d agent.Delta, err error, y yield) bool {
			if u, ok := d.(agent.UsePart); ok {
				mu.Lock()
				latest = u
				mu.Unlock()
				time.Sleep(time.Millisecond) // of a bubble: all have come so far
				mu.Lock()
				u.Input = slices.Clone(latest.Input)
				mu.Unlock()
				d = u
			}
			return y(d, err)
		})
	}, "concurrent calls", "one call"},
	"text in one piece": {just(model(func(ctx context.Context, r *agent.Request, y yield) {
		said := ""
		for d, err := range agenttest.Actor().Stream(ctx, r) {
			if t, ok := d.(agent.TextDelta); ok {
				said += t.Text
				continue
			}
			if said != "" && !y(agent.TextDelta{Text: said}, nil) {
				return
			}
			if said = ""; !y(d, err) {
				return
			}
		}
	})), "text", "one call"},
	"reasoning that is not what its pieces said": {just(wrap(func(d agent.Delta, err error, y yield) bool {
		if p, ok := d.(agent.ReasoningPart); ok {
			p.Text = ""
			d = p
		}
		return y(d, err)
	})), "reasoning", "text"},
	"no more than ten messages": {just(refuses(func(r *agent.Request) bool { return len(r.Messages) > 10 })),
		"long history", "history of calls"},
	"results that must not be empty": {just(refuses(func(r *agent.Request) bool {
		return anyPart(r, func(p agent.Part) bool { return p.Result != nil && len(p.Result.Blocks) == 0 })
	})), "history of calls", "long history"},
	"tools that must be there": {just(refuses(func(r *agent.Request) bool {
		return len(r.Tools) == 0 && anyPart(r, func(p agent.Part) bool { return p.Use != nil })
	})), "history of removed tools", "history of calls"},
	"text that must not be blank": {just(refuses(func(r *agent.Request) bool {
		return anyPart(r, func(p agent.Part) bool { return p.Text != "" && strings.TrimSpace(p.Text) == "" })
	})), "blank text", "history of calls"},
	"call ids that are sent as they are": {just(refuses(func(r *agent.Request) bool {
		return anyPart(r, func(p agent.Part) bool { return p.Use != nil && strings.ContainsAny(p.Use.ID, " |") })
	})), "foreign call ids", "history of calls"},
	"reasoning that is not taken back": {just(refuses(func(r *agent.Request) bool {
		return anyPart(r, func(p agent.Part) bool { return p.Reasoning != nil })
	})), "history of reasoning", "reasoning"},
	"the latest word alone, without what was asked": {just(changeRequest(func(r *agent.Request) *agent.Request {
		last := r.Messages[len(r.Messages)-1]
		last.Parts = last.Parts[:1]
		r.Messages = []agent.Message{last}
		return r
	})), "history of calls", "text"},
	"images that are left out": {just(changeRequest(func(r *agent.Request) *agent.Request {
		r.Messages = slices.Clone(r.Messages)
		for i, m := range r.Messages {
			r.Messages[i].Parts = slices.DeleteFunc(slices.Clone(m.Parts), func(p agent.Part) bool { return p.Image != nil })
		}
		return r
	})), "media", "text"},
	"documents that are written over": {just(remembering(func(r, _ *agent.Request) {
		for _, p := range r.Messages[0].Parts {
			if p.Document != nil {
				p.Document.Bytes = append(p.Document.Bytes, '!')[:len(p.Document.Bytes)]
				p.Document.Format = "txt "
			}
		}
	})), "unchanged media", "text"},
	"a system prompt that is dropped": {just(changeRequest(func(r *agent.Request) *agent.Request {
		r.System = ""
		return r
	})), "system prompt", "text"},
	"a tool choice that is dropped": {just(changeRequest(func(r *agent.Request) *agent.Request {
		r.Choice = agent.Choice{}
		return r
	})), "tool choice", "one call"},
	"a choice of any tool that is dropped": {just(changeRequest(func(r *agent.Request) *agent.Request {
		r.Choice.Any = false
		return r
	})), "tool choice", "one call"},
	"a tool that is always forced": {just(changeRequest(func(r *agent.Request) *agent.Request {
		r.Choice.Any = true
		return r
	})), "tool choice", "one call"},
	"a limit that is dropped": {just(changeRequest(func(r *agent.Request) *agent.Request {
		r.MaxTokens = 4096
		return r
	})), "max tokens", "text"},
	"a stop at the limit that looks like an end": {just(wrap(func(d agent.Delta, err error, y yield) bool {
		if s, ok := d.(agent.StopPart); ok && s.Reason == agent.StopMaxTokens {
			d = agent.StopPart{Reason: agent.StopEndTurn}
		}
		return y(d, err)
	})), "max tokens", "text"},
	"results that never fail":  {just(changeErrorFlags(false)), "result error flag", "history of calls"},
	"results that always fail": {just(changeErrorFlags(true)), "result error flag", "history of calls"},
	"a message that holds its cause": {just(wrap(func(d agent.Delta, err error, y yield) bool {
		if _, ok := errors.AsType[*agent.ModelError](err); ok {
			err = &agent.ModelError{Code: agent.CodeUnavailable, Message: "It failed: shard 7 is full.", Err: errors.New("shard 7 is full")}
		}
		return y(d, err)
	})), "error before text", "text"},
	"a message that holds the text of the service": {just(wrap(func(d agent.Delta, err error, y yield) bool {
		if e, ok := errors.AsType[*agent.ModelError](err); ok {
			_, said, _ := strings.Cut(e.Err.Error(), " ")
			err = &agent.ModelError{Code: e.Code, Message: "The service " + said}
		}
		return y(d, err)
	})), "error after text", "text"},
	"a panic of its own": {just(model(func(_ context.Context, r *agent.Request, _ yield) {
		panic(fmt.Sprint("no answer for ", len(r.Messages)))
	})), "text", ""},
}
