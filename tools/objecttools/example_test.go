package objecttools_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/objecttools"
)

// newCaller returns a function that calls a tool like a run, in a bucket with one file of Ann of acme.
func newCaller(name, content string) (call func(tool, args string)) {
	bucket, _ := object.New(object.NewMemory(), "files", nil)
	acme, _ := scope.Tenant("acme")
	ann, _ := acme.User("ann")
	root, _ := bucket.In(ann)
	ref, _ := root.Ref(name)
	if _, _, err := root.Put(context.Background(), ref, strings.NewReader(content), nil); err != nil {
		fmt.Println(err)
	}

	set, err := objecttools.Set(bucket, nil)
	if err != nil {
		fmt.Println(err)
	}
	state := &tools.State{} // of the conversation; it contains the handles
	offered, _ := set.Resolve(context.Background(), ann, state)
	return func(tool, args string) {
		t, _ := offered.Lookup(tool)
		res, err := t.Call(context.Background(), tools.NewCall(tools.CallOptions{Scope: ann, Args: []byte(args), State: state}))
		switch {
		case err != nil:
			fmt.Println(err)
		case tool == "list_files":
			fmt.Println(res.Summary)
		case tool == "describe_file":
			var d struct {
				Encoding, Format string
				Rows             *int64
				Structure        []struct {
					Path  string
					Types []string
					Count int64
				}
			}
			_ = json.Unmarshal(res.Blocks[0].JSON, &d)
			fmt.Println(d.Encoding, d.Format, *d.Rows, d.Structure)
		default:
			fmt.Println(string(res.Blocks[0].JSON))
		}
	}
}

const loans = "title,reader,days\nMiddlemarch,r1,14\n\"Emma, a novel\",r2,7\nPersuasion,r1,21\n"

// The example is a run within Ann's scope. A scripted model lists her files and reads one by its handle.
func ExampleSet() {
	ctx := context.Background()
	bucket, _ := object.New(object.NewMemory(), "files", nil) // for S3, use s3object.Open(client, name, nil)
	acme, _ := scope.Tenant("acme")
	ann, _ := acme.User("ann")
	root, _ := bucket.In(ann)
	ref, _ := root.Ref("loans.csv")
	if _, _, err := root.Put(ctx, ref, strings.NewReader(loans), nil); err != nil {
		fmt.Println(err)
		return
	}

	set, err := objecttools.Set(bucket, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	model := agenttest.NewScript(
		agenttest.Answer(agenttest.Call("c1", "read_chunk", `{"file":"f1"}`)), // a mistake: the file has not been listed
		agenttest.Answer(agenttest.Call("c2", "list_files", `{}`)),
		agenttest.Answer(agenttest.Call("c3", "read_chunk", `{"file":"f1","start":3}`)),
		agenttest.Answer(agenttest.Say("The third is Persuasion.")),
	)
	a, err := agent.New(model, &agent.Options{Tools: set})
	if err != nil {
		fmt.Println(err)
		return
	}
	for ev, err := range a.Stream(ctx, agent.Input{Scope: ann, Run: "run-1", Prompt: "Which is the third?"}) {
		switch ev := ev.(type) {
		case agent.ToolDone:
			fmt.Println(ev.Name+":", ev.Result.Summary)
		case agent.TextDelta:
			fmt.Println(ev.Text)
		case nil:
			fmt.Println(err)
		}
	}
	// Output:
	// read_chunk: unknown file "f1". Call list_files and use a handle from its result, for example f1.
	// list_files: 1 file
	// read_chunk: f1: row 3
	// The third is Persuasion.
}

func ExampleSet_readChunk() {
	call := newCaller("loans.csv", loans)
	call("list_files", `{}`)
	call("read_chunk", `{"file":"f1","count":1}`)
	call("read_chunk", `{"file":"f1","cursor":"AiQCAAAoVVgUnho"}`)
	call("read_chunk", `{"file":"f1","by":"bytes","start":57,"count":10}`)
	// Output:
	// 1 file
	// {"file":"f1","by":"rows","start":18,"end":36,"size":74,"first":1,"columns":["title","reader","days"],"rows":[["Middlemarch","r1","14"]],"cursor":"AiQCAAAoVVgUnho"}
	// {"file":"f1","by":"rows","start":36,"end":74,"size":74,"first":2,"columns":["title","reader","days"],"rows":[["Emma, a novel","r2","7"],["Persuasion","r1","21"]]}
	// {"file":"f1","by":"bytes","start":57,"end":67,"size":74,"text":"Persuasion","cursor":"AEMBAAHqfNluqCY"}
}

func ExampleSet_search() {
	call := newCaller("loans.csv", loans)
	call("list_files", `{}`)
	call("search", `{"file":"f1","pattern":"R1,\\d+$","regexp":true,"ignore_case":true}`)
	// Output:
	// 1 file
	// {"file":"f1","matches":[{"line":2,"offset":30,"text":"Middlemarch,r1,14"},{"line":4,"offset":68,"text":"Persuasion,r1,21"}],"start":0,"end":74,"size":74}
}

func ExampleSet_sample() {
	call := newCaller("loans.csv", loans)
	call("list_files", `{}`)
	call("sample", `{"file":"f1","count":2}`)
	// Output:
	// 1 file
	// {"file":"f1","by":"rows","size":74,"columns":["title","reader","days"],"items":[{"offset":18,"row":["Middlemarch","r1","14"]},{"offset":57,"row":["Persuasion","r1","21"]}]}
}

func ExampleSet_describeFile() {
	call := newCaller("loans.jsonl", `{"title":"Emma","days":7}`+"\n"+`{"title":"Persuasion","days":null}`+"\n")
	call("list_files", `{}`)
	call("describe_file", `{"file":"f1"}`)
	// Output:
	// 1 file
	// UTF-8 jsonl 2 [{$ [object] 2} {$.title [string] 2} {$.days [number null] 2}]
}
