package table_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

func exampleSession() scope.Scope {
	tenant, _ := scope.Tenant("acme")
	user, _ := tenant.User("u1")
	session, _ := user.Session("0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b")
	return session
}

func ExampleNew() {
	t, err := table.New(table.NewMemory(nil), nil)
	if err != nil {
		panic(err)
	}
	v, err := t.In(exampleSession())
	if err != nil {
		panic(err)
	}
	it, err := v.Put(context.Background(), table.Item{
		Sort: "meta",
		Attr: map[string]table.Value{"status": "running", "attempt": int64(1)},
	}, table.Absent())
	fmt.Println(it.Version > 0, it.Attr["status"], err)

	_, err = t.In(scope.Scope{})
	fmt.Println(err)
	// Output:
	// true running <nil>
	// table: scope: denied: the zero Scope
}

func ExampleView_Put() {
	ctx := context.Background()
	t, _ := table.New(table.NewMemory(nil), nil)
	v, _ := t.In(exampleSession())
	it, _ := v.Put(ctx, table.Item{Sort: "meta", Attr: map[string]table.Value{"by": "first"}}, table.Absent())

	other := it
	other.Attr = map[string]table.Value{"by": "second"}
	_, err := v.Put(ctx, other, table.Version(other.Version))
	fmt.Println(err)

	// it is out of date: the error contains the current item.
	_, err = v.Put(ctx, it, table.Version(it.Version))
	if conflict, ok := errors.AsType[*table.ConflictError](err); ok {
		fmt.Println(conflict.Current.Version-it.Version, conflict.Current.Attr["by"])
	}
	// Output:
	// <nil>
	// 1 second
}

func ExampleView_Query() {
	ctx := context.Background()
	t, _ := table.New(table.NewMemory(nil), nil)
	session := exampleSession()
	v, _ := t.In(session)
	_, _ = v.Put(ctx, table.Item{
		Sort:  "meta",
		Index: []table.Entry{{Slot: table.I2, Level: scope.TenantLevel, Class: "active", Sort: session.SessionID()}},
	}, table.Absent())

	tenant, _ := scope.Tenant("acme")
	listing, _ := t.In(tenant)
	q := table.Query{Slot: table.I2, Class: "active", Desc: true, Limit: 50}
	for {
		page, err := listing.Query(ctx, q)
		if err != nil {
			panic(err)
		}
		for _, found := range page.Items {
			fmt.Println(found.Scope.SessionID(), found.Item.Sort)
		}
		if page.Next == "" {
			break
		}
		q.Cursor = page.Next
	}
	n, capped, err := listing.Count(ctx, table.Query{Slot: table.I2, Class: "active"})
	fmt.Println(n, capped, err)
	// Output:
	// 0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b meta
	// 1 false <nil>
}

// A System lists due items across scopes. Each item is read in its own scope.
func ExampleSystem() {
	ctx := context.Background()
	t, _ := table.New(table.NewMemory(nil), nil)
	for _, name := range []string{"acme", "globex"} {
		tenant, _ := scope.Tenant(name)
		view, _ := t.In(tenant)
		_, err := view.Put(ctx, table.Item{Sort: "invoice", Index: []table.Entry{
			{Slot: table.I3, Level: scope.None, Class: "due", Shard: 0, Sort: "2026-01-31"},
		}}, table.Absent())
		if err != nil {
			fmt.Println(err)
		}
	}
	page, err := t.System().Query(ctx, 0, table.Query{Slot: table.I3, Class: "due", To: "2026-02"})
	if err != nil {
		fmt.Println(err)
	}
	for _, f := range page.Items {
		view, _ := t.In(f.Scope)
		it, err := view.Get(ctx, f.Item.Sort)
		fmt.Println(f.Scope.TenantID(), it.Sort, err)
	}
	// Output:
	// acme invoice <nil>
	// globex invoice <nil>
}
