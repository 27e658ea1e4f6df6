package tracking

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// A record is the item "meta" of its session's partition. The attributes are
// stored one by one, readable in a console:
//
//	schema     1
//	pipeline, filename, status, reason, terminal, digest
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

// Shards is the number of shards of the due index; see [SweepOptions].
const Shards = 16

// Listed returns the attributes that an index must project so that [Tracker.List]
// can fill a [Summary]. Pass them to a store that does not project everything,
// for example as the Listed of package dynamo's TableOptions.
func Listed() []string {
	return []string{"filename", "reason", "terminal", "changed", "stage", "state", "labels"}
}

// dueClass returns the class of a pipeline's due index.
func dueClass(pipeline string) string { return "due-" + pipeline }

// encode returns the item that stores r and replaces r.item.
func (r Record) encode() table.Item {
	it := r.item
	it.Sort = metaSort
	it.Attr = maps.Clone(it.Attr)
	if it.Attr == nil {
		it.Attr = map[string]table.Value{}
	}
	set(it.Attr, "schema", schema)
	set(it.Attr, "pipeline", r.Pipeline)
	set(it.Attr, "filename", r.Filename)
	set(it.Attr, "status", string(r.Status))
	set(it.Attr, "reason", r.Reason)
	set(it.Attr, "terminal", r.Terminal)
	set(it.Attr, "created", stamp(r.Created()))
	set(it.Attr, "changed", stamp(r.Changed))
	set(it.Attr, "updated", stamp(r.Updated))
	set(it.Attr, "due", stamp(r.Due))
	set(it.Attr, "stage", string(r.current))
	set(it.Attr, "state", "")
	if r.current != "" {
		set(it.Attr, "state", string(r.Stage(r.current).State))
	}
	setMap(it.Attr, "labels", encodeLabels(r.Labels))
	if len(r.digest) > 0 {
		it.Attr["digest"] = slices.Clone(r.digest)
	}
	old, _ := it.Attr["stages"].(map[string]table.Value)
	stages := maps.Clone(old)
	if stages == nil {
		stages = map[string]table.Value{}
	}
	for _, p := range r.stages {
		if p.State != StateQueued {
			m, _ := stages[string(p.Stage)].(map[string]table.Value)
			stages[string(p.Stage)] = p.encode(m)
		}
	}
	it.Attr["stages"] = stages
	it.Index, it.Expires = r.indexEntries(), r.Expires
	return it
}

func (r Record) indexEntries() []table.Entry {
	id, class := r.Scope.SessionID(), string(r.Class())
	out := []table.Entry{
		{Slot: table.I1, Level: scope.UserLevel, Class: class, Sort: id},
		{Slot: table.I2, Level: scope.TenantLevel, Class: class, Sort: id},
	}
	if !r.Terminal {
		h := fnv.New32a()
		_, _ = h.Write([]byte(r.Scope.Partition()))
		out = append(out, table.Entry{Slot: table.I3, Level: scope.None,
			Class: dueClass(r.Pipeline), Shard: int(h.Sum32() % Shards), Sort: stamp(r.Due)})
	}
	return out
}

func (p Progress) encode(old map[string]table.Value) map[string]table.Value {
	m := maps.Clone(old)
	if m == nil {
		m = map[string]table.Value{}
	}
	set(m, "state", string(p.State))
	set(m, "attempt", int64(p.Attempt))
	set(m, "fence", p.Fence)
	set(m, "key", p.Key)
	set(m, "owner", p.owner)
	set(m, "parked", p.Parked)
	set(m, "lease", stamp(p.Lease))
	set(m, "due", stamp(p.Due))
	set(m, "started", stamp(p.Started))
	set(m, "ended", stamp(p.Ended))
	set(m, "not_before", stamp(p.NotBefore))
	setMap(m, "source", p.Source.encode())
	setMap(m, "destination", p.Destination.encode())
	setMap(m, "error", p.Error.encode())
	return m
}

func (l Location) encode() map[string]table.Value {
	m := map[string]table.Value{}
	set(m, "bucket", l.Bucket)
	set(m, "key", l.Key)
	set(m, "version", l.Version)
	set(m, "etag", l.ETag)
	return m
}

func (e Error) encode() map[string]table.Value {
	m := map[string]table.Value{}
	if e == (Error{}) {
		return m
	}
	set(m, "code", e.Code)
	set(m, "message", e.Message)
	set(m, "permanent", !e.Retryable)
	return m
}

func encodeLabels(labels map[string]string) map[string]table.Value {
	m := map[string]table.Value{}
	for name, value := range labels {
		m[name] = value
	}
	return m
}

// set stores v, or removes the attribute if v is the zero value.
func set[T comparable](m map[string]table.Value, name string, v T) {
	var zero T
	if v == zero {
		delete(m, name)
		return
	}
	m[name] = v
}

func setMap(m map[string]table.Value, name string, v map[string]table.Value) {
	if len(v) == 0 {
		delete(m, name)
		return
	}
	m[name] = v
}

// decode returns the record that the session's item stores.
func (m machine) decode(session scope.Scope, it table.Item) (Record, error) {
	a := reader{attr: it.Attr}
	switch v := a.int("schema"); {
	case a.err != nil || v < 1:
		return Record{}, fmt.Errorf("%w: invalid schema", ErrDamaged)
	case v > schema:
		return Record{}, fmt.Errorf("%w: schema %d, at most %d is supported", ErrSchema, v, schema)
	}
	r := Record{
		Scope: session, Pipeline: a.string("pipeline"), Filename: a.string("filename"),
		Status: Status(a.string("status")), Reason: a.string("reason"), Terminal: a.bool("terminal"),
		Changed: a.time("changed"), Updated: a.time("updated"), Due: a.time("due"), Expires: it.Expires, Version: it.Version,
		Labels: a.sub("labels").strings(), digest: a.bytes("digest"), current: Stage(a.string("stage")), item: it,
	}
	if r.Changed.IsZero() { // written before the attribute existed
		r.Changed = r.Updated
	}
	stored := a.sub("stages")
	if a.err == nil && r.Pipeline != m.pipeline.Name {
		return Record{}, fmt.Errorf("%w: the record belongs to pipeline %q, not %q", ErrPipeline, r.Pipeline, m.pipeline.Name)
	}
	names := m.stageNames()
	for _, name := range slices.Sorted(maps.Keys(stored.attr)) {
		if !slices.Contains(names, Stage(name)) {
			names = append(names, Stage(name))
		}
	}
	for _, name := range names {
		p := Progress{Stage: name, State: StateQueued}
		if _, ok := stored.attr[string(name)]; ok {
			p = decodeStage(name, stored.sub(string(name)))
		}
		r.stages = append(r.stages, p)
	}
	if !slices.Contains([]Status{StatusQueued, StatusInProgress, StatusSuccess, StatusFailed}, r.Status) {
		a.fail(fmt.Errorf("invalid status %q", r.Status))
	}
	if a.err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrDamaged, a.err)
	}
	return r, nil
}
