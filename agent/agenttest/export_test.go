package agenttest

import (
	"context"
	"fmt"
	"runtime"

	"github.com/carrel-go/carrel/agent"
)

// Act is the answer of [Actor] to a request.
var Act = answerRequest

// FailedChecks runs the checks of [TestModel] one after another. It returns the failures by the name of the check.
func FailedChecks(ctx context.Context, m agent.Model) map[string]string {
	failed := map[string]string{}
	for _, c := range checks {
		r := &fakeT{ctx: ctx, done: make(chan struct{})}
		go func() {
			defer close(r.done)
			c.run(newProbe(r, m, c.name))
		}()
		<-r.done
		if r.failure != "" {
			failed[c.name] = r.failure
		}
	}
	return failed
}

type fakeT struct {
	ctx     context.Context
	done    chan struct{}
	failure string
}

func (r *fakeT) Context() context.Context { return r.ctx }

func (r *fakeT) Fatalf(format string, args ...any) {
	r.failure = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// Reencode decodes a recording and encodes it.
func Reencode(b []byte) ([]byte, error) {
	exchanges, err := decodeRecording(b)
	if err != nil {
		return nil, err
	}
	return encodeRecording(exchanges)
}
