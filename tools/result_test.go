package tools

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/object"
)

type brief struct{ s string }

func (b *brief) Summary() string { return "brief: " + b.s }

func testRef(t *testing.T) object.Ref {
	t.Helper()
	user, err := tenant(t, "acme").User("u1")
	require.NoError(t, err)
	root, err := must.Get(object.New(object.NewMemory(), "raw", nil)).In(user)
	require.NoError(t, err)
	ref, err := root.Ref("a.pdf")
	require.NoError(t, err)
	return ref
}

func TestResultsBecomeBlocks(t *testing.T) {
	t.Parallel()
	run := func(out any) (Result, error) {
		return call(mustNew(t, func(context.Context, *Call, struct{}) (any, error) { return out, nil }), `{}`)
	}
	for name, c := range map[string]struct {
		out  any
		want Result
	}{
		"text":        {"on the shelf", Result{Blocks: []Block{{Text: "on the shelf"}}, Summary: "on the shelf"}},
		"empty text":  {"", Result{Blocks: []Block{{}}, Summary: "(no output)"}},
		"long text":   {strings.Repeat("ü", 81), Result{Blocks: []Block{{Text: strings.Repeat("ü", 81)}}, Summary: strings.Repeat("ü", 80) + "…"}},
		"lines":       {"\n one \ntwo", Result{Blocks: []Block{{Text: "\n one \ntwo"}}, Summary: "one…"}},
		"JSON":        {map[string]string{"a": "<b>"}, Result{Blocks: []Block{{JSON: []byte(`{"a":"<b>"}`)}}, Summary: `{"a":"<b>"}`}},
		"nil":         {nil, Result{Blocks: []Block{{JSON: []byte(`null`)}}, Summary: `null`}},
		"summarizer":  {&brief{"x"}, Result{Blocks: []Block{{JSON: []byte(`{}`)}}, Summary: "brief: x"}},
		"result":      {Result{Blocks: []Block{{Text: "a"}}, Summary: "s", IsError: true}, Result{Blocks: []Block{{Text: "a"}}, Summary: "s", IsError: true}},
		"block":       {Block{JSON: []byte(`[1]`)}, Result{Blocks: []Block{{JSON: []byte(`[1]`)}}, Summary: `[1]`}},
		"blocks":      {[]Block{{}, {Text: "b"}}, Result{Blocks: []Block{{}, {Text: "b"}}, Summary: "b"}},
		"no blocks":   {[]Block{}, Result{Blocks: []Block{}, Summary: "(no output)"}},
		"image":       {Media{Format: "png", Bytes: make([]byte, 2048)}, Result{Blocks: []Block{{Image: &Media{Format: "png", Bytes: make([]byte, 2048)}}}, Summary: "png image, 2 KB"}},
		"large image": {Media{Format: "webp", Bytes: make([]byte, 3<<19)}, Result{Blocks: []Block{{Image: &Media{Format: "webp", Bytes: make([]byte, 3<<19)}}}, Summary: "webp image, 1.5 MB"}},
		"document":    {Media{Format: "md", Bytes: []byte("# a")}, Result{Blocks: []Block{{Document: &Media{Format: "md", Bytes: []byte("# a")}}}, Summary: "md document, 3 bytes"}},
		"video":       {Media{Format: "mp4", Bytes: []byte("abc")}, Result{Blocks: []Block{{Video: &Media{Format: "mp4", Bytes: []byte("abc")}}}, Summary: "mp4 video, 3 bytes"}},
		"object":      {Media{Format: "pdf", Object: testRef(t)}, Result{Blocks: []Block{{Document: &Media{Format: "pdf", Object: testRef(t)}}}, Summary: "pdf document"}},
		"images": {[]Media{{Format: "png", Bytes: []byte("x")}, {Format: "gif", Bytes: []byte("y")}}, Result{Blocks: []Block{
			{Image: &Media{Format: "png", Bytes: []byte("x")}}, {Image: &Media{Format: "gif", Bytes: []byte("y")}},
		}, Summary: "png image, 1 bytes"}},
		"bare result":       {Result{}, Result{Summary: "(no output)"}},
		"pointer to result": {&Result{Blocks: []Block{{Text: "a"}}, Summary: "s"}, Result{Blocks: []Block{{Text: "a"}}, Summary: "s"}},
		"pointer to block":  {&Block{Text: "a"}, Result{Blocks: []Block{{Text: "a"}}, Summary: "a"}},
		"pointer to image":  {&Media{Format: "png", Bytes: []byte("x")}, Result{Blocks: []Block{{Image: &Media{Format: "png", Bytes: []byte("x")}}}, Summary: "png image, 1 bytes"}},
		"nil result":        {(*Result)(nil), Result{Blocks: []Block{{JSON: []byte(`null`)}}, Summary: `null`}},
		"nil summarizer":    {(*brief)(nil), Result{Blocks: []Block{{JSON: []byte(`null`)}}, Summary: `null`}},
	} {
		t.Run(name, func(t *testing.T) {
			res, err := run(c.out)
			require.NoError(t, err)
			require.Equal(t, c.want, res)
		})
	}
	for name, out := range map[string]any{
		"text is not UTF-8":    "\xff",
		"summary is not UTF-8": &brief{"\xff"},
		"no JSON":              func() {},
		"two in one":           Result{Blocks: []Block{{Text: "a", JSON: []byte(`1`)}}},
		"text and image":       Block{Text: "a", Image: &Media{Format: "png", Bytes: []byte("x")}},
		"image and document":   Block{Image: &Media{Format: "png", Bytes: []byte("x")}, Document: &Media{Format: "pdf", Bytes: []byte("x")}},
		"image of no format":   Media{Bytes: []byte("x")},
		"image in capitals":    Media{Format: "PNG", Bytes: []byte("x")},
		"image as document":    Block{Document: &Media{Format: "png", Bytes: []byte("x")}},
		"video as image":       Block{Image: &Media{Format: "mp4", Bytes: []byte("x")}},
		"image as video":       Block{Video: &Media{Format: "png", Bytes: []byte("x")}},
		"image and video":      Block{Image: &Media{Format: "png", Bytes: []byte("x")}, Video: &Media{Format: "mp4", Bytes: []byte("x")}},
		"document as image":    Block{Image: &Media{Format: "pdf", Bytes: []byte("x")}},
		"empty image":          Media{Format: "png"},
		"bytes and object":     Media{Format: "pdf", Bytes: []byte("x"), Object: testRef(t)},
		"empty JSON":           Block{JSON: []byte{}},
		"bad JSON":             Result{Blocks: []Block{{JSON: []byte(`{`)}}},
		"bad text":             Result{Blocks: []Block{{Text: "\xff"}}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := run(out)
			require.ErrorContains(t, err, "the result of t: ")
		})
	}

	// A value whose pointer has the method summarizes too.
	res, err := call(mustNew(t, func(context.Context, *Call, struct{}) (brief, error) { return brief{"y"}, nil }), `{}`)
	require.NoError(t, err)
	require.Equal(t, "brief: y", res.Summary)
}

func TestErrorsReachTheCallerUnchanged(t *testing.T) {
	t.Parallel()
	cause := errors.New("disk full at /dev/sda1")
	fails := func(err error) error {
		_, got := call(mustNew(t, func(context.Context, *Call, struct{}) (string, error) { return "half", err }), `{}`)
		return got
	}
	require.Same(t, cause, fails(cause))

	corr, ok := errors.AsType[*CorrectionError](fails(fmt.Errorf("wrapped: %w", Correct("give a year"))))
	require.True(t, ok)
	require.Equal(t, "give a year", corr.Message)

	fatal, ok := errors.AsType[*FatalError](fails(Fatal(cause)))
	require.True(t, ok)
	require.Equal(t, &FatalError{Retryable: true, Err: cause}, fatal)

	// One that says more is kept, however deep.
	own := &FatalError{Code: "not_an_image", Message: "The file is no image.", Err: cause}
	err := fails(Fatal(fmt.Errorf("open: %w", own)))
	fatal, ok = errors.AsType[*FatalError](err)
	require.True(t, ok)
	require.Same(t, own, fatal)
	require.ErrorIs(t, err, cause)

	require.NoError(t, Fatal(nil))
}

func explode() { panic("boom") }

func TestPanicBecomesAnError(t *testing.T) {
	t.Parallel()
	for name, tool := range map[string]*Tool{
		"function": mustNew(t, func(context.Context, *Call, struct{}) (string, error) { explode(); return "", nil }),
		"middleware": mustNew(t, noop[struct{}], func(Handler) Handler {
			return func(context.Context, *Call) (Result, error) { explode(); return Result{}, nil }
		}),
	} {
		t.Run(name, func(t *testing.T) {
			res, err := call(tool, `{}`)
			require.Zero(t, res)
			p, ok := errors.AsType[*PanicError](err)
			require.True(t, ok)
			require.Equal(t, "boom", p.Value)
			require.Contains(t, string(p.Stack), "tools.explode")
			require.EqualError(t, err, "tools: panic: boom")
		})
	}
	// A panic with a Fatal error is a panic: the run continues.
	_, err := call(mustNew(t, func(context.Context, *Call, struct{}) (string, error) { panic(Fatal(errors.New("x"))) }), `{}`)
	_, ok := errors.AsType[*FatalError](err)
	require.False(t, ok)
}
