package agent

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

// picky is a Model that rejects requests with a medium whose content begins with "bad".
type picky struct {
	*script
	refused int
}

func (p *picky) Stream(ctx context.Context, r *Request) iterDeltas {
	if slices.ContainsFunc(shown(r), func(s string) bool { return strings.HasPrefix(s, "bad") }) {
		p.refused++
		return play(step{&ModelError{Code: CodeInvalidCall, Message: "No."}}).Stream(ctx, r)
	}
	return p.script.Stream(ctx, r)
}

func pictures(names ...string) (all []tools.Media) {
	for _, n := range names {
		all = append(all, picture(n))
	}
	return all
}

// Only media with which the service rejects requests are replaced. The note stays, so later runs do not retry.
func TestOnlyTheRejectedMediumIsReplaced(t *testing.T) {
	t.Parallel()
	note := "[There was an image (gif) here: " + refusedNote + ".]"
	old := func(names ...string) (h History) {
		for _, n := range names {
			h.Turns = append(h.Turns, Turn{[]Message{{RoleUser, []Part{{Image: new(picture(n))}}}, {RoleAssistant, []Part{{Text: "A"}}}}})
		}
		return h
	}
	for name, c := range map[string]struct {
		history History
		results [][]tools.Media
		want    []string // in the request of the next run
		refused int
	}{
		"in a result":            {old("a", "b"), [][]tools.Media{pictures("c"), pictures("bad"), pictures("d")}, []string{"a", "b", "c", note, "d"}, 1},
		"beside good ones":       {History{}, [][]tools.Media{pictures("a", "bad", "b")}, []string{"a", note, "b"}, 2},
		"two in a result":        {old("a"), [][]tools.Media{pictures("b"), pictures("bad1", "bad2")}, []string{"a", "b", note, note}, 3},
		"one after the other":    {History{}, [][]tools.Media{pictures("bad1"), pictures("bad2")}, []string{note, note}, 2},
		"in the history":         {old("a", "bad", "b", "c"), nil, []string{"a", note, "b", "c"}, 3},
		"of two runs":            {old("a", "bad"), [][]tools.Media{pictures("bad2")}, []string{"a", note, note}, 2},
		"all that the run holds": {old("bad"), nil, []string{note}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &picky{script: play()}
			for i := range c.results {
				m.steps = append(m.steps, step{use(fmt.Sprint("c", i), "show", `{}`), calls})
			}
			m.steps = append(m.steps, step{text("ok"), end}, step{text("yes"), end})
			in := Input{Scope: tenant(t, "acme"), Run: "r", Prompt: "Go.", History: c.history}
			a := newAgent(t, m, Limits{}, showing(t, c.results...))
			before, stored := lines(c.history), slices.Clone(c.history.Turns)
			for ev, err := range a.Stream(t.Context(), in) {
				require.NoError(t, err)
				switch ev := ev.(type) {
				case Compacted:
					stored = slices.Clone(ev.Turns)
				case Checkpointed:
					if ev.Ended != nil {
						stored = append(stored, *ev.Ended)
					}
				case Done:
					in.History = ev.History
				}
			}
			require.Equal(t, stored, in.History.Turns, "what the events say is what the run ends with")
			require.Equal(t, before, lines(c.history), "the input is as it was")
			require.Equal(t, c.refused, m.refused)
			in.Run = "s"
			_, err := a.Run(t.Context(), in)
			require.NoError(t, err)
			require.NoError(t, m.bad)
			require.Equal(t, c.refused, m.refused, "a later run pays nothing")
			require.Equal(t, c.want, shown(m.requests[len(m.requests)-1]))
		})
	}
}

// If media are not the reason, the run fails after a bounded number of requests, and the history does not change.
func TestRejectionWithoutCulpritKeepsTheHistory(t *testing.T) {
	t.Parallel()
	var h History
	for i := range 20 {
		h.Turns = append(h.Turns, Turn{[]Message{{RoleUser, []Part{{Image: new(picture(fmt.Sprint(i)))}}}, {RoleAssistant, []Part{{Text: "A"}}}}})
	}
	requests := 0
	m := modelFunc(func(ctx context.Context, r *Request) iterDeltas {
		requests++
		return play(step{&ModelError{Code: CodeInvalidCall, Message: "No."}}).Stream(ctx, r)
	})
	evs, failed := drain(t, newAgent(t, m, Limits{}), t.Context(), Input{Prompt: "Go.", History: h})
	require.Empty(t, evs)
	require.Equal(t, CodeInvalidCall, failed.Code)
	require.Equal(t, h.Turns, failed.Done.History.Turns)
	require.Equal(t, maxSingleTrials+2, requests)
}

// Bytes that do not have their format fail as a result, are rejected in the input, and are left out of an old history.
func TestBytesOfAnotherFormatAreRejected(t *testing.T) {
	t.Parallel()
	var jpg, pic bytes.Buffer
	require.NoError(t, jpeg.Encode(&jpg, image.NewGray(image.Rect(0, 0, 7, 5)), nil))
	require.NoError(t, png.Encode(&pic, image.NewPaletted(image.Rect(0, 0, 7, 5), color.Palette{color.Black})))
	progressive12 := append([]byte{0xff, 0xd8, 0xff, 0xc1, 0, 11, 12}, jpg.Bytes()[len(jpg.Bytes())-8:]...)
	webp := "RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x32\x00\x00\x00\x00\x00"
	for _, c := range []struct {
		format, bytes string
		isValid       bool
	}{
		{"png", "bad, no png at all", false}, {"png", jpg.String(), false}, {"png", pic.String(), true}, {"png", pic.String()[:20], false},
		{"jpeg", pic.String(), false}, {"jpeg", jpg.String(), true}, {"jpeg", string(progressive12), true}, {"jpeg", "\xff\xd8\xff", false},
		{"gif", "GIF89a", false}, {"gif", gifHeader, true}, {"gif", "GIF89a\x00\x00\x00\x00\x00\x00\x00", false},
		{"webp", webp, true}, {"webp", webp[:20], false}, {"webp", strings.Replace(webp, "VP8X", "VP9X", 1), false},
		{"pdf", "<html>", false}, {"pdf", "\n%PDF-1.4", true}, {"docx", "hello", false}, {"xlsx", "PK\x03\x04", true},
		{"txt", "anything", true}, {"mp4", "anything", true},
	} {
		medium := tools.Media{Format: c.format, Bytes: []byte(c.bytes)}
		m := play(step{use("c1", "show", `{}`), calls}, step{text("ok"), end}, step{text("ok"), end})
		a := newAgent(t, m, Limits{}, showing(t, []tools.Media{medium}))
		done, err := a.Run(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
		require.NoError(t, err)
		res := done.History.Turns[0].Messages[2].Parts[0].Result.Result
		require.Equal(t, c.isValid, !res.IsError, "%s %q", c.format, c.bytes)
		if !c.isValid {
			require.Contains(t, res.Blocks[0].Text, "its bytes are not "+c.format)
		}

		b := medium.Block()
		old := History{Turns: []Turn{{[]Message{{RoleUser, []Part{{Image: b.Image, Document: b.Document, Video: b.Video}}}, {RoleAssistant, []Part{{Text: "A"}}}}}}}
		_, err = a.Run(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go.", History: old})
		require.NoError(t, err)
		require.Equal(t, c.isValid, !strings.HasPrefix(shown(m.requests[2])[0], "[There was"))

		_, err = newAgent(t, play(step{text("ok"), end}), Limits{}).Run(t.Context(), Input{Prompt: "Go.", Media: []tools.Media{medium}})
		require.Equal(t, c.isValid, err == nil, "%s %q", c.format, c.bytes)
		if err != nil {
			require.ErrorContains(t, err, "media 0: the bytes are not "+c.format)
		}
	}
}

// If no single medium is the reason, the run continues without all of them, and the host learns that the model did not
// see them. The conversation does not change, so it is not reported as shortened.
func TestOmittedMediaAreReported(t *testing.T) {
	t.Parallel()
	var h History
	for _, n := range []string{"bad1", "a", "bad2"} {
		h.Turns = append(h.Turns, Turn{[]Message{{RoleUser, []Part{{Image: new(picture(n))}}}, {RoleAssistant, []Part{{Text: "A"}}}}})
	}
	m := &picky{script: play(step{text("ok"), end}, step{text("ok"), end})}
	a, rec := observed(t, m)
	evs, failed := drain(t, a, t.Context(), Input{Scope: tenant(t, "acme"), Run: "r", Prompt: "Go.", History: h})
	require.Nil(t, failed)
	for _, ev := range evs {
		require.IsNotType(t, Compacted{}, ev)
	}
	done := evs[len(evs)-1].(Done)
	require.Equal(t, 3, done.OmittedMedia)
	require.Equal(t, h.Turns, done.History.Turns[:3])
	run := rec.ended[len(rec.ended)-1]
	require.Contains(t, run, "invoke_agent")
	require.Contains(t, run, "carrel.agent.media.omitted=3")
	require.Contains(t, strings.Join(rec.seen, "\n"), "carrel.agent.media.omitted +3")

	evs, failed = drain(t, a, t.Context(), Input{Scope: tenant(t, "acme"), Run: "s", Prompt: "Go."})
	require.Nil(t, failed)
	require.Zero(t, evs[len(evs)-1].(Done).OmittedMedia)
}
