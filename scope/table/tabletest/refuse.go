package tabletest

import (
	"context"
	"errors"
	"io"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

func checkDoneContext(b *bench) {
	v := b.viewAt("acme")
	it := b.putItem(v, table.Item{Sort: "there"})
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	b.written[place{v.Scope(), "x"}] = true
	_, err := v.Put(ctx, table.Item{Sort: "x"}, table.Absent())
	b.requireErrorIs("put", err, context.Canceled)
	_, err = v.Get(ctx, "there")
	b.requireErrorIs("get", err, context.Canceled)
	_, err = v.Query(ctx, table.Query{})
	b.requireErrorIs("query", err, context.Canceled)
	_, _, err = v.Count(ctx, table.Query{})
	b.requireErrorIs("count", err, context.Canceled)
	b.requireErrorIs("delete", v.Delete(ctx, "there", table.Version(it.Version)), context.Canceled)
	_, err = v.Get(b.ctx, "x")
	b.requireErrorIs("get afterwards of what was not put", err, table.ErrNotFound)
	_, err = v.Get(b.ctx, "there")
	b.requireNoError(err, "get afterwards of what was not deleted")
}

func checkZeroKey(b *bench) {
	var k table.Key
	_, err := b.d.Get(b.ctx, k)
	b.requireErrorIs("get", err, scope.ErrDenied)
	b.requireErrorIs("put", b.d.Put(b.ctx, k, table.Row{Version: 1}, table.Absent()), scope.ErrDenied)
	b.requireErrorIs("delete", b.d.Delete(b.ctx, k, table.Version(1)), scope.ErrDenied)
	_, err = b.d.Query(b.ctx, table.DriverQuery{Limit: 1})
	b.requireErrorIs("query", err, scope.ErrDenied)
}

func checkBadQuery(b *bench) {
	k := b.probeIndexKey(b.viewAt("acme"), "c")
	for _, q := range []table.DriverQuery{
		{Key: k, Slot: -1, Limit: 1},
		{Key: k, Slot: table.I3 + 1, Limit: 1},
		{Key: k, Slot: table.I1, Consistent: true, Limit: 1},
	} {
		if _, err := b.d.Query(b.ctx, q); err == nil {
			b.failf("slot %d, consistent %t: no error", q.Slot, q.Consistent)
		}
	}
}

func checkAfterClose(b *bench) {
	c, ok := b.d.(io.Closer)
	if !ok {
		return
	}
	v := b.viewAt("acme")
	b.closed = true
	b.requireNoError(c.Close(), "close")
	_, get := v.Get(b.ctx, "x")
	_, put := v.Put(b.ctx, table.Item{Sort: "x"}, table.Absent())
	_, query := v.Query(b.ctx, table.Query{})
	del := v.Delete(b.ctx, "x", table.Version(1))
	for op, err := range map[string]error{"get": get, "put": put, "query": query, "delete": del} {
		_, conflict := errors.AsType[*table.ConflictError](err)
		if err == nil || conflict || errors.Is(err, table.ErrNotFound) {
			b.failf("%s after close: got error %v, want the driver's", op, err)
		}
	}
}
