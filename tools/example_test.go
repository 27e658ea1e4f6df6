package tools_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

type shelfIn struct {
	Title string `json:"title" jsonschema:"the title, as printed"`
	Copy  *int   `json:"copy" jsonschema:"which copy, from 1"`
}

type shelfOut struct {
	Shelf string `json:"shelf"`
}

func (o shelfOut) Summary() string { return "on shelf " + o.Shelf }

func ExampleNew() {
	find, err := tools.New("find_book", "Says on which shelf a book stands.",
		func(ctx context.Context, c *tools.Call, in shelfIn) (shelfOut, error) {
			return shelfOut{Shelf: c.Scope().TenantID() + "-7"}, nil
		})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(find.Spec().Schema))

	acme, _ := scope.Tenant("acme")
	res, err := find.Call(context.Background(), tools.NewCall(tools.CallOptions{
		Scope: acme, Args: []byte(`{"title": "Middlemarch"}`),
	}))
	fmt.Println(string(res.Blocks[0].JSON), "|", res.Summary, "|", err)

	_, err = find.Call(context.Background(), tools.NewCall(tools.CallOptions{
		Scope: acme, Args: []byte(`{"copy": "first", "tenant": "globex"}`),
	}))
	fmt.Println(err)
	// Output:
	// {"type":"object","properties":{"title":{"type":"string","description":"the title, as printed"},"copy":{"type":"integer","description":"which copy, from 1"}},"required":["title"],"additionalProperties":false}
	// {"shelf":"acme-7"} | on shelf acme-7 | <nil>
	// tools: correction: the arguments do not fit: title: is missing; copy: must be an integer or null, not "first"; tenant: is not known here; the names are ["title" "copy"]
}

func ExampleFromSchema() {
	schema := []byte(`{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer","maximum":10}},"required":["city"]}`)
	ask := func(ctx context.Context, c *tools.Call) (tools.Result, error) { // sends c.Args() to another server
		return tools.Result{Blocks: []tools.Block{{Text: "sunny in " + string(c.Args())}}}, nil
	}
	forecast, err := tools.FromSchema("forecast", "Says what the weather will be.", schema, ask, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, args := range []string{`{"city":"Bonn"}`, `{"city":"Bonn","days":11}`} {
		res, err := forecast.Call(context.Background(), tools.NewCall(tools.CallOptions{Args: []byte(args)}))
		fmt.Println(res.Summary, err)
	}
	_, err = tools.FromSchema("forecast", "Says what the weather will be.", []byte(`{"type":"object","properties":{"user_id":{"type":"string"}}}`), ask, nil)
	fmt.Println(err)
	// Output:
	// sunny in {"city":"Bonn"} <nil>
	//  tools: correction: the arguments do not fit: days: must be at most 10, not 11
	// tools: invalid argument type: forecast: user_id: the word "user" is reserved: the scope selects the data, not the model
}

func ExampleSet_Resolve() {
	tell := func(ctx context.Context, c *tools.Call, in struct{}) (string, error) { return "quiet", nil }
	noise, _ := tools.New("noise", "Says how loud the room is.", tell)
	light, _ := tools.New("light", "Says how bright the room is.", tell)

	acme, _ := scope.Tenant("acme")
	offered, err := tools.Of(noise, light).Resolve(context.Background(), acme, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for spec := range offered.Specs() {
		fmt.Println(spec.Name)
	}
	_, ok := offered.Lookup("heating")
	fmt.Println(ok)
	// Output:
	// light
	// noise
	// false
}

func ExampleFatal() {
	err := tools.Fatal(&tools.FatalError{
		Code:    "not_an_image",
		Message: "The file is not an image.",
		Err:     fmt.Errorf("image: unknown format"),
	})
	fmt.Println(err)
	// Output:
	// tools: fatal: not_an_image: The file is not an image.: image: unknown format
}

func ExampleNew_constraints() {
	type in struct {
		ISBN string   `json:"isbn" pattern:"^[0-9]{13}$"`
		Due  string   `json:"due,omitempty" format:"date"`
		Tags []string `json:"tags,omitempty" maxitems:"2" enum:"lent,reserved,lost"`
	}
	t, err := tools.New("mark", "Marks a book.", func(context.Context, *tools.Call, in) (string, error) { return "marked", nil })
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = t.Call(context.Background(), tools.NewCall(tools.CallOptions{
		Args: []byte(`{"isbn": "0-19", "due": "soon", "tags": ["lent", "sold"]}`),
	}))
	fmt.Println(err)
	// Output:
	// tools: correction: the arguments do not fit: isbn: must match ^[0-9]{13}$, not "0-19"; due: must be a valid date, for example 2026-01-31, not "soon"; tags[1]: must be one of "lent", "reserved", "lost", not "sold"
}

// A tool may return an image or a document.
func ExampleMedia() {
	t, _ := tools.New("cover", "Shows the cover.", func(context.Context, *tools.Call, struct{}) (tools.Media, error) {
		return tools.Media{Format: "png", Bytes: make([]byte, 5<<10)}, nil
	})
	res, err := t.Call(context.Background(), tools.NewCall(tools.CallOptions{Args: []byte(`{}`)}))
	fmt.Println(res.Blocks[0].Image.Format, "|", res.Summary, "|", err)
	// Output:
	// png | png image, 5 KB | <nil>
}

// names are the tools that a set offers within a tenant.
func names(s tools.Set, tenantID string) (out []string) {
	sc, _ := scope.Tenant(tenantID)
	offered, err := s.Resolve(context.Background(), sc, nil)
	if err != nil {
		return []string{err.Error()}
	}
	for spec := range offered.Specs() {
		out = append(out, spec.Name)
	}
	return out
}

func tool(name string, mw ...tools.Middleware) *tools.Tool {
	t, _ := tools.New(name, "Does "+name+".", func(context.Context, *tools.Call, struct{}) (string, error) { return name + " is done", nil }, mw...)
	return t
}

func ExampleSet_With() {
	shelf := tools.Of(tool("find"), tool("lend"))
	fmt.Println(names(shelf.With(tools.Of(tool("scan"))), "acme"))
	fmt.Println(shelf.With(tools.Of(tool("find"))).Err())
	// Output:
	// [find lend scan]
	// tools: two tools are named "find": one with the description "Does find." and one with the description "Does find."
}

func ExampleSet_Prefix() {
	files, shelf := tools.Of(tool("list")), tools.Of(tool("list"))
	fmt.Println(names(files.Prefix("files_").With(shelf.Prefix("shelf_")), "acme"))
	// Output:
	// [files_list shelf_list]
}

func ExampleSet_Rename() {
	shelf := tools.Of(tool("find"), tool("lend"))
	fmt.Println(names(shelf.Rename(map[string]string{"find": "find_book"}), "acme"))
	fmt.Println(shelf.Rename(map[string]string{"fnid": "find_book"}).Err())
	// Output:
	// [find_book lend]
	// tools: cannot rename the unknown tool "fnid" to "find_book"
}

func ExampleSet_Filter() {
	shelf := tools.Of(tool("find"), tool("lend"), tool("sell"))
	fmt.Println(names(shelf.Filter(func(s tools.Spec) bool { return s.Name != "sell" }), "acme"))
	// Output:
	// [find lend]
}

func ExampleDynamic() {
	lending := tools.Of(tool("lend"))
	s := tools.Of(tool("find")).With(tools.Dynamic(func(_ context.Context, sc scope.Scope, _ *tools.State) (tools.Set, error) {
		if sc.TenantID() != "acme" { // only this tenant's books may leave the house
			return tools.Set{}, nil
		}
		return lending, nil
	}))
	fmt.Println(names(s, "acme"), names(s, "globex"))
	// Output:
	// [find lend] [find]
}

func run(t *tools.Tool, st *tools.State) {
	res, err := t.Call(context.Background(), tools.NewCall(tools.CallOptions{ID: "c1", Args: []byte(`{}`), State: st}))
	fmt.Printf("%q %v\n", res.Summary, err)
}

func ExampleMaxUses() {
	t := tool("search", tools.MaxUses(1))
	var conversation tools.State
	run(t, &conversation)
	run(t, &conversation)
	// Output:
	// "search is done" <nil>
	// "" tools: correction: Not run: search may be used once in a conversation, and it has been. Continue without it.
}

func ExampleTimeout() {
	t, _ := tools.New("wait", "Waits.", func(ctx context.Context, _ *tools.Call, _ struct{}) (string, error) {
		<-ctx.Done()
		return "", ctx.Err()
	}, tools.Timeout(time.Millisecond))
	run(t, nil)
	// Output:
	// "" tools: wait did not finish within 1ms: context deadline exceeded
}

func ExampleRetryTransient() {
	attempts := 0
	t, _ := tools.New("fetch", "Fetches.", func(context.Context, *tools.Call, struct{}) (string, error) {
		if attempts++; attempts < 3 {
			return "", tools.Transient(errors.New("the catalogue is busy"))
		}
		return "fetched", nil
	}, tools.RetryTransient(3))
	run(t, nil)
	fmt.Println(attempts, "attempts")
	// Output:
	// "fetched" <nil>
	// 3 attempts
}

func ExampleAudit() {
	type in struct {
		Title string `json:"title"`
		Card  string `json:"card"`
	}
	trail := func(_ context.Context, r tools.AuditRecord) {
		fmt.Println(r.Tool, r.Call, r.Scope.TenantID(), string(r.Input), r.Outcome, r.Summary)
	}
	audit, err := tools.Audit(trail, &tools.AuditOptions{Redact: []string{"card"}})
	if err != nil {
		panic(err)
	}
	t, _ := tools.New("lend", "Lends a book.", func(_ context.Context, _ *tools.Call, in in) (string, error) {
		return "lent " + in.Title, nil
	}, audit)
	acme, _ := scope.Tenant("acme")
	_, _ = t.Call(context.Background(), tools.NewCall(tools.CallOptions{
		Scope: acme, ID: "c1", Args: []byte(`{"title": "Emma", "card": "4711"}`),
	}))
	// Output:
	// lend c1 acme {"card":"[redacted]","title":"Emma"} ok lent Emma
}

func ExampleTruncate() {
	t, _ := tools.New("list", "Lists books.", func(context.Context, *tools.Call, struct{}) ([]string, error) {
		return slices.Repeat([]string{"Middlemarch", "Emma"}, 40), nil
	}, tools.Truncate(256))
	res, _ := t.Call(context.Background(), tools.NewCall(tools.CallOptions{Args: []byte(`{}`)}))
	for _, b := range res.Blocks {
		fmt.Println(b.Text + string(b.JSON))
	}
	// Output:
	// ["Middlemarch","Emma","Middlemarch","Emma","Middlemarch","Emma","Middlemarch","Emma","Middlemarch","Emma","Middlemarch","Emma"]
	// [Cut to fit: 127 of 841 bytes are shown, and the last value may be incomplete.]
}

func ExampleState() {
	var s tools.State
	var seen []string
	_ = s.Update("mytools.seen", &seen, func() error { seen = append(seen, "Emma"); return nil })
	b, _ := json.Marshal(&s)
	fmt.Println(string(b))
	// Output:
	// {"mytools.seen":["Emma"]}
}
