package sse_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"

	"github.com/carrel-go/carrel/sse"
)

func ExampleNewWriter() {
	rw := httptest.NewRecorder()
	w, err := sse.NewWriter(rw, nil)
	if err != nil {
		panic(err)
	}
	defer w.Close()

	if err := w.Send(sse.Event{ID: "0.1", Data: []byte(`{"type":"text_delta","delta":"Hello"}`)}); err != nil {
		fmt.Println(err)
	}
	fmt.Print(rw.Body)
	// Output:
	// data: {"type":"text_delta","delta":"Hello"}
	// id: 0.1
}

var words = strings.Fields("one two three")

// count yields the words after a cursor.
func count(_ context.Context, after string) iter.Seq2[[]sse.Event, error] {
	return func(yield func([]sse.Event, error) bool) {
		n, err := strconv.Atoi(after)
		switch {
		case after == "":
			n = 0
		case err != nil || n < 1 || n > len(words):
			yield(nil, sse.ErrUnknownID)
			return
		case n == len(words):
			yield(nil, sse.ErrFinished)
			return
		}
		for n < len(words) {
			n++
			if !yield([]sse.Event{{ID: strconv.Itoa(n), Data: []byte(words[n-1])}}, nil) {
				return
			}
		}
	}
}

func ExampleServe() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sse.Serve(w, r, count, nil)
	}))
	defer srv.Close()

	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, srv.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	req.Header.Set("Last-Event-ID", "1")
	for e, err := range sse.Follow(req, nil) {
		fmt.Println(e.ID, string(e.Data), err)
	}
	// Output:
	// 2 two <nil>
	// 3 three <nil>
}

func ExampleFollow() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sse.Serve(w, r, count, nil)
	}))
	defer srv.Close()

	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, srv.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for e, err := range sse.Follow(req, &sse.FollowOptions{
		Terminal: func(e sse.Event) bool { return string(e.Data) == "three" },
	}) {
		fmt.Println(e.ID, string(e.Data), err)
	}
	// Output:
	// 1 one <nil>
	// 2 two <nil>
	// 3 three <nil>
}

func ExampleDecode() {
	stream := strings.NewReader("event: greeting\ndata: Hello\ndata: world\n\n: a comment\n\n")
	for e, err := range sse.Decode(stream, 0) {
		fmt.Printf("%s %q %v\n", e.Name, e.Data, err)
	}
	// Output:
	// greeting "Hello\nworld" <nil>
}
