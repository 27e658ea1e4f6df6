package tracking

import (
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/carrel-go/carrel/scope"
)

// Stage names one step of a pipeline. The grammar is [a-z][a-z0-9_]{0,31}.
type Stage string

// The stages of [Uploads].
const (
	UserUpload Stage = "user_upload"
	Enrichment Stage = "enrichment"
	Routing    Stage = "routing"
	AVScan     Stage = "av_scan"
)

// StageSpec declares a stage.
type StageSpec struct {
	Stage Stage

	// External stages are done by somebody outside, such as a browser that
	// uploads. No worker starts them or holds a lease: they are awaited from
	// the moment that the stages in After have succeeded (from Create on if
	// After is empty), and [Tracker.Observe] ends them. Lease, Heartbeat,
	// MaxAttempts and Backoff are unused.
	External bool

	// Optional stages are not waited for: a record is a success once all
	// the others are, and an optional stage's failure fails the stage only;
	// so does the end of the time of an External one.
	Optional bool

	// After lists the stages that must have succeeded before this one may
	// start or, if it is External, be observed; until then the tracker
	// returns [ErrDependencies]. Default: none.
	After []Stage

	// Lease is how long a worker may be silent before its stage can be
	// taken by another. Default 30 s.
	Lease time.Duration

	// Heartbeat is how often [Attempt.Keep] renews the lease. Default a
	// third of the lease; it must be shorter than the lease.
	Heartbeat time.Duration

	// MaxAttempts is how many Starts a stage gets before it was first
	// parked. Default 10.
	MaxAttempts int

	// Backoff is how long an Automatic retry has to wait after the first
	// failed attempt: half of it, and up to as much again that depends on
	// the record. It doubles with every further attempt, up to MaxBackoff.
	// Default 1 s, and 5 min.
	Backoff, MaxBackoff time.Duration

	// Due is the longest that one run of the stage should take: beyond it
	// the record is overdue. Default 15 min; for an External stage, which
	// runs while it is awaited and usually as long as its grant, 75 min (an
	// hour and a grace). [CreateOptions] and [StartOptions] can override it.
	Due time.Duration
}

// Pipeline is the declared list of stages of one kind of record. The order is
// the order in which a record shows them; what may start when is said by
// [StageSpec.After].
type Pipeline struct {
	Name   string // [a-z][a-z0-9_]{0,31}; a record belongs to one pipeline
	Stages []StageSpec
}

// Uploads returns the pipeline of an upload that an agent reads and a person
// accepts: user_upload (External) and then enrichment (10 attempts, lease 30 s,
// heartbeat 10 s). routing and av_scan are optional and reserved.
func Uploads() Pipeline {
	return Pipeline{Name: "uploads", Stages: []StageSpec{
		{Stage: UserUpload, External: true},
		{Stage: Enrichment, After: []Stage{UserUpload},
			Lease: 30 * time.Second, Heartbeat: 10 * time.Second, MaxAttempts: 10, Due: 15 * time.Minute},
		{Stage: Routing, After: []Stage{UserUpload}, Optional: true},
		{Stage: AVScan, After: []Stage{UserUpload}, Optional: true},
	}}
}

// Together with the limits on names, keys and messages this keeps an item far
// below DynamoDB's 400 KB.
const maxStages = 32

// complete checks the pipeline and returns a copy with its defaults filled in.
func (p Pipeline) complete() (Pipeline, error) {
	bad := func(format string, args ...any) (Pipeline, error) {
		return Pipeline{}, fmt.Errorf("%w: %s", ErrPipeline, fmt.Sprintf(format, args...))
	}
	if !isName(p.Name) {
		return bad("name %q", p.Name)
	}
	if len(p.Stages) > maxStages {
		return bad("%d stages, at most %d", len(p.Stages), maxStages)
	}
	p.Stages = slices.Clone(p.Stages)
	required := false
	for i := range p.Stages {
		s := &p.Stages[i]
		if !isName(string(s.Stage)) {
			return bad("stage name %q", s.Stage)
		}
		if slices.ContainsFunc(p.Stages[:i], func(o StageSpec) bool { return o.Stage == s.Stage }) {
			return bad("stage %s is declared twice", s.Stage)
		}
		// A stage may only come after stages declared before it: so there
		// is no cycle, and the order that people see is one that can happen.
		for _, dep := range s.After {
			if !slices.ContainsFunc(p.Stages[:i], func(o StageSpec) bool { return o.Stage == dep }) {
				return bad("stage %s comes after %q, which is not declared before it", s.Stage, dep)
			}
		}
		if min(s.Lease, s.Heartbeat, s.Due, s.Backoff, s.MaxBackoff) < 0 || s.MaxAttempts < 0 {
			return bad("stage %s has a negative limit", s.Stage)
		}
		s.After = slices.Clone(s.After)
		s.fill()
		if !s.External && s.Heartbeat >= s.Lease {
			return bad("stage %s: the heartbeat (%s) is not shorter than the lease (%s)", s.Stage, s.Heartbeat, s.Lease)
		}
		required = required || !s.Optional
	}
	if !required {
		return bad("no stage is required: nothing could ever succeed")
	}
	return p, nil
}

func (s *StageSpec) fill() {
	if s.Due == 0 {
		s.Due = 15 * time.Minute
		if s.External {
			s.Due = 75 * time.Minute
		}
	}
	if s.External {
		return
	}
	if s.Lease == 0 {
		s.Lease = 30 * time.Second
	}
	if s.Heartbeat == 0 {
		s.Heartbeat = s.Lease / 3
	}
	if s.MaxAttempts == 0 {
		s.MaxAttempts = 10
	}
	if s.Backoff == 0 {
		s.Backoff = time.Second
	}
	if s.MaxBackoff == 0 {
		s.MaxBackoff = max(s.Backoff, 5*time.Minute)
	}
}

// backoff returns how long after its end the failed attempt p is not tried
// again unasked. It is spread, so that what failed together is not tried again
// together, and depends on nothing but the record and the attempt.
func (s StageSpec) backoff(session scope.Scope, p Progress) time.Duration {
	d := s.Backoff
	for range p.Attempt - 1 {
		if d *= 2; d >= s.MaxBackoff {
			break
		}
	}
	d = min(d, s.MaxBackoff)
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s %s %d", session.Partition(), s.Stage, p.Fence)
	return (d/2 + time.Duration(h.Sum64()%uint64(d/2+1))).Truncate(time.Millisecond)
}

func (p Pipeline) spec(st Stage) (StageSpec, error) {
	for _, s := range p.Stages {
		if s.Stage == st {
			return s, nil
		}
	}
	return StageSpec{}, fmt.Errorf("%w: %q is not in pipeline %s", ErrStage, st, p.Name)
}

func isName(s string) bool {
	if s == "" || len(s) > 32 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}
