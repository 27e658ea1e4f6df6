package tabletest

import (
	"context"

	"github.com/carrel-go/carrel/scope/table"
)

// probe is a driver that records the arguments of a View. Only package table makes
// keys.
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

// probeKey returns the key and the row that a view would put, and registers the row for
// cleanUp.
func (b *bench) probeKey(v *table.View, sort string, it table.Item) (table.Key, table.Row) {
	var p probe
	pv, err := b.newTable(&p).In(v.Scope())
	b.requireNoError(err, "view")
	it.Sort = sort
	_, err = pv.Put(b.ctx, it, table.Absent())
	b.requireNoError(err, "put into the probe")
	b.written[place{v.Scope(), sort}] = true
	return p.key, p.row
}

// probeIndexKey returns the key of an index partition at the view's level.
func (b *bench) probeIndexKey(v *table.View, class string) table.Key {
	var p probe
	pv, err := b.newTable(&p).In(v.Scope())
	b.requireNoError(err, "view")
	_, err = pv.Query(b.ctx, table.Query{Slot: table.I1, Class: class})
	b.requireNoError(err, "query of the probe")
	return p.ask.Key
}
