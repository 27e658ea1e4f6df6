package trackingtest

import (
	"errors"
	"reflect"

	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// schemas has a newer version of the code write first. What it has added
// survives every act of this one; where it has raised the schema, nothing may
// be read or written at all.
func schemas(w *world) {
	added := map[string]table.Value{"n": int64(7), "f": 7.0, "l": []table.Value{"x", nil, true}, "b": []byte{0, 1}}
	script := lives()["an upload with setbacks"]
	l := &life{tr: w.tracker(script.p, 0), s: session(w.user("t", "u"), 1)}
	w.driver.amend = func(r *table.Row) {
		r.Attr["added"] = added
		if st := subOf(subOf(r.Attr, "stages"), string(upload)); st != nil {
			st["added"] = added
		}
	}
	for _, a := range script.acts {
		must(a.do(w.ctx, l), a.name)
		w.driver.amend = nil // the first write alone is the newer version's
		rows := w.driver.of(l.s)
		last := rows[len(rows)-1].row
		for where, attr := range map[string]map[string]table.Value{"the record": last.Attr, "a stage": subOf(subOf(last.Attr, "stages"), string(upload))} {
			if !reflect.DeepEqual(attr["added"], table.Value(added)) {
				fail("%s has made %v of what was added to %s", a.name, attr["added"], where)
			}
		}
	}
	it, err := w.driver.Get(w.ctx, w.driver.keys[l.s.Partition()])
	must(err, "get")
	if !reflect.DeepEqual(it.Attr["added"], table.Value(added)) {
		fail("what was added is stored as %v", it.Attr["added"])
	}
	w.refuses()
}

func subOf(m map[string]table.Value, name string) map[string]table.Value {
	sub, _ := m[name].(map[string]table.Value)
	return sub
}

func (w *world) refuses() {
	s := session(w.user("t", "u"), 2)
	tr := w.tracker(uploads(), 0)
	w.driver.amend = func(r *table.Row) {
		if n, ok := r.Attr["schema"].(int64); ok {
			r.Attr["schema"] = n + 1
		}
	}
	_, err := tr.Create(w.ctx, s, nil)
	w.driver.amend = nil
	must(err, "create")
	o := &tracking.StartOptions{Key: "k"}
	for what, do := range map[string]func() error{
		"create":  func() error { _, err := tr.Create(w.ctx, s, nil); return err },
		"get":     func() error { _, err := tr.Get(w.ctx, s); return err },
		"observe": func() error { _, err := tr.Observe(w.ctx, s, tracking.Observation{Stage: upload}); return err },
		"start":   func() error { _, err := tr.Start(w.ctx, s, tracking.Enrichment, o); return err },
		"resume":  func() error { _, err := tr.Resume(w.ctx, s, tracking.Enrichment, o); return err },
		"cancel":  func() error { _, err := tr.Cancel(w.ctx, s); return err },
	} {
		if err := do(); !errors.Is(err, tracking.ErrSchema) {
			fail("%s of a record of a newer schema: %w", what, err)
		}
	}
	if n := w.driver.count(s); n != 1 {
		fail("%d rows of a record of a newer schema", n)
	}
}
