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

// Status is where a record stands as a whole.
type Status string

// The statuses. A failed required stage shows as FAILED at once, also where it
// can be tried again: [Record.Terminal] tells the two apart.
const (
	StatusQueued     Status = "QUEUED"      // no stage has started
	StatusInProgress Status = "IN_PROGRESS" // at least one has
	StatusSuccess    Status = "SUCCESS"     // every required stage succeeded
	StatusFailed     Status = "FAILED"      // a required stage failed, or the record was cancelled
)

// Class is what records are listed by.
type Class string

// The classes.
const (
	Active  Class = "active"  // QUEUED and IN_PROGRESS
	Failed  Class = "failed"  // FAILED
	Success Class = "success" // SUCCESS
)

func (s Status) class() Class {
	switch s {
	case StatusSuccess:
		return Success
	case StatusFailed:
		return Failed
	}
	return Active
}

// State is where one stage stands.
type State string

// The states of a stage.
const (
	StateQueued   State = "queued"   // not started
	StateRunning  State = "running"  // held by a worker or, for an External stage, awaited
	StateParked   State = "parked"   // waits for a person; nobody holds it
	StateReleased State = "released" // let go by a worker that shut down; takeable at once
	StateSuccess  State = "success"
	StateFailed   State = "failed"
)

// Location says where an object is. It is what a record keeps of an
// [object.Ref]: something to show, which opens nothing.
type Location struct {
	Bucket  string `json:"bucket"`
	Key     string `json:"key"`
	Version string `json:"-"` // where the Ref was pinned to it
	ETag    string `json:"-"` // where the Ref was pinned to it
}

// Ref makes a Ref of the location again, which only a Root that contains the
// object can do.
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

// IsZero reports whether there is no location.
func (l Location) IsZero() bool { return l == Location{} }

// Progress is one stage of a record. Times are UTC, in whole milliseconds.
type Progress struct {
	Stage   Stage
	State   State
	Key     string // of the Start or Resume that had the stage last
	Attempt int    // number of Starts; of an External stage, 0 or 1
	Fence   int64  // raised whenever the stage changes hands
	Parked  bool   // whether it was ever parked: then no failure is for good

	Lease   time.Time // when the holder may be replaced; zero unless running
	Due     time.Time // when the run is overdue or, parked, nobody is waited for any longer; else zero
	Started time.Time // start of the latest attempt
	Ended   time.Time // zero unless success or failed

	// NotBefore is when a retry that nobody asked for may start; zero
	// unless failed, and not for good.
	NotBefore time.Time

	Source      Location
	Destination Location
	Error       Failure // of the latest attempt; zero unless failed

	owner string // nonce of the Attempt that holds or held it
}

// Resumable reports whether the stage is one to Resume rather than to Start.
func (p Progress) Resumable() bool { return p.Parked || p.State == StateReleased }

// Live reports whether the stage runs under a lease that is alive at t. An
// External stage has no lease and is never live.
func (p Progress) Live(t time.Time) bool {
	return p.State == StateRunning && t.Before(p.Lease)
}

// Duration returns how long the ended stage took, never negative, and 0 for
// one that has not ended.
func (p Progress) Duration() time.Duration {
	if p.Ended.IsZero() {
		return 0
	}
	return max(0, p.Ended.Sub(p.Started))
}

// Record is what is known of one session's way through a pipeline. It is a
// value: what changes it returns another.
type Record struct {
	Scope    scope.Scope // the session
	Pipeline string
	Filename string
	Status   Status
	Reason   string    // why it is FAILED: an error code, "max_attempts", "abandoned", "cancelled"; else empty
	Terminal bool      // it will never change again
	Updated  time.Time // of the last write, heartbeats included
	Due      time.Time // when it is overdue; zero when terminal
	Expires  time.Time // when it is hidden and then removed, in whole seconds; zero: never
	Version  int64     // of the stored item; every write adds one

	digest []byte     // of the request that created it
	stages []Progress // the pipeline's, in its order, then any that it no longer declares
	item   table.Item // as stored: holds what this version does not know
}

// Created returns the moment in the session id.
func (r Record) Created() time.Time { return r.Scope.Time().UTC() }

// Class returns the class by which the record is listed.
func (r Record) Class() Class { return r.Status.class() }

// Stage returns the progress of a stage. One that has not started, or that
// the record does not know, is queued.
func (r Record) Stage(st Stage) Progress {
	if i := r.index(st); i >= 0 {
		return r.stages[i]
	}
	return Progress{Stage: st, State: StateQueued}
}

// Stages yields the progress of every stage, in the pipeline's order.
func (r Record) Stages() iter.Seq[Progress] { return slices.Values(slices.Clone(r.stages)) }

func (r Record) index(st Stage) int {
	return slices.IndexFunc(r.stages, func(p Progress) bool { return p.Stage == st })
}

// allows reports whether all stages that s comes after have succeeded.
func (r Record) allows(s StageSpec) bool {
	return !slices.ContainsFunc(s.After, func(dep Stage) bool { return r.Stage(dep).State != StateSuccess })
}

// edit returns a copy of r whose stages can be changed, and the stage in it.
// The stage must be one of r's.
func (r Record) edit(st Stage) (Record, *Progress) {
	r.stages = slices.Clone(r.stages)
	return r, &r.stages[r.index(st)]
}

// locate returns what is kept of ref. The object must be the session's own, of
// a scope around it, or the tenant's shared data; a zero Ref is no location.
func locate(session scope.Scope, ref object.Ref) (Location, error) {
	if ref.IsZero() {
		return Location{}, nil
	}
	s := ref.Scope()
	shared := s.Level() == scope.SharedLevel && s.TenantID() == session.TenantID()
	if !session.Contains(s) && !s.Contains(session) && !shared {
		return Location{}, invalid("a Ref of another scope")
	}
	return Location{Bucket: ref.Bucket(), Key: ref.Key(), Version: ref.Version(), ETag: ref.ETag()}, nil
}
