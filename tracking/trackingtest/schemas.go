package trackingtest

import (
	"errors"
	"reflect"

	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// checkSchemas simulates rows of a newer version of the code. Attributes that it
// added must survive every act. A record with a newer schema must not be read or
// written.
func checkSchemas(w *world) {
	added := map[string]table.Value{"n": int64(7), "f": 7.0, "l": []table.Value{"x", nil, true}, "b": []byte{0, 1}}
	script := lifeScripts()["an upload with setbacks"]
	l := &life{w: w, tr: w.tracker(script.p, 0), s: w.session(w.user("t", "u"), 1)}
	w.driver.amend = func(r *table.Row) {
		r.Attr["added"] = added
		if st := subOf(subOf(r.Attr, "stages"), string(upload)); st != nil {
			st["added"] = added
		}
	}
	for _, a := range script.acts {
		w.must(a.do(w.ctx, l), a.name)
		w.driver.amend = nil // only the first write is from the newer version
		rows := w.driver.rowsOf(l.s)
		last := rows[len(rows)-1].row
		for where, attr := range map[string]map[string]table.Value{"the record": last.Attr, "a stage": subOf(subOf(last.Attr, "stages"), string(upload))} {
			if !reflect.DeepEqual(attr["added"], table.Value(added)) {
				w.fail("%s changed the attribute that was added to %[3]s into %[2]v", a.name, attr["added"], where)
			}
		}
	}
	it, err := w.driver.Get(w.ctx, w.driver.keys[l.s.Partition()])
	w.must(err, "get")
	if !reflect.DeepEqual(it.Attr["added"], table.Value(added)) {
		w.fail("the added attribute is stored as %v", it.Attr["added"])
	}
	w.checkNewerSchema()
}

func subOf(m map[string]table.Value, name string) map[string]table.Value {
	sub, _ := m[name].(map[string]table.Value)
	return sub
}

func (w *world) checkNewerSchema() {
	s := w.session(w.user("t", "u"), 2)
	tr := w.tracker(uploadPipeline(), 0)
	w.driver.amend = func(r *table.Row) {
		if n, ok := r.Attr["schema"].(int64); ok {
			r.Attr["schema"] = n + 1
		}
	}
	_, err := tr.Create(w.ctx, s, nil)
	w.driver.amend = nil
	w.must(err, "create")
	o := &tracking.ClaimOptions{Key: "k"}
	for what, do := range map[string]func() error{
		"create":  func() error { _, err := tr.Create(w.ctx, s, nil); return err },
		"get":     func() error { _, err := tr.Get(w.ctx, s); return err },
		"observe": func() error { _, err := tr.Observe(w.ctx, s, tracking.Observation{Stage: upload}); return err },
		"claim":   func() error { _, err := tr.Claim(w.ctx, s, tracking.Enrichment, o); return err },
		"cancel":  func() error { _, err := tr.Cancel(w.ctx, s); return err },
	} {
		if err := do(); !errors.Is(err, tracking.ErrSchema) {
			w.fail("%s of a record of a newer schema: %w", what, err)
		}
	}
	if n := w.driver.countRows(s); n != 1 {
		w.fail("%d rows of a record of a newer schema", n)
	}
}
