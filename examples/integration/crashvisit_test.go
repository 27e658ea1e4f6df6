package integration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/carrel-go/carrel/internal/transcript"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools/approval"
)

// visit is a person with a session: a message, a decision if the run asks for one, and two clients that follow each
// run.
type visit struct {
	world     *crashWorld
	rnd       *rand.Rand
	session   scope.Scope
	plan      plan
	approves  bool
	stops     bool // after a while
	runs      []string
	followers []*follower
}

// follower follows a run over every process that serves it.
type follower struct {
	visit  *visit
	run    string
	rnd    *rand.Rand
	events []replay.Event
	err    error

	isFirst bool // of those that follow the run
}

// newVisit plans a visit of one of six users of two tenants.
func (w *crashWorld) newVisit(n int) (*visit, error) {
	v := &visit{world: w, rnd: rand.New(rand.NewPCG(w.seed, uint64(1000+n)))}
	tenant, err := scope.Tenant(fmt.Sprint("tenant", v.rnd.IntN(2)))
	if err != nil {
		return nil, err
	}
	user, err := tenant.User(fmt.Sprint("user", v.rnd.IntN(3)))
	if err != nil {
		return nil, err
	}
	if v.session, err = user.NewSession(); err != nil {
		return nil, err
	}
	v.approves, v.stops = v.rnd.IntN(4) > 0, v.rnd.IntN(8) == 0
	v.plan = plan{
		Visit: v.session.SessionID(), Words: 3 + v.rnd.IntN(20), Books: make([]int, 1+v.rnd.IntN(2)),
		Bell: v.rnd.IntN(3) == 0, Lend: v.rnd.IntN(2) == 0 && !v.stops,
	}
	for i := range v.plan.Books {
		v.plan.Books[i] = 1 + v.rnd.IntN(2)
	}
	if v.rnd.IntN(3) == 0 {
		v.plan.Size = 4 << 10 // a result that is an object of the log
	}
	if v.rnd.IntN(3) == 0 {
		v.plan.Pad = strings.Repeat("y", 6<<10) // a request that is an object
	}
	return v, nil
}

// complete makes the visit. Its runs end, or ctx does.
func (v *visit) complete(ctx context.Context) error {
	prompt, err := json.Marshal(v.plan)
	if err != nil {
		return err
	}
	run, err := v.post(ctx, "/runs", map[string]string{"Prompt": string(prompt)}, duringStart, afterStart)
	if err != nil {
		return err
	}
	var stopping sync.WaitGroup
	if v.stops {
		stopper, pause := &visit{world: v.world, rnd: v.split(), session: v.session}, v.rnd.IntN(3000)
		stopping.Go(func() {
			time.Sleep(time.Duration(pause) * time.Millisecond)
			_, err = stopper.post(ctx, "/runs/"+run+"/stop", nil, duringDecision, afterDecision)
		})
	}
	failure := v.follow(ctx, run)
	if stopping.Wait(); failure != nil || err != nil || !v.plan.Lend {
		return errors.Join(failure, err)
	}
	shown, err := transcript.FromLog(v.followers[0].events)
	if err != nil {
		return fmt.Errorf("%s: %w: %s", run, err, shown.Last)
	}
	if len(shown.Approvals) != 1 {
		return fmt.Errorf("%s: %d approvals are requested: %s", run, len(shown.Approvals), shown.Last)
	}
	time.Sleep(time.Duration(v.rnd.IntN(500)) * time.Millisecond)
	next, err := v.decide(ctx, run, shown.Approvals[0])
	if err != nil {
		return err
	}
	return v.follow(ctx, next)
}

// decide sends the decision twice, usually to different processes. Both answers name the run that continues.
func (v *visit) decide(ctx context.Context, run, id string) (string, error) {
	var answers [2]string
	var errs [2]error
	var sending sync.WaitGroup
	for i := range answers {
		sender := &visit{world: v.world, rnd: v.split(), session: v.session}
		sending.Go(func() {
			d := approval.Decision{Approve: v.approves, By: "Ada", Reason: "It is in use."}
			answers[i], errs[i] = sender.post(ctx, "/runs/"+run+"/approvals/"+id, d, duringDecision, afterDecision)
		})
	}
	sending.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		return "", err
	}
	if answers[0] != answers[1] {
		return "", fmt.Errorf("%s is continued by %s and by %s", run, answers[0], answers[1])
	}
	return answers[0], nil
}

// follow lets two clients follow a run.
func (v *visit) follow(ctx context.Context, run string) error {
	v.runs = append(v.runs, run)
	followers := make([]*follower, 2)
	var following sync.WaitGroup
	for i := range followers {
		followers[i] = &follower{visit: v, run: run, rnd: v.split(), isFirst: i == 0}
		following.Go(func() { followers[i].follow(ctx) })
	}
	following.Wait()
	v.followers = append(slices.Clone(followers), v.followers...)
	return errors.Join(followers[0].err, followers[1].err)
}

// split returns random numbers for another goroutine.
func (v *visit) split() *rand.Rand { return rand.New(rand.NewPCG(v.rnd.Uint64(), 0)) }

func (v *visit) path() string {
	return "/" + v.session.TenantID() + "/" + v.session.UserID() + "/" + v.session.SessionID()
}

// post sends a request until a process answers with a run. While it is sent, and when it has been answered, its process
// may be killed.
func (v *visit) post(ctx context.Context, path string, body any, during, after moment) (run string, err error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	for ctx.Err() == nil {
		if p := v.world.choose(v.rnd); p != nil {
			timer := time.AfterFunc(time.Duration(v.rnd.IntN(15))*time.Millisecond, func() { v.world.reach(p, during) })
			run, isFinal, err := v.postTo(ctx, p, path, raw)
			timer.Stop()
			if isFinal {
				if err == nil {
					v.world.reach(p, after)
				}
				return run, err
			}
		}
		time.Sleep(time.Duration(v.rnd.IntN(200)) * time.Millisecond)
	}
	return "", fmt.Errorf("%s: %w", path, context.Cause(ctx))
}

// postTo sends a request to a process. The answer is final unless another try may have another one.
func (v *visit) postTo(ctx context.Context, p *process, path string, body []byte) (run string, isFinal bool, _ error) {
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+v.path()+path, bytes.NewReader(body))
	if err != nil {
		return "", true, err
	}
	req.Header.Set("Idempotency-Key", v.session.SessionID())
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", false, nil
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	switch {
	case err != nil, res.StatusCode == http.StatusServiceUnavailable, res.StatusCode == http.StatusTooManyRequests:
		return "", false, nil
	case res.StatusCode != http.StatusOK:
		return "", true, fmt.Errorf("%s: %s %s", path, res.Status, raw)
	}
	var answer crashAnswerBody
	if json.Unmarshal(raw, &answer) != nil || answer.Run == "" {
		return "", false, nil
	}
	return answer.Run, true, nil
}
