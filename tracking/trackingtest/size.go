package trackingtest

import (
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// checkSize fills a record: the most stages, each with the longest name, key,
// source, destination or error.
func checkSize(w *world) {
	p := tracking.Pipeline{Name: strings.Repeat("p", 32)}
	for i := range 32 {
		name := tracking.Stage(fmt.Sprintf("s%031d", i))
		p.Stages = append(p.Stages, tracking.StageSpec{Stage: name, Optional: i > 0})
	}
	p.Stages[31].External = true
	user, err := scope.Tenant(strings.Repeat("t", 64-len(w.run)) + w.run)
	w.must(err, "tenant")
	user, err = user.User(strings.Repeat("u", 64))
	w.must(err, "user")
	s := w.session(user, 1)
	name := strings.Repeat("n", 255)
	tr := w.tracker(p, 0)
	_, err = tr.Create(w.ctx, s, &tracking.CreateOptions{Filename: name, Digest: make([]byte, 64)})
	w.must(err, "create")
	_, err = tr.Observe(w.ctx, s, tracking.Observation{Stage: p.Stages[31].Stage, Dest: w.ref(s, name)})
	w.must(err, "observe")
	for i, spec := range p.Stages[:31] {
		a, err := tr.Claim(w.ctx, s, spec.Stage, &tracking.ClaimOptions{Key: strings.Repeat("\U0010ffff", 512), Source: w.ref(s, name)})
		w.must(err, fmt.Sprintf("start of stage %d", i))
		if i == 1 {
			w.must(a.Complete(w.ctx, w.ref(s, name)), "complete")
			continue
		}
		w.must(a.Fail(w.ctx, &tracking.Error{Code: strings.Repeat("c", 32), Message: strings.Repeat("\x01", 2000), Retryable: true}), fmt.Sprintf("failure of stage %d", i))
	}
	rows := w.driver.rowsOf(s)
	last := rows[len(rows)-1].row
	if n := sizeOf(last.Attr) + 2*(len(last.Partition)+len(last.Sort))*4; n >= 400_000 {
		w.fail("the largest record has %d bytes", n)
	}
	r, err := tr.Get(w.ctx, s)
	w.must(err, "get")
	for i, spec := range p.Stages[:31] {
		st := r.Stage(spec.Stage)
		if len(st.Key) != 2048 || st.Source.IsZero() || i != 1 && len(st.Error.Message) != 1024 {
			w.fail("stage %d was read as %+v", i, st)
		}
	}
}

// sizeOf returns an upper bound of the size by DynamoDB's rule.
func sizeOf(v table.Value) int {
	switch v := v.(type) {
	case string:
		return len(v) + 1
	case []byte:
		return len(v) + 1
	case map[string]table.Value:
		n := 3
		for name, e := range v {
			n += len(name) + 1 + sizeOf(e)
		}
		return n
	case []table.Value:
		n := 3
		for _, e := range v {
			n += 1 + sizeOf(e)
		}
		return n
	}
	return 24
}
