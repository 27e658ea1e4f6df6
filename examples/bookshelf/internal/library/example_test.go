package library_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/library"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// A record ends with its metadata, and the library shows the book.
func Example() {
	ctx := context.Background()
	t, _ := table.New(table.NewMemory(nil), nil)
	raw, _ := object.New(object.NewMemory(), "raw", nil)
	landing, _ := object.New(object.NewMemory(), "landing", nil)
	tracker, _ := tracking.New(t, tracking.Uploads(), nil)
	books, err := library.New(t, raw, landing, tracker, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	acme, _ := scope.Tenant("acme")
	ann, _ := acme.User("ann")
	session, _ := ann.NewSession()
	_, _ = tracker.Create(ctx, session, &tracking.CreateOptions{Filename: "cover.png"})
	root, _ := landing.In(session)
	photo, _ := root.Ref("cover.png")
	photo, _, _ = root.Put(ctx, photo, strings.NewReader("…"), nil)
	attempt, err := tracker.Claim(ctx, session, tracking.Enrichment, &tracking.ClaimOptions{
		Key: "accept", Observed: &tracking.Observation{Stage: tracking.UserUpload, Dest: photo},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	_ = books.Announce(ctx, session)
	accepted, _ := raw.In(session)
	ref, _ := accepted.Ref(library.AcceptedName)
	ref, _, _ = accepted.Put(ctx, ref, strings.NewReader(`{"author":"Jane Austen","title":"Emma"}`), nil)
	_ = attempt.Complete(ctx, ref)
	if err := books.Add(ctx, session); err != nil {
		fmt.Println(err)
		return
	}

	view, err := books.Open(ann, scope.Scope{})
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err := view.List(ctx, &library.ListOptions{Text: "austen"})
	for _, b := range page.Books {
		fmt.Println(string(b.Metadata.Canonical()), b.Version, err)
	}
	// Output:
	// {"author":"Jane Austen","title":"Emma"} 1 <nil>
}
