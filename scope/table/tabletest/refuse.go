package tabletest

import (
	"context"
	"errors"
	"io"

	"github.com/carrel-go/carrel/scope/table"
)

func doneContext(b *bench) {
	v := b.in("acme")
	it := b.store(v, table.Item{Sort: "there"})
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	b.put[place{v.Scope(), "x"}] = true
	_, err := v.Put(ctx, table.Item{Sort: "x"}, table.Absent())
	b.wantErr("put", err, context.Canceled)
	_, err = v.Get(ctx, "there")
	b.wantErr("get", err, context.Canceled)
	_, err = v.Query(ctx, table.Query{})
	b.wantErr("query", err, context.Canceled)
	_, _, err = v.Count(ctx, table.Query{})
	b.wantErr("count", err, context.Canceled)
	b.wantErr("delete", v.Delete(ctx, "there", table.Version(it.Version)), context.Canceled)
	_, err = v.Get(b.ctx, "x")
	b.wantErr("get afterwards of what was not put", err, table.ErrNotFound)
	_, err = v.Get(b.ctx, "there")
	b.must(err, "get afterwards of what was not deleted")
}

func zeroKey(b *bench) {
	var k table.Key
	_, err := b.d.Get(b.ctx, k)
	b.wantErr("get", err, table.ErrScope)
	b.wantErr("put", b.d.Put(b.ctx, k, table.Row{Version: 1}, table.Absent()), table.ErrScope)
	b.wantErr("delete", b.d.Delete(b.ctx, k, table.Version(1)), table.ErrScope)
	_, err = b.d.Query(b.ctx, table.DriverQuery{Limit: 1})
	b.wantErr("query", err, table.ErrScope)
}

func badQuery(b *bench) {
	k := b.indexKey(b.in("acme"), "c")
	for _, q := range []table.DriverQuery{
		{Key: k, Slot: -1, Limit: 1},
		{Key: k, Slot: table.I3 + 1, Limit: 1},
		{Key: k, Slot: table.I1, Consistent: true, Limit: 1},
	} {
		if _, err := b.d.Query(b.ctx, q); err == nil {
			b.fail("slot %d, consistent %t: no error", q.Slot, q.Consistent)
		}
	}
}

func afterClose(b *bench) {
	c, ok := b.d.(io.Closer)
	if !ok {
		return
	}
	v := b.in("acme")
	b.closed = true
	b.must(c.Close(), "close")
	_, get := v.Get(b.ctx, "x")
	_, put := v.Put(b.ctx, table.Item{Sort: "x"}, table.Absent())
	_, query := v.Query(b.ctx, table.Query{})
	del := v.Delete(b.ctx, "x", table.Version(1))
	for op, err := range map[string]error{"get": get, "put": put, "query": query, "delete": del} {
		_, conflict := errors.AsType[*table.ConflictError](err)
		if err == nil || conflict || errors.Is(err, table.ErrNotFound) {
			b.fail("%s after close: got error %v, want the driver's", op, err)
		}
	}
}
