package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// The model learns why no request can hold the result, and the run and the next one continue.
func TestResultsBeyondTheLimitsFail(t *testing.T) {
	t.Parallel()
	limits := RequestLimits{ImageBytes: 113, DocumentBytes: 208, ImageSide: 50, Images: 4, Documents: 2, Media: 5, Bytes: 529}
	wide := func(f string, encode func(*bytes.Buffer, image.Image) error) tools.Media {
		var b bytes.Buffer
		require.NoError(t, encode(&b, image.NewPaletted(image.Rect(0, 0, 51, 1), color.Palette{color.Black, color.White})))
		return tools.Media{Format: f, Bytes: b.Bytes()}
	}
	for name, c := range map[string]struct {
		results [][]tools.Media
		want    []string // in the results; empty if the result is accepted
	}{
		"as much as fits":     {[][]tools.Media{append(many(4, picture("x")), paper(strings.Repeat("d", 200)))}, []string{""}},
		"an image":            {[][]tools.Media{{picture(strings.Repeat("x", 101))}}, []string{"larger than 113 bytes"}},
		"a document":          {[][]tools.Media{{paper(strings.Repeat("x", 201))}}, []string{"larger than 208 bytes"}},
		"images":              {[][]tools.Media{many(5, picture("x"))}, []string{"5 images"}},
		"documents":           {[][]tools.Media{many(3, paper("x"))}, []string{"3 documents"}},
		"both":                {[][]tools.Media{append(many(4, picture("x")), many(2, paper("x"))...)}, []string{"5 of both"}},
		"calls together":      {[][]tools.Media{many(3, picture("x")), many(2, picture("x")), many(1, picture("x"))}, []string{"", "together with the other calls", ""}},
		"bytes":               {[][]tools.Media{{paper(strings.Repeat("x", 200)), paper(strings.Repeat("x", 200)), picture(strings.Repeat("x", 97))}}, []string{"530 bytes"}},
		"a wide PNG":          {[][]tools.Media{{wide("png", func(b *bytes.Buffer, i image.Image) error { return png.Encode(b, i) })}}, []string{"51×1 pixels"}},
		"a wide GIF":          {[][]tools.Media{{wide("gif", func(b *bytes.Buffer, i image.Image) error { return gif.Encode(b, i, nil) })}}, []string{"51×1 pixels"}},
		"a wide WebP":         {[][]tools.Media{{{Format: "webp", Bytes: []byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x32\x00\x00\x00\x00\x00")}}}, []string{"51×1 pixels"}},
		"a WebP without loss": {[][]tools.Media{{{Format: "webp", Bytes: append([]byte("RIFF\x00\x00\x00\x00WEBPVP8L\x0a\x00\x00\x00\x2f\x32\x00\x00\x00"), make([]byte, 9)...)}}}, []string{"51×1 pixels"}},
		"a WebP with loss":    {[][]tools.Media{{{Format: "webp", Bytes: []byte("RIFF\x00\x00\x00\x00WEBPVP8 \x0a\x00\x00\x00\x00\x00\x00\x9d\x01\x2a\x33\x00\x01\x00")}}}, []string{"51×1 pixels"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var answer step
			for i := range c.results {
				answer = append(answer, use(fmt.Sprint("c", i), "show", `{}`))
			}
			m := limited{play(append(answer, calls), step{text("ok"), end}, step{text("yes"), end}), limits}
			a := newAgent(t, m, Limits{Parallel: 1}, showing(t, c.results...))
			in := Input{Scope: tenant(t, "acme"), Prompt: "Go."}
			evs, failed := drain(t, a, t.Context(), in)
			require.Nil(t, failed)
			in.History = evs[len(evs)-1].(Done).History
			_, failed = drain(t, a, t.Context(), in)
			require.Nil(t, failed)
			require.NoError(t, m.bad)
			i := 0
			for _, ev := range evs {
				if d, ok := ev.(ToolDone); ok {
					require.Equal(t, c.want[i] != "", d.Result.IsError)
					if d.Result.IsError {
						require.Contains(t, d.Result.Blocks[0].Text, c.want[i])
						require.Len(t, d.Result.Blocks, 1)
					}
					i++
				}
			}
			require.Len(t, c.want, i)
			for _, r := range m.requests {
				require.NotContains(t, strings.Join(shown(r), ""), "[There was")
			}
		})
	}
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 7, 5)), nil))
	w, h, _ := imageSize(&tools.Media{Format: "jpeg", Bytes: b.Bytes()})
	require.Equal(t, []int{7, 5}, []int{w, h})
}

// The call fails if no request can hold its object.
func TestObjectsInResultsAreInspected(t *testing.T) {
	t.Parallel()
	s := newShelf(t, nil)
	root, err := s.bucket.In(s.acme)
	require.NoError(t, err)
	missing, err := root.Ref("none.png")
	require.NoError(t, err)
	for want, c := range map[string]struct {
		ref    object.Ref
		limits RequestLimits
	}{
		"":                     {s.ours, RequestLimits{ImageBytes: 9}},
		"larger than 8 bytes":  {s.ours, RequestLimits{ImageBytes: 8}},
		"it has been deleted":  {missing, RequestLimits{}},
		"it has 13 bytes, and": {s.ours, RequestLimits{Bytes: 8}},
	} {
		m := limited{play(step{use("c1", "show", `{}`), calls}, step{text("ok"), end}), c.limits}
		a := s.agent(t, m, nil, showing(t, []tools.Media{{Format: "png", Object: c.ref}}))
		done, err := a.Run(t.Context(), Input{Scope: s.acme, Prompt: "Go."})
		require.NoError(t, err)
		res := done.History.Turns[0].Messages[2].Parts[0].Result.Result
		require.Equal(t, want != "", res.IsError, want)
		require.Contains(t, res.Blocks[0].Text, want)
	}
}

// The model learns that a call took effect if the store does not find its object, so that it does not repeat the call.
func TestResultWhoseObjectCannotBeLookedUpIsNotAFailure(t *testing.T) {
	t.Parallel()
	s := newShelf(t, nil)
	s.bucket = must.Get(object.New(failing{object.NewMemory(), errors.New("secret")}, s.bucket.Name(), nil))
	m := play(step{use("c1", "show", `{}`), calls}, step{text("ok"), end})
	a := s.agent(t, m, nil, showing(t, []tools.Media{{Format: "png", Object: s.ours}}))
	evs, failed := drain(t, a, t.Context(), Input{Scope: s.acme, Prompt: "Go."})
	require.Nil(t, failed)
	require.ErrorContains(t, evs[1].(ToolDone).Err, "secret")
	require.Equal(t, "user: {c1! The tool ran, but its result cannot be shown.}", lines(evs[len(evs)-1].(Done).History)[2])
}

// The results of a batch share the limits, also if a run is resumed between them.
func TestObjectsOfAResumedBatchCount(t *testing.T) {
	t.Parallel()
	s := newShelf(t, nil)
	isApproved := false
	scan, err := tools.New("scan", "Scans.", func(context.Context, *tools.Call, struct{}) (tools.Media, error) {
		if !isApproved {
			return tools.Media{}, &tools.PendingError{Reason: "?"}
		}
		return picture("x"), nil
	})
	require.NoError(t, err)
	m := limited{play(step{use("c1", "show", `{}`), use("c2", "scan", `{}`), calls}, step{text("ok"), end}), RequestLimits{Bytes: 20}}
	a := s.agent(t, m, nil, scan, showing(t, []tools.Media{{Format: "png", Object: s.ours}}))
	in := Input{Scope: s.acme, Run: "r", Prompt: "Go."}
	done, err := a.Run(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, OutcomePending, done.Outcome)
	isApproved = true
	done, err = a.Run(t.Context(), Input{Scope: s.acme, Run: "r", History: done.History, Resume: done.Checkpoint})
	require.NoError(t, err)
	require.Contains(t, lines(done.History)[2], "c2! The tool ran, but its result cannot be shown: together with the other calls")
}
