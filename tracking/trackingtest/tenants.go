package trackingtest

import (
	"errors"
	"strings"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// tenants looks from one tenant at another's records: by lists, cursors, ids
// and counts, where ids are alike, where one tenant's name begins with the
// other's, and where the other has forged the places of its own rows.
func tenants(w *world) {
	tr := w.tracker(uploads(), 0)
	mine, theirs := w.user("acme", "u"), []scope.Scope{w.user("acme-2", "u"), w.user("acm", "u"), w.user("globex", "u")}
	beside := w.user("acme", "u2")
	w.record(tr, mine, 1, tracking.Active)
	w.record(tr, mine, 2, tracking.Failed)
	w.record(tr, beside, 3, tracking.Active)

	rows := w.driver.of(session(mine, 1))
	place := rows[len(rows)-1].row.Index
	for i, u := range theirs {
		for n := range 4 {
			w.record(tr, u, n, tracking.Active)
		}
		// Any writer can give a row of its own any index attributes.
		w.driver.amend = func(r *table.Row) { r.Index = place }
		w.record(tr, u, 10+i, tracking.Active)
		w.driver.amend = nil
	}
	tenant, err := scope.Tenant(mine.TenantID())
	must(err, "tenant")
	for within, want := range map[scope.Scope]int{tenant: 3, mine: 2, beside: 1} {
		for _, limit := range []int{1, 2, 50} {
			w.eventually(func() {
				got := w.all(tr, within, tracking.Filter{Limit: limit}, func() {})
				if len(got) != want {
					fail("%s lists %v, %d are its own", within, got, want)
				}
			})
		}
		w.eventually(func() {
			c, err := tr.Count(w.ctx, within)
			must(err, "count")
			if c.All != want {
				fail("%s counts %d, %d are its own", within, c.All, want)
			}
		})
	}
	for _, u := range theirs {
		id := session(u, 10).SessionID()
		if _, err := tr.Find(w.ctx, tenant, id); !errors.Is(err, tracking.ErrNotFound) {
			fail("a foreign id: %w", err)
		}
		w.foreignCursors(tr, mine, u)
	}
}

// foreignCursors gives the cursors of one list to another.
func (w *world) foreignCursors(tr *tracking.Tracker, mine, theirs scope.Scope) {
	var page tracking.Page
	w.eventually(func() {
		var err error
		page, err = tr.List(w.ctx, theirs, tracking.Filter{Limit: 1})
		must(err, "list")
		if page.Next == "" {
			fail("a list of four has one page of one")
		}
	})
	other := page.Next[:len(page.Next)-1] + strings.Map(func(r rune) rune {
		if r == 'A' {
			return 'B'
		}
		return 'A'
	}, page.Next[len(page.Next)-1:])
	for _, cursor := range []string{page.Next, other, page.Next[1:], page.Next + "AAAA"} {
		if p, err := tr.List(w.ctx, mine, tracking.Filter{Cursor: cursor}); !errors.Is(err, tracking.ErrInvalid) {
			fail("a foreign cursor gives %v, %w", p.Records, err)
		}
	}
	if p, err := tr.List(w.ctx, theirs, tracking.Filter{Cursor: page.Next, Class: tracking.Failed}); !errors.Is(err, tracking.ErrInvalid) {
		fail("a cursor of another class gives %v, %w", p.Records, err)
	}
}
