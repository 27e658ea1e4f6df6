package main

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/approval"
	"github.com/carrel-go/carrel/tools/mcp"
)

// pixel is a picture of one pixel.
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="

type none struct{}

// step is the progress of a tool.
type step struct {
	Progress float64 `json:"progress"`
	Total    float64 `json:"total"`
	Message  string  `json:"message"`
}

// newFixtures returns the tools of the suite that carrel's packages serve, and the options for them.
func newFixtures(ctx context.Context, user scope.Scope) (tools.Set, *mcp.ServeOptions, error) {
	t, err := table.New(table.NewMemory(nil), nil)
	if err != nil {
		return tools.Set{}, nil, err
	}
	approvals, err := approval.New(t, nil)
	if err != nil {
		return tools.Set{}, nil, err
	}
	bucket, err := object.New(object.NewMemory(), "fixtures", nil)
	if err != nil {
		return tools.Set{}, nil, err
	}
	root, err := bucket.In(user)
	if err != nil {
		return tools.Set{}, nil, err
	}
	ref, err := root.Ref("notes.txt")
	if err != nil {
		return tools.Set{}, nil, err
	}
	put := &object.PutOptions{Type: "text/plain"}
	if _, _, err := root.Put(ctx, ref, strings.NewReader("Some notes."), put); err != nil {
		return tools.Set{}, nil, err
	}
	image, err := base64.StdEncoding.DecodeString(pixel)
	if err != nil {
		return tools.Set{}, nil, err
	}
	picture := tools.Block{Image: &tools.Media{Format: "png", Bytes: image}}
	file := tools.Block{Document: &tools.Media{Format: "txt", Bytes: []byte("This is an embedded resource content.")}}

	returns := func(name string, blocks ...tools.Block) *tools.Tool {
		return tools.Must(tools.New(name, "Returns the fixture "+name+".",
			func(context.Context, *tools.Call, none) (tools.Result, error) {
				return tools.Result{Blocks: blocks}, nil
			}))
	}
	asks := func(name string) *tools.Tool {
		return tools.Must(tools.New(name, "Runs after an approval.",
			func(context.Context, *tools.Call, none) (string, error) { return "state-ok", nil },
			colleague(approvals), approvals.Require(nil)))
	}
	set := tools.Of(
		returns("test_simple_text", tools.Block{Text: "This is a simple text response for testing."}),
		returns("test_image_content", picture),
		returns("test_embedded_resource", file),
		returns("test_multiple_content_types", tools.Block{Text: "Multiple content types test:"}, picture, file),
		returns("test_streaming_elicitation", tools.Block{Text: "Done."}),
		tools.Must(tools.New("test_error_handling", "Fails.", func(context.Context, *tools.Call, none) (string, error) {
			return "", tools.Correct("This tool intentionally returns an error for testing.")
		})),
		tools.Must(tools.New("test_tool_with_progress", "Reports its progress.", reportProgress)),
		asks("test_input_required_result_request_state"),
		asks("test_input_required_result_tampered_state"),
	)
	return set, &mcp.ServeOptions{Name: "conformance", Objects: bucket, Approvals: approvals}, nil
}

func reportProgress(ctx context.Context, c *tools.Call, _ none) (string, error) {
	for _, progress := range []float64{0, 50, 100} {
		c.Progress(step{progress, 100, "Completed."})
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return "Done.", nil
}

// colleague approves each call as soon as it waits, so that it runs when the client repeats it.
func colleague(a *approval.Approvals) tools.Middleware {
	return func(next tools.Handler) tools.Handler {
		return func(ctx context.Context, c *tools.Call) (tools.Result, error) {
			res, err := next(ctx, c)
			if pending, ok := errors.AsType[*tools.PendingError](err); ok && pending.Approval != "" {
				d := approval.Decision{Approve: true, By: "colleague"}
				if _, err := a.Decide(ctx, c.Scope(), pending.Approval, d); err != nil {
					return tools.Result{}, err
				}
			}
			return res, err
		}
	}
}
