package tracking

import (
	"encoding/json"
	"iter"
	"slices"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

// Status is the status of a record as a whole.
type Status string

// The statuses. A record is FAILED as soon as a required stage has failed, even
// if that can be retried: then [Record.Terminal] is false.
const (
	StatusQueued     Status = "QUEUED"      // no stage has started
	StatusInProgress Status = "IN_PROGRESS" // at least one stage has started
	StatusSuccess    Status = "SUCCESS"     // every required stage succeeded
	StatusFailed     Status = "FAILED"      // a required stage failed, or the record was cancelled
)

// Class is a group of records that can be listed and counted. Each record
// belongs to exactly one class at a time.
type Class string

// The classes.
const (
	ClassActive  Class = "active"  // QUEUED, or IN_PROGRESS and not waiting
	ClassWaiting Class = "waiting" // IN_PROGRESS, a stage waits for review, and no worker is due to continue
	ClassFailed  Class = "failed"  // FAILED
	ClassSuccess Class = "success" // SUCCESS
)

// allClasses are all classes, in the order in which they are queried.
var allClasses = []Class{ClassActive, ClassWaiting, ClassFailed, ClassSuccess}

// State is the state of one stage.
type State string

// The states of a stage.
const (
	StateQueued   State = "queued"   // not started
	StateRunning  State = "running"  // held by a worker or, if the stage is External, awaited
	StateWaiting  State = "waiting"  // parked: waits for human review, and nobody holds it
	StateReleased State = "released" // given up by its worker; can be resumed at once
	StateSuccess  State = "success"
	StateFailed   State = "failed"
)

// Location is a record's copy of an [object.Ref]. It is for display and cannot
// open the object.
type Location struct {
	Bucket  string `json:"bucket"`
	Key     string `json:"key"`
	Version string `json:"-"` // if the Ref was pinned to a version
	ETag    string `json:"-"` // if the Ref was pinned to an ETag
}

// Ref returns the Ref of the location. It fails unless root contains the object.
func (l Location) Ref(root *object.Root) (object.Ref, error) {
	stored, err := json.Marshal(struct {
		Bucket  string `json:"bucket"`
		Key     string `json:"key"`
		Version string `json:"version,omitempty"`
		ETag    string `json:"etag,omitempty"`
	}(l))
	if err != nil {
		return object.Ref{}, opError("ref", err)
	}
	ref, err := root.ParseRef(stored)
	return ref, opError("ref", err)
}

// IsZero reports whether the location is empty.
func (l Location) IsZero() bool { return l == Location{} }

// Progress is one stage of a record. Times are UTC, in whole milliseconds.
type Progress struct {
	Stage   Stage
	State   State
	Key     string // of the latest claim
	Attempt int    // number of attempts; for an External stage, 0 or 1
	Fence   int64  // fencing token; increases whenever the stage changes hands
	Parked  bool   // whether the stage was ever parked; then every failure can be retried

	Lease   time.Time // when another worker may take the stage; zero unless running
	Due     time.Time // when the run or the review is overdue; otherwise zero
	Started time.Time // start of the latest attempt
	Ended   time.Time // zero unless success or failed

	// NotBefore is the earliest time of an automatic retry. Zero unless the
	// stage has failed and can be retried.
	NotBefore time.Time

	Source      Location
	Destination Location
	Error       Error // of the latest attempt, without a cause; zero unless failed

	owner string // nonce of the Attempt that holds or held the stage
}

// isResumable reports whether a claim resumes the latest attempt rather than
// starting another.
func (p Progress) isResumable() bool { return p.Parked || p.State == StateReleased }

// Live reports whether a worker holds the stage under a lease that is live at
// t. An External stage does not have a lease.
func (p Progress) Live(t time.Time) bool { return p.hasWorker() && t.Before(p.Lease) }

// hasWorker reports whether a worker holds the stage, under a live or an
// expired lease.
func (p Progress) hasWorker() bool { return p.State == StateRunning && !p.Lease.IsZero() }

// isOpen reports whether the stage has started and not ended.
func (p Progress) isOpen() bool {
	return p.State == StateRunning || p.State == StateWaiting || p.State == StateReleased
}

// Duration returns how long the stage took, never negative. It is zero if the
// stage has not ended.
func (p Progress) Duration() time.Duration {
	if p.Ended.IsZero() {
		return 0
	}
	return max(0, p.Ended.Sub(p.Started))
}

// Record is the state of one session in a pipeline. It is a copy: to change the
// record, use a [Tracker] or an [Attempt].
type Record struct {
	Scope    scope.Scope // the session
	Pipeline string
	Filename string
	Status   Status
	Labels   map[string]string // small values that lists show; read-only, see SetLabels
	Reason   string            // if FAILED: an error code, "max_attempts", "abandoned" or "cancelled"
	Terminal bool              // it will never change again, except for its labels
	Changed  time.Time         // time of the last transition
	Updated  time.Time         // time of the last write, including heartbeats
	Due      time.Time         // when it is overdue; zero if terminal
	Expires  time.Time         // when it is hidden and then removed, in whole seconds; zero: never
	Version  int64             // of the stored item; every write adds one

	stages  []Progress             // the pipeline's in their order, then others that are stored
	current Stage                  // the stage that a list shows
	unknown map[string]table.Value // stored attributes that this version does not know; may be nil
}

// Created returns the time in the session id.
func (r Record) Created() time.Time { return r.Scope.Time().UTC() }

// Class returns the class of the record.
func (r Record) Class() Class {
	switch r.Status {
	case StatusSuccess:
		return ClassSuccess
	case StatusFailed:
		return ClassFailed
	}
	class := ClassActive
	for _, p := range r.stages {
		switch {
		case p.hasWorker(), p.State == StateReleased:
			return ClassActive
		case p.State == StateWaiting:
			class = ClassWaiting
		}
	}
	return class
}

// Stage returns the progress of a stage. A stage that has not started, or that
// the record does not know, is queued.
func (r Record) Stage(st Stage) Progress {
	if i := r.stageIndex(st); i >= 0 {
		return r.stages[i]
	}
	return Progress{Stage: st, State: StateQueued}
}

// Stages yields the progress of every stage, in the order of the pipeline.
func (r Record) Stages() iter.Seq[Progress] { return slices.Values(slices.Clone(r.stages)) }

func (r Record) stageIndex(st Stage) int {
	return slices.IndexFunc(r.stages, func(p Progress) bool { return p.Stage == st })
}

// meetsDependencies reports whether all stages in After have succeeded.
func (r Record) meetsDependencies(s StageSpec) bool {
	return !slices.ContainsFunc(s.After, func(dep Stage) bool { return r.Stage(dep).State != StateSuccess })
}

// editStage returns a copy of r whose stages can be changed, and a pointer to the
// stage in it, which must exist.
func (r Record) editStage(st Stage) (Record, *Progress) {
	r.stages = slices.Clone(r.stages)
	return r, &r.stages[r.stageIndex(st)]
}

// locateRef returns the location of ref. The object must belong to the session, to
// a scope around it or to the tenant's shared data. The location of a zero Ref
// is zero.
func locateRef(session scope.Scope, ref object.Ref) (Location, error) {
	if ref.IsZero() {
		return Location{}, nil
	}
	s := ref.Scope()
	shared := s.Level() == scope.SharedLevel && s.TenantID() == session.TenantID()
	if !session.Contains(s) && !s.Contains(session) && !shared {
		return Location{}, invalidError("the Ref belongs to another scope")
	}
	return Location{Bucket: ref.Bucket(), Key: ref.Key(), Version: ref.Version(), ETag: ref.ETag()}, nil
}
