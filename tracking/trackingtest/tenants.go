package trackingtest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// checkTenants tries to reach another tenant's records through lists, cursors, ids
// and counts: with equal ids, with names that are prefixes of each other, and
// with rows whose index attributes the other tenant forged.
func checkTenants(w *world) {
	tr := w.newTracker(uploadPipeline(), 0)
	mine, theirs := w.newUser("acme", "u"), []scope.Scope{w.newUser("acme-2", "u"), w.newUser("acm", "u"),
		w.newUser("globex", "u")}
	beside := w.newUser("acme", "u2")
	w.makeRecord(tr, mine, 1, tracking.ClassActive)
	w.makeRecord(tr, mine, 2, tracking.ClassFailed)
	w.makeRecord(tr, beside, 3, tracking.ClassActive)

	rows := w.driver.rowsOf(w.newSession(mine, 1))
	place := rows[len(rows)-1].row.Index
	for i, u := range theirs {
		for n := range 4 {
			w.makeRecord(tr, u, n, tracking.ClassActive)
		}
		// Any writer can put any index attributes on its rows.
		w.driver.amend = func(r *table.Row) { r.Index = place }
		w.makeRecord(tr, u, 10+i, tracking.ClassActive)
		w.driver.amend = nil
	}
	tenant, err := scope.Tenant(mine.TenantID())
	w.mustSucceed(err, "tenant")
	for within, want := range map[scope.Scope]int{tenant: 3, mine: 2, beside: 1} {
		for _, limit := range []int{1, 2, 50} {
			err := w.retryUntilLag(func() error {
				got, err := w.listAll(tr, within, tracking.Filter{Limit: limit}, func() {})
				if err == nil && len(got) != want {
					err = fmt.Errorf("%s lists %v, but %d are its own", within, got, want)
				}
				return err
			})
			w.mustSucceed(err, "list")
		}
		err := w.retryUntilLag(func() error {
			c, err := tr.Count(w.ctx, within)
			if err == nil && c.All != want {
				err = fmt.Errorf("%s counts %d, but %d are its own", within, c.All, want)
			}
			return err
		})
		w.mustSucceed(err, "count")
	}
	for _, u := range theirs {
		id := w.newSession(u, 10).SessionID()
		if _, err := tr.Find(w.ctx, tenant, id); !errors.Is(err, tracking.ErrNotFound) {
			w.failCheck("Find with a foreign id: %w", err)
		}
		w.foreignCursors(tr, mine, u)
	}
}

// foreignCursors uses the cursors of one list in another.
func (w *world) foreignCursors(tr *tracking.Tracker, mine, theirs scope.Scope) {
	var page tracking.Page
	err := w.retryUntilLag(func() (err error) {
		page, err = tr.List(w.ctx, theirs, tracking.Filter{Limit: 1})
		if err == nil && page.Next == "" {
			err = errors.New("a list of four has one page of one")
		}
		return err
	})
	w.mustSucceed(err, "list")
	other := page.Next[:len(page.Next)-1] + strings.Map(func(r rune) rune {
		if r == 'A' {
			return 'B'
		}
		return 'A'
	}, page.Next[len(page.Next)-1:])
	for _, cursor := range []string{page.Next, other, page.Next[1:], page.Next + "AAAA"} {
		if p, err := tr.List(w.ctx, mine, tracking.Filter{Cursor: cursor}); !errors.Is(err, tracking.ErrInvalid) {
			w.failCheck("a foreign cursor returned %v, %w", p.Records, err)
		}
	}
	if p, err := tr.List(w.ctx, theirs, tracking.Filter{Cursor: page.Next, Class: tracking.ClassFailed}); !errors.Is(err,
		tracking.ErrInvalid) {
		w.failCheck("a cursor of another class returned %v, %w", p.Records, err)
	}
}
