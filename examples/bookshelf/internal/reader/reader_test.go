package reader_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/reader"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// desk is one session with an upload, and the conversation about it.
type desk struct {
	t        *testing.T
	agent    *agent.Agent
	session  scope.Scope
	history  agent.History
	metadata book.Metadata
	runs     int

	text  string   // of the last run
	calls []string // its tools, in order
}

func newDesk(t *testing.T, upload []byte) *desk {
	t.Helper()
	landing, session := landed(t, upload)
	set, err := booktools.Tools(landing, nil)
	require.NoError(t, err)
	return deskWith(t, session, set)
}

func deskWith(t *testing.T, session scope.Scope, set tools.Set) *desk {
	t.Helper()
	a, err := agent.New(reader.New(&reader.Options{Pace: -1}), &agent.Options{Tools: set})
	require.NoError(t, err)
	return &desk{t: t, agent: a, session: session}
}

func landed(t *testing.T, upload []byte) (*object.Bucket, scope.Scope) {
	t.Helper()
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	u, err := tenant.User("u1")
	require.NoError(t, err)
	s, err := u.NewSession()
	require.NoError(t, err)
	landing := must.Get(object.New(object.NewMemory(), "landing", nil))
	root, err := landing.In(s)
	require.NoError(t, err)
	ref, err := root.Ref("cover.bin")
	require.NoError(t, err)
	_, _, err = root.Put(t.Context(), ref, bytes.NewReader(upload), nil)
	require.NoError(t, err)
	return landing, s
}

// say runs one exchange and folds what set_field gave, as the server does.
func (d *desk) say(prompt string) error {
	d.t.Helper()
	d.runs++
	d.text, d.calls = "", nil
	var last agent.Event
	for ev, err := range d.agent.Stream(d.t.Context(), agent.Input{Scope: d.session, Run: fmt.Sprint(d.runs), Prompt: prompt, History: d.history}) {
		if err != nil {
			return err
		}
		switch ev := ev.(type) {
		case agent.TextDelta:
			d.text += ev.Text
		case agent.ToolCalled:
			d.calls = append(d.calls, ev.Name)
		case agent.ToolDone:
			if ev.Name == booktools.SetField && !ev.Result.IsError {
				var u book.Update
				if json.Unmarshal(ev.Result.Blocks[0].JSON, &u) == nil { // a stub may say anything
					_ = d.metadata.Apply(u)
				}
			}
		}
		last = ev
	}
	done, ok := last.(agent.Done)
	require.True(d.t, ok, "%T", last)
	require.Equal(d.t, agent.OutcomeComplete, done.Outcome)
	require.Positive(d.t, done.Usage.Input)
	require.Positive(d.t, done.Usage.Output)
	d.history = done.History
	require.NotContains(d.t, d.text, "  ", "no gaps in the text")
	require.NotContains(d.t, d.text, "..")
	return nil
}

func (d *desk) metadataIs(want string) {
	d.t.Helper()
	require.JSONEq(d.t, want, string(d.metadata.Canonical()))
}

func drawn(t *testing.T, s cover.Sample, f cover.Format) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, cover.Render(&b, s, &cover.Options{Width: 600, Format: f}))
	return b.Bytes()
}

// without makes tesseract unavailable; with installs a fake that prints the given text.
func without(t *testing.T) { t.Setenv("PATH", t.TempDir()) }

func with(t *testing.T, text string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a Unix shell")
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "text"), []byte(text), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tesseract"), []byte("#!/bin/sh\nexec /bin/cat '"+dir+"/text'\n"), 0o755))
	t.Setenv("PATH", dir)
}

const pride = `{"title":"Pride and Prejudice","author":"Jane Austen","isbn":"9780486284736","publisher":"Dover Publications","published_year":1995,"confidence":0.98,
	"description":"Elizabeth Bennet and Mr. Darcy learn, over five sisters' worth of balls and misjudgements, how wrong a first impression can be."}`

func TestKnownCover(t *testing.T) {
	without(t)
	for _, f := range []cover.Format{cover.PNG, cover.JPEG} {
		d := newDesk(t, drawn(t, cover.Samples()[0], f))
		require.NoError(t, d.say(reader.Prompt))
		d.metadataIs(pride)
		require.Equal(t, []string{"scan_barcode", "read_cover", "check_isbn", "look_up_book"}, d.calls[:4])
		require.Equal(t, slices.Repeat([]string{"set_field"}, 7), d.calls[4:])
		require.Contains(t, d.text, "a program that follows fixed steps, not a language model")
		require.Contains(t, d.text, "tesseract is not installed")
		require.Contains(t, d.text, "“Pride and Prejudice” by Jane Austen")
		require.NotContains(t, d.text, "could not find")
	}
}

// In a long conversation about one upload, earlier results are neither forgotten nor repeated.
func TestRefinements(t *testing.T) {
	with(t, "PRIDE AND\nPREJUDICE\n\nJANE AUSTEN\n\n")
	d := newDesk(t, drawn(t, cover.Samples()[0], cover.PNG))
	require.NoError(t, d.say("What is this?"), "the first message reads the cover, whatever it says")
	d.metadataIs(pride)

	require.NoError(t, d.say("The author is Miss J. Austen."))
	require.Equal(t, []string{"set_field"}, d.calls)
	require.Equal(t, "The author is now “Miss J. Austen”.", d.text)
	require.Equal(t, "Miss J. Austen", *d.metadata.Author)

	require.NoError(t, d.say("it was published in 1996 by Dover Thrift and the title is “Pride & Prejudice”"))
	require.Equal(t, []string{"set_field", "set_field", "set_field"}, d.calls)
	require.Equal(t, []any{1996, "Dover Thrift", "Pride & Prejudice"}, []any{*d.metadata.PublishedYear, *d.metadata.Publisher, *d.metadata.Title})

	require.NoError(t, d.say("lovely weather today"))
	require.Empty(t, d.calls)
	require.Contains(t, d.text, "did not understand")
	require.Contains(t, d.text, "the title “Pride & Prejudice”")

	require.NoError(t, d.say("No, the ISBN is 0-486-43215-7"))
	require.Equal(t, []string{"check_isbn", "look_up_book"}, d.calls[:2])
	require.Equal(t, []string{"Moby-Dick", "0486432157"}, []string{*d.metadata.Title, *d.metadata.ISBN})

	before := d.metadata.Canonical()
	require.NoError(t, d.say("sorry, 9780486284737"))
	require.Equal(t, []string{"check_isbn"}, d.calls)
	require.Contains(t, d.text, "has the wrong last digit: after 978048628473 comes 6")
	require.Equal(t, string(before), string(d.metadata.Canonical()))

	require.NoError(t, d.say("then 978-1-234-56789-7"))
	require.Equal(t, "9781234567897", *d.metadata.ISBN)
	require.Contains(t, d.text, "The catalogue does not have the ISBN 9781234567897.")
	require.Contains(t, d.text, "stays as it was: the title, the author, the publisher, the year and the description.")

	require.NoError(t, d.say("the year is 1066 and the description is "+strings.Repeat("long ", 900)))
	require.Contains(t, d.text, "I could not set the description")
	require.Equal(t, 1066, *d.metadata.PublishedYear)

	require.NoError(t, d.say("please read the cover again"))
	require.Equal(t, "scan_barcode", d.calls[0])
	require.Contains(t, d.text, "I read the cover again.")
	d.metadataIs(pride)

	for i := range 20 {
		require.NoError(t, d.say(fmt.Sprintf("the title is Volume %d", i)))
		require.Equal(t, fmt.Sprintf("Volume %d", i), *d.metadata.Title)
	}
	ids := make(map[string]bool)
	for _, turn := range d.history.Turns {
		for _, m := range turn.Messages {
			for _, p := range m.Parts {
				if p.Use != nil {
					require.False(t, ids[p.Use.ID], "ids are never used twice")
					ids[p.Use.ID] = true
				}
			}
		}
	}
}

func TestUnknownCover(t *testing.T) {
	unknown := drawn(t, cover.Samples()[2], cover.PNG)
	t.Run("without OCR", func(t *testing.T) {
		without(t)
		d := newDesk(t, unknown)
		require.NoError(t, d.say(reader.Prompt))
		d.metadataIs(`{"isbn":"9781234567897","confidence":0.4}`)
		require.Contains(t, d.text, "The catalogue does not have the ISBN 9781234567897")
		require.Contains(t, d.text, "I could not find the title, the author, the publisher, the year and the description.")
	})
	t.Run("with OCR", func(t *testing.T) {
		with(t, "THE\nLAMPLIGHTER'S\nALMANAC\n\nORLA VANE\n\nISBN 978-1234567897\n9 ill (|\n\f")
		d := newDesk(t, unknown)
		require.NoError(t, d.say(reader.Prompt))
		d.metadataIs(`{"title":"The Lamplighter's Almanac","author":"Orla Vane","isbn":"9781234567897","confidence":0.5}`)
		require.Equal(t, []string{"scan_barcode", "read_cover", "check_isbn", "look_up_book", "look_up_book"}, d.calls[:5])
		require.Contains(t, d.text, "a guess from the text on the cover")
		require.Contains(t, d.text, "I could not find the publisher, the year and the description.")
	})
	t.Run("with an ISBN in the first message", func(t *testing.T) {
		without(t)
		d := newDesk(t, unknown)
		require.NoError(t, d.say("I know that it is 9780486432151, and the publisher is Somebody"))
		require.Equal(t, "Moby-Dick", *d.metadata.Title, "what is typed comes first")
		require.Equal(t, "Somebody", *d.metadata.Publisher)
	})
}

func TestNoBarcode(t *testing.T) {
	s := cover.Samples()[1]
	s.ISBN = "4006381333931" // the barcode of something else
	photo := drawn(t, s, cover.JPEG)
	t.Run("found by its title", func(t *testing.T) {
		with(t, "M0BY-DICK\n\nHERMAN MELVlLLE\n")
		d := newDesk(t, photo)
		require.NoError(t, d.say(reader.Prompt))
		require.Equal(t, "Moby-Dick", *d.metadata.Title)
		require.Nil(t, d.metadata.Publisher, "it may be another edition")
		require.Nil(t, d.metadata.ISBN)
		require.Contains(t, d.text, "it is not a book's number")
		require.Contains(t, d.text, "another edition")
	})
	t.Run("found by a printed ISBN", func(t *testing.T) {
		with(t, "MOBY-DICK\n\nISBN 978-0-486-43215-1\n")
		d := newDesk(t, photo)
		require.NoError(t, d.say(reader.Prompt))
		require.Equal(t, []any{"9780486432151", 0.95}, []any{*d.metadata.ISBN, *d.metadata.Confidence})
	})
	t.Run("nothing at all", func(t *testing.T) {
		with(t, "|| ~~ 4\n")
		d := newDesk(t, photo)
		require.NoError(t, d.say(reader.Prompt))
		require.True(t, d.metadata.IsZero())
		require.Contains(t, d.text, "I could not find the title, the author, the ISBN")
		require.NoError(t, d.say("title: Moby-Dick; author: Herman Melville"))
		d.metadataIs(`{"title":"Moby-Dick","author":"Herman Melville"}`)
	})
}

func TestCoverThatDisagrees(t *testing.T) {
	with(t, "A HANDBOOK OF QUIET GARDENS\n\nSOMEBODY ELSE\n")
	d := newDesk(t, drawn(t, cover.Samples()[0], cover.PNG))
	require.NoError(t, d.say(reader.Prompt))
	require.InDelta(t, 0.6, *d.metadata.Confidence, 1e-9)
	require.Contains(t, d.text, "check whether the barcode belongs to this book")
}

// A file that is not an image ends the run. After a failed run the conversation continues.
func TestNoImage(t *testing.T) {
	without(t)
	png := drawn(t, cover.Samples()[0], cover.PNG)
	for _, file := range [][]byte{[]byte("not an image"), png[:len(png)/2], {}} {
		d := newDesk(t, file)
		err := d.say(reader.Prompt)
		var re *agent.RunError
		require.ErrorAs(t, err, &re)
		require.Equal(t, agent.Code("not_an_image"), re.Code)
		require.False(t, re.Retryable)
		require.Regexp(t, `PNG|empty`, re.Message)

		d.history = re.Done.History
		require.Error(t, d.say("the title is Emma"), "the cover was never read, so it is tried again")
	}
}

// stub is a set in which tools of the real names answer as the test says.
func stub(t *testing.T, answers map[string]func() (tools.Result, error)) tools.Set {
	t.Helper()
	type in struct {
		ISBN   string `json:"isbn,omitempty"`
		Title  string `json:"title,omitempty"`
		Author string `json:"author,omitempty"`
		Field  string `json:"field,omitempty"`
		Value  string `json:"value,omitempty"`
	}
	var all []*tools.Tool
	for name, f := range answers {
		tool, err := tools.New(name, "stub", func(context.Context, *tools.Call, in) (tools.Result, error) { return f() })
		require.NoError(t, err)
		all = append(all, tool)
	}
	return tools.Of(all...)
}

// For all results and any set of tools, the run ends within its bounds and with a text.
func TestHostileTools(t *testing.T) {
	t.Parallel()
	text := func(s string) func() (tools.Result, error) {
		return func() (tools.Result, error) { return tools.Result{Blocks: []tools.Block{{Text: s}}}, nil }
	}
	fails := func() (tools.Result, error) { return tools.Result{}, fmt.Errorf("broken") }
	corrects := func() (tools.Result, error) { return tools.Result{}, tools.Correct("not like that.") }
	isbn := text(`{"found":true,"digits":"9780486284736","isbn":"9780486284736"}`)
	names := []string{"scan_barcode", "read_cover", "check_isbn", "look_up_book", "set_field"}
	for title, f := range map[string]func() (tools.Result, error){
		"fail": fails, "correct": corrects, "talk": text("hello"), "null": text("null"), "number": text("7"), "empty": text(""),
		"lists": text(`[1,2]`), "types": text(`{"found":"yes","lines":7,"valid":1,"book":[]}`), "found nothing": text(`{"found":true}`),
		"book of nothing": text(`{"found":true,"matched_by":"isbn","book":{}}`),
		"all at once":     text(`{"found":true,"isbn":"9780486284736","available":true,"lines":["A BOOK","","A NAME"],"valid":true,"book":{"title":"T"},"field":"title","value":3}`),
	} {
		for skip := range len(names) + 1 {
			answers := make(map[string]func() (tools.Result, error))
			for i, n := range names {
				if i != skip {
					answers[n] = f
				}
			}
			_, s := landed(t, nil)
			d := deskWith(t, s, stub(t, answers))
			require.NoError(t, d.say(reader.Prompt), title)
			require.NotEmpty(t, d.text)
			require.Less(t, len(d.calls), 16)
			require.NoError(t, d.say("isbn 978-0-486-28473-6, title: Emma"), title)
			require.NoError(t, d.say("read it again"), title)

			// The barcode works, everything else does not.
			if skip != 0 {
				answers["scan_barcode"] = isbn
				d := deskWith(t, s, stub(t, answers))
				require.NoError(t, d.say(reader.Prompt), title)
			}
		}
	}
	_, s := landed(t, nil)
	d := deskWith(t, s, tools.Of())
	require.NoError(t, d.say(reader.Prompt))
	require.NotEmpty(t, d.text)
}

// The results come back over a wire that may turn JSON into text; and a history may have lost its beginning.
func TestResultsAsText(t *testing.T) {
	t.Parallel()
	use := func(id, name, input string) agent.Message {
		return agent.Message{Role: agent.RoleAssistant, Parts: []agent.Part{{Use: &agent.ToolUse{ID: id, Name: name, Input: json.RawMessage(input)}}}}
	}
	gave := func(id, text string, more ...agent.Part) agent.Message {
		r := agent.Part{Result: &agent.ToolResult{ID: id, Result: tools.Result{Blocks: []tools.Block{{Text: text}}}}}
		return agent.Message{Role: agent.RoleUser, Parts: append([]agent.Part{r}, more...)}
	}
	req := &agent.Request{
		Tools: []tools.Spec{{Name: "scan_barcode"}, {Name: "read_cover"}, {Name: "check_isbn"}},
		Messages: []agent.Message{
			{Role: agent.RoleUser, Parts: []agent.Part{{Text: "a run that failed"}}},
			use("call-1", "scan_barcode", `{}`),
			gave("call-1", `{"found":false}`, agent.Part{Text: reader.Prompt}),
			use("call-2", "scan_barcode", `{}`),
			gave("call-2", `{"found":true,"isbn":"9780486284736","digits":"9780486284736"}`),
			use("call-3", "read_cover", `{}`),
			gave("call-3", `{"available":false}`),
		},
	}
	var uses []agent.ToolUse
	var stops []agent.StopReason
	for d, err := range reader.New(&reader.Options{Pace: -1}).Stream(t.Context(), req) {
		require.NoError(t, err)
		switch d := d.(type) {
		case agent.UsePart:
			uses = append(uses, d.ToolUse)
		case agent.StopPart:
			stops = append(stops, d.Reason)
		}
	}
	require.Equal(t, []agent.StopReason{agent.StopToolUse}, stops)
	require.Len(t, uses, 1)
	require.Equal(t, "call-4", uses[0].ID)
	require.JSONEq(t, `{"isbn":"9780486284736"}`, string(uses[0].Input))
}

func TestPaceAndCancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		req := &agent.Request{Messages: []agent.Message{{Role: agent.RoleUser, Parts: []agent.Part{{Text: reader.Prompt}}}}}
		m := reader.New(&reader.Options{Pace: time.Second})
		begin, n := time.Now(), 0
		for d, err := range m.Stream(t.Context(), req) {
			require.NoError(t, err)
			if p, ok := d.(agent.TextDelta); ok {
				n++
				require.NotEmpty(t, p.Text)
				require.LessOrEqual(t, strings.Count(p.Text, " "), 1, "a word at a time")
			}
		}
		require.Greater(t, n, 10)
		require.Equal(t, time.Duration(n)*time.Second, time.Since(begin))

		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		var last error
		n = 0
		for _, err := range m.Stream(ctx, req) {
			n++
			last = err
		}
		require.Equal(t, 3, n, "two words, then the error")
		require.ErrorIs(t, last, context.DeadlineExceeded)

		for range m.Stream(t.Context(), req) {
			break // nothing is left behind: synctest would tell
		}
	})
}
