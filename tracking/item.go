package tracking

import (
	"fmt"
	"maps"
	"slices"

	"github.com/carrel-go/carrel/internal/dueindex"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// A record is the item "meta" of its session's partition. The attributes are
// stored one by one, readable in a console:
//
//	schema     1
//	pipeline, filename, status, reason, terminal
//	created, changed, updated, due   as in JSON
//	labels     {name: value}
//	stage, state                     of the stage that a list shows
//	stages     {name: {state, attempt, fence, key, owner, parked, lease, due, started, ended, not_before,
//	            source {bucket, key, version, etag}, destination {…}, error {code, message, permanent}}}
//
// Empty attributes and queued stages are absent. Attributes that this version
// does not know are kept, in the record and in each stage.
//
// The index entries: I1 lists the user's records of the class by session id, I2
// the tenant's. Until the record is terminal, I3 is the due index of the
// pipeline: one of [Shards] shards, sorted by due.
const (
	metaSort = "meta"
	schema   = int64(1)
)

// Shards is the number of shards of the due index.
const Shards = 16

// Listed returns the attributes that an index must project so that [Tracker.List]
// can fill a [Summary]. Pass them to a store that does not project everything,
// for example as the Listed of package dynamo's TableOptions.
func Listed() []string {
	// decodeSummary reads these attributes.
	return []string{"filename", "reason", "terminal", "changed", "stage", "state", "labels"}
}

// dueClass returns the class of a pipeline's due index.
func dueClass(pipeline string) string { return "due-" + pipeline }

func (r Record) encodeItem() table.Item {
	a := writeTo(r.unknown)
	r.copyAttributes(a)
	a.values["schema"] = schema
	a.values["created"] = formatTime(r.Created())
	state := r.Summary().State
	copyText(a, "state", &state)
	old, _ := r.unknown["stages"].(map[string]table.Value)
	stages := writeTo(old).values
	for _, p := range r.stages {
		if p.State != StateQueued {
			known, _ := stages[string(p.Stage)].(map[string]table.Value)
			stage := writeTo(known)
			p.copyAttributes(stage)
			stages[string(p.Stage)] = stage.values
		}
	}
	a.values["stages"] = stages
	return table.Item{
		Sort: metaSort, Version: r.Version, Attr: a.values, Index: r.indexEntries(), Expires: r.Expires,
	}
}

// findUnknown returns the attributes of a stored item that this version does not know, in the record and in its
// stages, or nil.
func findUnknown(stored map[string]table.Value) map[string]table.Value {
	a := writeTo(stored)
	new(Record).copyAttributes(a) // removes what it knows
	for _, name := range []string{"schema", "created", "state", "stages"} {
		delete(a.values, name)
	}
	stages, _ := stored["stages"].(map[string]table.Value)
	unknown := map[string]table.Value{}
	for name, stage := range stages {
		attr, _ := stage.(map[string]table.Value)
		s := writeTo(attr)
		if new(Progress).copyAttributes(s); len(s.values) > 0 {
			unknown[name] = s.values
		}
	}
	if len(unknown) > 0 {
		a.values["stages"] = unknown
	}
	if len(a.values) == 0 {
		return nil
	}
	return a.values
}

func (r Record) indexEntries() []table.Entry {
	id, class := r.Scope.SessionID(), string(r.Class())
	out := []table.Entry{
		{Slot: table.I1, Level: scope.UserLevel, Class: class, Sort: id},
		{Slot: table.I2, Level: scope.TenantLevel, Class: class, Sort: id},
	}
	if !r.Terminal {
		out = append(out, dueindex.Index{Class: dueClass(r.Pipeline), Shards: Shards}.Entry(r.Scope, r.Due))
	}
	return out
}

func (m machine) decodeItem(session scope.Scope, it table.Item) (Record, error) {
	a := &attributes{values: it.Attr}
	version := int64(0)
	copyValue(a, "schema", &version)
	switch {
	case a.err != nil || version < 1:
		return Record{}, errForeign
	case version > schema:
		return Record{}, fmt.Errorf("%w: schema %d, at most %d is supported", ErrSchema, version, schema)
	}
	r := Record{Scope: session, Expires: it.Expires, Version: it.Version, unknown: findUnknown(it.Attr)}
	r.copyAttributes(a)
	if a.err == nil && r.Pipeline != m.pipeline.Name {
		return Record{}, fmt.Errorf("%w: the record belongs to pipeline %q, not %q", ErrPipeline, r.Pipeline, m.pipeline.Name)
	}
	if r.Changed.IsZero() { // written before the attribute existed
		r.Changed = r.Updated
	}
	a.copyMap("stages", func(stages *attributes) { r.stages = m.decodeStages(stages) })
	if !slices.Contains([]Status{StatusQueued, StatusInProgress, StatusSuccess, StatusFailed}, r.Status) {
		a.recordError("invalid status %q", r.Status)
	}
	if a.err != nil {
		return Record{}, fmt.Errorf("%w: %w", errForeign, a.err)
	}
	return r, nil
}

// decodeStages returns the stages of the pipeline and then the others that are stored.
func (m machine) decodeStages(stored *attributes) []Progress {
	names := m.stageNames()
	for _, name := range slices.Sorted(maps.Keys(stored.values)) {
		if !slices.Contains(names, Stage(name)) {
			names = append(names, Stage(name))
		}
	}
	out := make([]Progress, len(names))
	for i, name := range names {
		p := &out[i]
		*p = Progress{Stage: name, State: StateQueued}
		if _, ok := stored.values[string(name)]; !ok {
			continue
		}
		stored.copyMap(string(name), func(a *attributes) {
			p.State = "" // required
			p.copyAttributes(a)
			switch p.State {
			case StateRunning, StateWaiting, StateReleased, StateSuccess, StateFailed:
			default:
				a.recordError("state: invalid value %q", p.State)
			}
		})
	}
	return out
}
