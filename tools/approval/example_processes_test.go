package approval_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/bolt"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/approval"
)

// library is the state that each process of the service opens: its table, which also stores the runs, and its agent.
type library struct {
	driver    *bolt.Driver
	approvals *approval.Approvals
	agent     *agent.Agent
	user      scope.Scope // of the person who asks, as authenticated
	runs      *table.View
}

func openLibrary(dir string) *library {
	driver := must(bolt.Open(dir))
	t := must(table.New(driver, nil))
	approvals := must(approval.New(t, nil))
	lend := must(tools.New("lend_book", "Lends a book out.", lend, approvals.Require(nil)))
	user := must(must(scope.Tenant("acme")).User("u1"))
	return &library{driver: driver, approvals: approvals, user: user, runs: must(t.In(user)),
		agent: must(agent.New(newLibrarian(), &agent.Options{Tools: tools.Of(lend)}))}
}

// newLibrarian returns a model that lends a book, and then reports the result.
func newLibrarian() agent.Model {
	return agenttest.Func(func(_ context.Context, r *agent.Request) ([]agent.Delta, error) {
		last := r.Messages[len(r.Messages)-1].Parts[0]
		if last.Result == nil {
			return []agent.Delta{agenttest.Call("c1", "lend_book", `{"title":"Emma"}`)}, nil
		}
		return []agent.Delta{agenttest.Say("Done: " + last.Result.Summary)}, nil
	})
}

// save stores the progress of a run. The checkpoint stays on the server.
func (l *library) save(ctx context.Context, run string, done agent.Done) {
	it, err := l.runs.Get(ctx, "run#"+run)
	cond := table.Version(it.Version)
	if err != nil {
		it, cond = table.Item{Sort: "run#" + run}, table.Absent()
	}
	it.Attr = map[string]table.Value{
		"checkpoint": string(must(json.Marshal(done.Checkpoint))),
		"turns":      string(must(json.Marshal(done.History.Turns))),
	}
	must(l.runs.Put(ctx, it, cond))
}

// load returns the input that resumes a run.
func (l *library) load(ctx context.Context, run string) agent.Input {
	it := must(l.runs.Get(ctx, "run#"+run))
	in := agent.Input{Scope: l.user, Run: run}
	if err := errors.Join(
		json.Unmarshal([]byte(it.Attr["checkpoint"].(string)), &in.Resume),
		json.Unmarshal([]byte(it.Attr["turns"].(string)), &in.History.Turns),
	); err != nil {
		panic(err)
	}
	return in
}

// ask is the first process: the run ends with its call pending.
func ask(ctx context.Context, dir string) {
	l := openLibrary(dir)
	defer l.driver.Close()
	done := must(l.agent.Run(ctx, agent.Input{Scope: l.user, Run: "run-1", Prompt: "Lend me Emma."}))
	l.save(ctx, "run-1", done)
	fmt.Println(done.Outcome, done.Checkpoint.Pending()[0].Name)
}

// decide is the second process: a librarian approves the pending requests of the tenant.
func decide(ctx context.Context, dir string) {
	l := openLibrary(dir)
	defer l.driver.Close()
	page := must(l.approvals.List(ctx, must(scope.Tenant("acme")), nil))
	for _, r := range page.Requests {
		r = must(l.approvals.Decide(ctx, r.Scope, r.ID, approval.Decision{Approve: true, By: "librarian"}))
		fmt.Println(r.Tool, string(r.Args), r.Status)
	}
}

// resume is the third process: the run makes the call, once, and continues.
func resume(ctx context.Context, dir string) {
	l := openLibrary(dir)
	defer l.driver.Close()
	done := must(l.agent.Run(ctx, l.load(ctx, "run-1")))
	l.save(ctx, "run-1", done)
	last := done.History.Turns[len(done.History.Turns)-1].Messages[0].Parts[0].Text
	fmt.Println(done.Outcome, last)
}

// A run waits for an approval, a librarian decides, and the run continues. Each step opens the service again, as a separate
// process does, and shares only the directory.
func Example_processes() {
	dir := must(os.MkdirTemp("", "library"))
	defer os.RemoveAll(dir)
	for _, process := range []func(context.Context, string){ask, decide, resume} {
		process(context.Background(), dir)
	}
	// Output:
	// pending lend_book
	// lend_book {"title":"Emma"} approved
	// complete Done: lent: Emma
}

// Each step of the example works in a separate process.
func TestExampleWorksInSeparateProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, step := range []struct{ name, want string }{
		{"ask", "pending lend_book"}, {"decide", `lend_book {"title":"Emma"} approved`}, {"resume", "complete Done: lent: Emma"},
	} {
		cmd := exec.CommandContext(t.Context(), must(os.Executable()), "-test.run=^TestProcessOfExample$")
		cmd.Env = append(os.Environ(), "CARREL_STEP="+step.name, "CARREL_DIR="+dir)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		require.Equal(t, step.want, strings.SplitN(string(out), "\n", 2)[0])
	}
}

// TestProcessOfExample is a process that TestExampleWorksInSeparateProcesses starts.
func TestProcessOfExample(t *testing.T) {
	steps := map[string]func(context.Context, string){"ask": ask, "decide": decide, "resume": resume}
	if step := steps[os.Getenv("CARREL_STEP")]; step != nil {
		step(t.Context(), os.Getenv("CARREL_DIR"))
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
