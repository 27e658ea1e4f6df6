package agent

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// limited is a script with RequestLimits.
type limited struct {
	*script
	limits RequestLimits
}

func (l limited) Info() ModelInfo { return ModelInfo{Model: "m", Limits: l.limits} }

// shown returns the media of a request in order: the bytes or the name of each image and document, and each note.
func shown(r *Request) (out []string) {
	add := func(text string, media ...*tools.Media) {
		if strings.HasPrefix(text, "[There was") {
			out = append(out, text)
		}
		for _, m := range media {
			if m != nil {
				out = append(out, content(m))
			}
		}
	}
	for _, m := range r.Messages {
		for _, p := range m.Parts {
			add(p.Text, p.Image, p.Document, p.Video)
			if p.Result != nil {
				for _, b := range p.Result.Blocks {
					add(b.Text, b.Image, b.Document, b.Video)
				}
			}
		}
	}
	return out
}

// The beginnings of the images and documents in tests.
const gifHeader, pdfHeader = "GIF89a\x01\x00\x01\x00\x00\x00\x00", "%PDF-1.7"

func picture(s string) tools.Media { return tools.Media{Format: "gif", Bytes: []byte(gifHeader + s)} }
func paper(s string) tools.Media   { return tools.Media{Format: "pdf", Bytes: []byte(pdfHeader + s)} }

// content returns the argument of picture or paper, or the name of the object.
func content(m *tools.Media) string {
	s := strings.TrimPrefix(strings.TrimPrefix(string(m.Bytes), gifHeader), pdfHeader)
	return s + m.Object.Name()
}

// showing returns a tool whose n-th call returns the n-th result.
func showing(t *testing.T, results ...[]tools.Media) *tools.Tool {
	calls := 0
	tool, err := tools.New("show", "Shows.", func(context.Context, *tools.Call, struct{}) ([]tools.Block, error) {
		blocks := []tools.Block{{Text: "here"}}
		for _, m := range results[calls] {
			blocks = append(blocks, m.Block())
		}
		calls++
		return blocks, nil
	})
	require.NoError(t, err)
	return tool
}

func many(n int, m tools.Media) []tools.Media { return slices.Repeat([]tools.Media{m}, n) }

// Media beyond the limits are left out of requests, the oldest first and none of the prompt. They are not shown again,
// and the history keeps them.
func TestOldestMediaAreLeftOut(t *testing.T) {
	t.Parallel()
	limits := RequestLimits{ImageBytes: 17, Images: 8, Documents: 3, Media: 9, Bytes: 120}
	var steps []step
	for range 40 {
		steps = append(steps, step{use("c", "show", `{}`), calls}, step{text("ok"), end})
	}
	m := limited{play(steps...), limits}
	var results [][]tools.Media
	for i := range 20 {
		results = append(results, many(i%3, picture(fmt.Sprint(i))))
	}
	a := newAgent(t, m, Limits{}, showing(t, results...))
	in := Input{Scope: tenant(t, "acme"), Prompt: "Go."}
	var before []string
	for i := range 20 {
		in.Media = append(many(i%4, picture(fmt.Sprint("u", i))), many(i%2, paper(fmt.Sprint("d", i)))...)
		done, err := a.Run(t.Context(), in)
		require.NoError(t, err)
		in.History = done.History
		for _, r := range m.requests[2*i:] {
			got := shown(r)
			count := countShown(t, got, before)
			require.False(t, count.isBeyond(limits), "%+v", count)
			before = got
		}
		first := shown(m.requests[2*i])
		for _, s := range first[len(first)-len(in.Media):] {
			require.NotContains(t, s, "[", "what the user shows now stays")
		}
	}
	require.NoError(t, m.bad)
	require.Contains(t, before[0], "[There was an image (gif) here")
	all := 0
	for _, turn := range in.History.Turns {
		for _, m := range turn.Messages {
			for range eachMedium(m.Parts) {
				all++
			}
		}
	}
	require.Equal(t, len(before), all)
}

// countShown counts the media of a request. Those that were left out of the request before must still be.
func countShown(t *testing.T, got, before []string) (count mediaCount) {
	t.Helper()
	for j, s := range got {
		if strings.HasPrefix(s, "[") {
			require.Contains(t, s, "to make room for newer ones")
			continue
		}
		kind, size := anImage, len(gifHeader+s)
		if strings.HasPrefix(s, "d") {
			kind, size = aDocument, len(pdfHeader+s)
		}
		count.add(kind, int64(size), 1)
		if j < len(before) {
			require.Equal(t, before[j], s, "what was left out has come back")
		}
	}
	return count
}

// A new video replaces an older one and never an image. A video that is too large fails as a result.
func TestVideosAreCountedSeparately(t *testing.T) {
	t.Parallel()
	film := func(s string) tools.Media { return tools.Media{Format: "mp4", Bytes: []byte(s)} }
	tool := showing(t, []tools.Media{film("one")}, []tools.Media{film("two"), film("three")}, []tools.Media{film("too large")}, []tools.Media{film("four"), picture("p")})
	m := limited{play(), RequestLimits{Videos: 1, VideoBytes: 8, Bytes: 19, Media: 1}}
	for i := range 4 {
		m.steps = append(m.steps, step{use(fmt.Sprint("c", i), "show", `{}`), calls})
	}
	m.steps = append(m.steps, step{text("ok"), end})
	done, err := newAgent(t, m, Limits{Corrections: 9}, tool).Run(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
	require.NoError(t, err)
	require.NoError(t, m.bad)
	require.Equal(t, []string{"[There was a video (mp4) here: it was left out to make room for newer ones.]", "four", "p"}, shown(m.requests[4]))
	require.Equal(t, []string{"one"}, shown(m.requests[3]))
	var failures []string
	for _, turn := range done.History.Turns {
		for _, p := range turn.Messages[len(turn.Messages)-1].Parts {
			if p.Result != nil && p.Result.IsError {
				failures = append(failures, p.Result.Blocks[0].Text)
			}
		}
	}
	require.Len(t, failures, 2)
	require.Contains(t, failures[0], "2 videos, and a request may hold")
	require.Contains(t, failures[1], "a video (mp4), and it is larger than 8 bytes")
}

// A history of another model may hold media that this one never accepts.
func TestOldMediaOfAnotherModelAreLeftOut(t *testing.T) {
	t.Parallel()
	m := limited{play(step{text("ok"), end}), RequestLimits{ImageBytes: 16, DocumentBytes: 13}}
	big, small, doc := picture("big!"), picture("ok"), paper("pages!")
	_, err := newAgent(t, Fallback(m, play()), Limits{}).Run(t.Context(), Input{Prompt: "Go.", History: History{Turns: []Turn{{[]Message{
		{RoleUser, []Part{{Image: &big}, {Image: &small}, {Document: &doc}}}, {RoleAssistant, []Part{{Text: "A"}}},
	}}}}})
	require.NoError(t, err)
	got := shown(m.requests[0])
	require.Equal(t, []string{"[There was an image (gif) here: it is larger than 16 bytes.]", "ok", "[There was a document (pdf) here: it is larger than 13 bytes.]"}, got)
	require.NoError(t, m.bad)
}

// failing is a store whose Stat fails.
type failing struct {
	object.Driver
	err error
}

func (f failing) Stat(context.Context, object.Addr) (object.Info, error) { return object.Info{}, f.err }

// A note replaces objects of earlier turns and results that are deleted, changed or too large. Objects of the prompt do
// not change, and neither does anything if the store fails.
func TestMissingObjectsBecomeNotes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(t *testing.T, s *shelf, root *object.Root)
		note   string
	}{
		"all is well": {func(*testing.T, *shelf, *object.Root) {}, ""},
		"deleted":     {func(t *testing.T, s *shelf, root *object.Root) { require.NoError(t, root.Delete(t.Context(), s.ours)) }, "it has been deleted"},
		"replaced": {func(t *testing.T, s *shelf, root *object.Root) {
			f, err := root.Ref(s.ours.Name())
			require.NoError(t, err)
			require.NoError(t, root.Delete(t.Context(), s.ours))
			_, _, err = root.Put(t.Context(), f, strings.NewReader("ANOTHER"), nil)
			require.NoError(t, err)
		}, "replaced"},
		"denied": {func(_ *testing.T, s *shelf, _ *object.Root) {
			s.bucket = must.Get(object.New(failing{object.NewMemory(), object.ErrDenied}, s.bucket.Name(), nil))
		}, "cannot be read"},
		"a store that fails": {func(_ *testing.T, s *shelf, _ *object.Root) {
			s.bucket = must.Get(object.New(failing{object.NewMemory(), context.DeadlineExceeded}, s.bucket.Name(), nil))
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShelf(t, nil)
			root, err := s.bucket.In(s.acme)
			require.NoError(t, err)
			cover := tools.Media{Format: "png", Object: s.ours}
			m := limited{play(step{use("c1", "show", `{}`), calls}, step{text("ok"), end}, step{text("yes"), end}), RequestLimits{}}
			in := Input{Scope: s.acme, Prompt: "Go.", Media: []tools.Media{cover}}
			done, err := s.agent(t, m, nil, showing(t, []tools.Media{cover})).Run(t.Context(), in)
			require.NoError(t, err)
			c.change(t, s, root)
			in.History = done.History
			_, err = s.agent(t, m, nil).Run(t.Context(), in)
			require.NoError(t, err)
			require.NoError(t, m.bad)
			got := shown(m.requests[2])
			require.Len(t, got, 3)
			require.Equal(t, "cover.png", got[2], "what is new is not looked at")
			for _, s := range got[:2] {
				if c.note == "" {
					require.Equal(t, "cover.png", s)
				} else {
					require.Contains(t, s, c.note)
				}
			}
		})
	}
}

// The service may reject media for a reason that the agent cannot see. Media of the prompt are always sent.
func TestRejectedRequestIsRetriedWithoutOldMedia(t *testing.T) {
	t.Parallel()
	refuse := func(code Code) step { return step{&ModelError{Code: code, Message: "No."}} }
	old := History{Turns: []Turn{{[]Message{{RoleUser, []Part{{Image: new(picture("old"))}}}, {RoleAssistant, []Part{{Text: "A"}}}}}}}
	const note = "[There was an image (gif) here: the request was refused with it.]"
	for name, c := range map[string]struct {
		h     History
		steps []step
		want  [][]string
		fails bool
	}{
		"the old one":     {old, []step{refuse(CodeInvalidCall), {use("c1", "show", `{}`), calls}, {text("ok"), end}}, [][]string{{"old", "new"}, {note, "new"}, {note, "new", "tool"}}, false},
		"the new one":     {old, []step{refuse(CodeInvalidCall), refuse(CodeInvalidCall)}, [][]string{{"old", "new"}, {note, "new"}}, true},
		"nothing is old":  {History{}, []step{refuse(CodeInvalidCall)}, [][]string{{"new"}}, true},
		"another failure": {old, []step{refuse(CodeUnavailable)}, [][]string{{"old", "new"}}, true},
		"too long":        {old, []step{refuse(CodeContextFull), {text("ok"), end}}, [][]string{{"old", "new"}, {note, "new"}}, false},
		"inline, denied":  {old, []step{refuse(CodeAccessDenied)}, [][]string{{"old", "new"}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := play(c.steps...)
			a := newAgent(t, m, Limits{}, showing(t, []tools.Media{picture("tool")}))
			_, err := a.Run(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go.", Media: []tools.Media{picture("new")}, History: c.h})
			require.Equal(t, c.fails, err != nil, "%v", err)
			require.NoError(t, m.bad)
			var got [][]string
			for _, r := range m.requests {
				got = append(got, shown(r))
			}
			require.Equal(t, c.want, got)
		})
	}
}
