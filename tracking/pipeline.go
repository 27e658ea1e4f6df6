package tracking

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"regexp"
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

	// External stages are done by an outsider, for example a browser that
	// uploads. No worker claims them. They are awaited once the stages in
	// After have succeeded, and [Tracker.Observe] ends them. Lease, Heartbeat,
	// MaxAttempts and Backoff are ignored.
	External bool

	// Optional stages do not hold the record up: it succeeds once all other
	// stages have, and if an optional stage fails or is overdue, only the
	// stage fails.
	Optional bool

	// After lists the stages that must succeed before this one can be claimed
	// or observed; otherwise the tracker returns [ErrDependencies]. They must
	// be declared before it. Default: none.
	After []Stage

	// Lease is how long a worker may be silent before another can take its
	// stage. Default: 30 s.
	Lease time.Duration

	// Heartbeat is the interval at which [Attempt.Keep] renews the lease. It
	// must be shorter than Lease. Default: a third of Lease.
	Heartbeat time.Duration

	// MaxAttempts is the number of attempts of a stage that was never parked.
	// Once it was parked, attempts are not limited. Default: 10.
	MaxAttempts int

	// Backoff is how long an automatic claim waits after the first failed
	// attempt: at least half of it, plus a part of the other half that depends
	// on the record. It doubles with every attempt, up to MaxBackoff. Default:
	// 1 s and 5 min.
	Backoff, MaxBackoff time.Duration

	// Due is how long one run of the stage may take before the record is
	// overdue. Default: 15 min; for an External stage, whose run lasts while
	// it is awaited, 75 min. [CreateOptions] override it for the first one.
	Due time.Duration
}

// Pipeline declares the stages of one kind of record. Records show the stages in
// this order; [StageSpec.After] determines when a stage can be claimed.
type Pipeline struct {
	Name   string // [a-z][a-z0-9_]{0,31}; a record belongs to one pipeline
	Stages []StageSpec
}

// Uploads returns the pipeline of an upload that an agent reads and a person
// accepts: user_upload (External), then enrichment (10 attempts, lease 30 s,
// heartbeat 10 s). routing and av_scan are optional and reserved for stages that
// are not implemented yet.
func Uploads() Pipeline {
	return Pipeline{Name: "uploads", Stages: []StageSpec{
		{Stage: UserUpload, External: true},
		{Stage: Enrichment, After: []Stage{UserUpload},
			Lease: 30 * time.Second, Heartbeat: 10 * time.Second, MaxAttempts: 10, Due: 15 * time.Minute},
		{Stage: Routing, After: []Stage{UserUpload}, Optional: true},
		{Stage: AVScan, After: []Stage{UserUpload}, Optional: true},
	}}
}

// maxStages keeps an item far below DynamoDB's limit of 400 KB, together with
// the limits on names, keys, labels and messages.
const maxStages = 32

// withDefaults checks the pipeline and returns a copy with its defaults set.
func (p Pipeline) withDefaults() (Pipeline, error) {
	bad := func(format string, args ...any) (Pipeline, error) {
		return Pipeline{}, fmt.Errorf("%w: %s", ErrPipeline, fmt.Sprintf(format, args...))
	}
	if !isName(p.Name) {
		return bad("name %.64q: must match [a-z][a-z0-9_]{0,31}", p.Name)
	}
	if len(p.Stages) > maxStages {
		return bad("%d stages: at most %d are allowed", len(p.Stages), maxStages)
	}
	p.Stages = slices.Clone(p.Stages)
	required := false
	for i := range p.Stages {
		s := &p.Stages[i]
		if !isName(string(s.Stage)) {
			return bad("stage name %.64q: must match [a-z][a-z0-9_]{0,31}", s.Stage)
		}
		if slices.ContainsFunc(p.Stages[:i], func(o StageSpec) bool { return o.Stage == s.Stage }) {
			return bad("stage %s is declared twice", s.Stage)
		}
		// Dependencies must be declared first: that rules out cycles, and the
		// order that people see is possible.
		for _, dep := range s.After {
			if !slices.ContainsFunc(p.Stages[:i], func(o StageSpec) bool { return o.Stage == dep }) {
				return bad("stage %s comes after %q, which is not declared before it", s.Stage, dep)
			}
		}
		if min(s.Lease, s.Heartbeat, s.Due, s.Backoff, s.MaxBackoff) < 0 || s.MaxAttempts < 0 {
			return bad("stage %s has a negative limit", s.Stage)
		}
		s.After = slices.Clone(s.After)
		s.setDefaults()
		if !s.External && s.Heartbeat >= s.Lease {
			return bad("stage %s: the heartbeat (%s) is not shorter than the lease (%s)", s.Stage, s.Heartbeat, s.Lease)
		}
		required = required || !s.Optional
	}
	if !required {
		return bad("at least one stage must be required")
	}
	return p, nil
}

func (s *StageSpec) setDefaults() {
	if s.External {
		s.Due = cmp.Or(s.Due, 75*time.Minute)
		return
	}
	s.Due = cmp.Or(s.Due, 15*time.Minute)
	s.Lease = cmp.Or(s.Lease, 30*time.Second)
	s.Heartbeat = cmp.Or(s.Heartbeat, s.Lease/3)
	s.MaxAttempts = cmp.Or(s.MaxAttempts, 10)
	s.Backoff = cmp.Or(s.Backoff, time.Second)
	s.MaxBackoff = cmp.Or(s.MaxBackoff, max(s.Backoff, 5*time.Minute))
}

// backOffFor returns how long after the end of the failed attempt p an automatic
// retry must wait. It depends on the record and the attempt only, and is spread
// so that attempts that failed together are not retried together.
func (s StageSpec) backOffFor(session scope.Scope, p Progress) time.Duration {
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

func (p Pipeline) findSpec(st Stage) (StageSpec, error) {
	for _, s := range p.Stages {
		if s.Stage == st {
			return s, nil
		}
	}
	return StageSpec{}, fmt.Errorf("%w: %.64q is not declared in pipeline %s", ErrStage, st, p.Name)
}

// isName reports whether s is a valid name of a pipeline, a stage, a label or a code.
var isName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`).MatchString
