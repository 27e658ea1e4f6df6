package tabletest

import (
	"context"

	"github.com/carrel-go/carrel/scope/table"
)

// Only package table makes keys, from scopes. A probe under a Table shows what
// a View hands to its driver.
type probe struct {
	table.Driver
	key table.Key
	row table.Row
	ask table.DriverQuery
}

func (p *probe) Put(_ context.Context, k table.Key, r table.Row, _ table.Cond) error {
	p.key, p.row = k, r
	return nil
}

func (p *probe) Query(_ context.Context, q table.DriverQuery) (table.DriverPage, error) {
	p.ask = q
	return table.DriverPage{}, nil
}

// key returns the key and the row that a view would put, and remembers to
// remove it.
func (b *bench) key(v *table.View, sort string, it table.Item) (table.Key, table.Row) {
	var p probe
	pv, err := table.New(&p, nil).In(v.Scope())
	b.must(err, "view")
	it.Sort = sort
	_, err = pv.Put(b.ctx, it, table.Absent())
	b.must(err, "put into the probe")
	b.put[place{v.Scope(), sort}] = true
	return p.key, p.row
}

// indexKey returns the key of an index partition at the view's level.
func (b *bench) indexKey(v *table.View, class string) table.Key {
	var p probe
	pv, err := table.New(&p, nil).In(v.Scope())
	b.must(err, "view")
	_, err = pv.Query(b.ctx, table.Query{Slot: table.I1, Class: class})
	b.must(err, "query of the probe")
	return p.ask.Key
}
