package sse_test

import (
	"fmt"
	"net/http/httptest"

	"github.com/carrel-go/carrel/sse"
)

func ExampleNewWriter() {
	rw := httptest.NewRecorder()
	w := sse.NewWriter(rw, nil)
	defer w.Close()

	if err := w.Send(&sse.Event{ID: "0.1", Data: []byte(`{"type":"text_delta","delta":"Hello"}`)}); err != nil {
		fmt.Println(err)
	}
	fmt.Print(rw.Body)
	// Output:
	// data: {"type":"text_delta","delta":"Hello"}
	// id: 0.1
}
