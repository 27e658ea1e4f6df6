package agenttest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

const (
	akia  = "AKIA" + "IOSFODNN7EXAMPLE"
	other = "AKIA" + "I44QH8DHBEXAMPLE"
)

// record gives a recorder around m, and the file.
func record(t testing.TB, m agent.Model, o *agenttest.RecordingOptions) (*agenttest.Recorder, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "conversation.json")
	r, err := agenttest.Record(m, path, o)
	require.NoError(t, err)
	agenttest.Verify(t, r)
	return r, path
}

func replay(t testing.TB, path string, o *agenttest.RecordingOptions) *agenttest.Player {
	t.Helper()
	p, err := agenttest.Replay(path, o)
	require.NoError(t, err)
	return p
}

// A run that is recorded, and the same run replayed: the same answer, the same history.
func TestRecordAndReplay(t *testing.T) {
	m, path := record(t, agenttest.Play(t,
		agenttest.Answer(agenttest.Say("I "), agenttest.Say("look."), agenttest.Call("c1", "count", `{"subject":"whales"}`), agenttest.Spent(9, 4)),
		agenttest.Answer(agenttest.Say("Three.")),
	), nil)
	want, err := run(t, m, "How many?")
	require.NoError(t, err)

	p := replay(t, path, nil)
	got, err := run(t, p, "How many?")
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.NoError(t, p.Err())

	_, err = run(t, p, "How many?")
	require.ErrorIs(t, err, agenttest.ErrOver)
	require.ErrorContains(t, p.Err(), "agenttest: turn 3: agenttest: the script is over")
}

func TestReplayOfAnotherRequest(t *testing.T) {
	m, path := record(t, agenttest.Play(t, agenttest.Answer(agenttest.Say("Three."))), nil)
	_, err := run(t, m, "How many?")
	require.NoError(t, err)

	p := replay(t, path, nil)
	_, err = run(t, p, "How few?")
	te, ok := errors.AsType[*agenttest.TurnError](err)
	require.True(t, ok)
	require.Equal(t, 1, te.Turn)
	diff, ok := errors.AsType[*agenttest.MismatchError](err)
	require.True(t, ok)
	require.Contains(t, diff.Diff, `-   "messages": [{"role": "user", "parts": [{"text": "How many?"}]}]`+"\n"+
		`+   "messages": [{"role": "user", "parts": [{"text": "How few?"}]}]`+"\n")
	require.Contains(t, diff.Diff, "lines are the same")
	require.ErrorContains(t, p.Err(), "0 of the script's 1 turns were played")
}

// The ways in which an answer ends.
func TestReplayOfEndings(t *testing.T) {
	throttled := &agent.ModelError{Code: agent.Throttled, Message: "Later.", Retryable: true, Err: errors.New("429")}
	synctest.Test(t, func(t *testing.T) {
		m, path := record(t, agenttest.Play(t, agenttest.Fail(throttled, agenttest.Say("a")), agenttest.Fail(errors.New("lost")),
			agenttest.Cut(agenttest.Say("b")), agenttest.Stall(agenttest.Say("c")), agenttest.Answer(agenttest.Say("d"), agenttest.Say("e"))), nil)
		for i := range 3 {
			for range m.Stream(t.Context(), ask(fmt.Sprint(i))) { //nolint:revive // drained
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		for range m.Stream(ctx, ask("3")) {
			cancel()
		}
		for range m.Stream(t.Context(), ask("4")) {
			break
		}

		p := replay(t, path, nil)
		got, err := collect(t, t.Context(), p, ask("0"))
		require.Equal(t, []agent.Delta{agenttest.Say("a")}, got)
		require.Equal(t, throttled, err)
		_, err = collect(t, t.Context(), p, ask("1"))
		require.EqualError(t, err, "lost")
		got, err = collect(t, t.Context(), p, ask("2"))
		require.Equal(t, []agent.Delta{agenttest.Say("b")}, got)
		require.NoError(t, err)
		ctx, cancel = context.WithCancel(t.Context())
		go func() { synctest.Wait(); cancel() }()
		got, err = collect(t, ctx, p, ask("3"))
		require.Equal(t, []agent.Delta{agenttest.Say("c")}, got)
		require.ErrorIs(t, err, context.Canceled) // itself, and not a recorded error of the same words
		got, err = collect(t, t.Context(), p, ask("4"))
		require.Equal(t, []agent.Delta{agenttest.Say("d")}, got)
		require.ErrorIs(t, err, agenttest.ErrLeft)
		require.NoError(t, p.Err())
	})
}

// Secrets that are other ones at the replay: what was the same is the same, and a secret that a result brought and
// the model repeated is the recorded one from then on.
func TestReplayWithOtherSecrets(t *testing.T) {
	ends := func(t *testing.T, m agent.Model, s1, s2, s3 string) error {
		req := ask("I have " + s1 + ", " + s1 + " and " + s2 + ".")
		d, err := collect(t, t.Context(), m, req)
		if err != nil {
			return err
		}
		said := d[0].(agent.TextPart).Text
		req.Messages = append(req.Messages, agent.Message{Role: agent.Assistant, Parts: []agent.Part{{Text: said}}},
			agent.Message{Role: agent.User, Parts: []agent.Part{{Text: "Really " + s3 + "?"}}})
		_, err = collect(t, t.Context(), m, req)
		return err
	}
	talk := func(t *testing.T, m agent.Model, s1, s2 string) error { return ends(t, m, s1, s2, s2) }
	m, path := record(t, agenttest.Play(t, agenttest.Answer(agenttest.Say("You have "+other+".")), agenttest.Answer()), nil)
	require.NoError(t, talk(t, m, akia, other))
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotContains(t, string(b), "EXAMPLE")
	require.Contains(t, string(b), "I have [redacted:access-key:1], [redacted:access-key:1] and [redacted:access-key:2].")
	require.Contains(t, string(b), "You have [redacted:access-key:2].")

	for _, keys := range [][2]string{{akia, other}, {other, akia}, {strings.Replace(akia, "OS", "XX", 1), other}} {
		p := replay(t, path, nil)
		require.NoError(t, talk(t, p, keys[0], keys[1]))
		require.NoError(t, p.Err())
	}
	require.Error(t, talk(t, replay(t, path, nil), akia, akia), "two secrets are not one")
	third := strings.Replace(akia, "OS", "YY", 1)
	_, err = collect(t, t.Context(), replay(t, path, nil), ask("I have "+akia+", "+third+" and "+other+"."))
	require.Error(t, err, "one secret is not two")
	require.Error(t, ends(t, replay(t, path, nil), akia, other, third), "nor is it another later on")
	p := replay(t, path, nil)
	_, err = collect(t, t.Context(), p, ask("I have "+akia+", "+other+" and "+other+"."))
	diff, ok := errors.AsType[*agenttest.MismatchError](err)
	require.True(t, ok)
	require.NotContains(t, diff.Diff, "EXAMPLE")
}

func TestReplayWithOwnRedactors(t *testing.T) {
	o := &agenttest.RecordingOptions{Redact: []agenttest.Redactor{{Kind: "day", Pattern: regexp.MustCompile(`\d{4}-\d\d-\d\d`)}}}
	m, path := record(t, agenttest.Play(t, agenttest.Answer()), o)
	_, err := collect(t, t.Context(), m, ask("It is 2026-01-02."))
	require.NoError(t, err)
	_, err = collect(t, t.Context(), replay(t, path, o), ask("It is 2031-12-31."))
	require.NoError(t, err)
	_, err = collect(t, t.Context(), replay(t, path, nil), ask("It is 2031-12-31."))
	require.Error(t, err, "without the redactor it is another day")
}

// Conversations at once: each is answered with its own, in whatever order.
func TestRecordAndReplayAtOnce(t *testing.T) {
	talk := func(m agent.Model) {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				q := fmt.Sprintf("%d at arn:aws:s3:us-east-1:%012d:x?", i, i)
				done, err := run(t, m, q)
				if err != nil || len(done.History.Turns) != 2 {
					t.Errorf("%s: %v", q, err)
				}
			})
		}
		wg.Wait()
	}
	m, path := record(t, agenttest.Func(func(_ context.Context, r *agent.Request) ([]agent.Delta, error) {
		if len(r.Messages) == 1 {
			return []agent.Delta{agenttest.Call("c", "count", `{"subject":"`+r.Messages[0].Parts[0].Text+`"}`)}, nil
		}
		return []agent.Delta{agenttest.Say(r.Messages[2].Parts[0].Result.Result.Blocks[0].Text)}, nil
	}), nil)
	talk(m)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotContains(t, string(b), "000000")
	p := replay(t, path, nil)
	talk(p)
	require.NoError(t, p.Err())
}

// Of an image the file has a digest: the same one is the same request, another is not.
func TestReplayOfMedia(t *testing.T) {
	m, path := record(t, agenttest.Actor(), nil)
	_, err := collect(t, t.Context(), m, agenttest.Ask(agenttest.Look, "alder"))
	require.NoError(t, err)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotContains(t, string(b), "PNG")
	require.NotContains(t, string(b), "It says alder.")

	_, err = collect(t, t.Context(), replay(t, path, nil), agenttest.Ask(agenttest.Look, "alder"))
	require.NoError(t, err)
	other := agenttest.Ask(agenttest.Look, "alder")
	other.Messages[0].Parts[0].Image.Bytes[60] ^= 1
	_, err = collect(t, t.Context(), replay(t, path, nil), other)
	require.ErrorContains(t, err, `+             "sha256":`)
}

// An object is known by its name: whose it is differs from run to run.
func TestReplayOfObjects(t *testing.T) {
	ask := func() *agent.Request {
		acme, err := scope.Tenant("acme")
		require.NoError(t, err)
		user, err := acme.User("u1")
		require.NoError(t, err)
		session, err := user.NewSession()
		require.NoError(t, err)
		root, err := object.New(object.NewMemory(), "raw", nil).In(session)
		require.NoError(t, err)
		ref, err := root.Ref("cover.png")
		require.NoError(t, err)
		r := agenttest.Ask(agenttest.Speak, "alder")
		r.Messages[0].Parts = append(r.Messages[0].Parts, agent.Part{Image: &tools.Media{Format: "png", Object: ref}},
			agent.Part{Text: r.Messages[0].Parts[0].Text})
		return r
	}
	m, path := record(t, agenttest.Actor(), nil)
	_, err := collect(t, t.Context(), m, ask())
	require.NoError(t, err)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(b), `{"image": {"format": "png", "object": "cover.png"}}`)
	require.NotContains(t, string(b), "acme")
	_, err = collect(t, t.Context(), replay(t, path, nil), ask())
	require.NoError(t, err)
}

func TestRecordRefuses(t *testing.T) {
	_, err := agenttest.Record(nil, "x", nil)
	require.ErrorContains(t, err, "nil")
	bad := &agenttest.RecordingOptions{Redact: []agenttest.Redactor{{Kind: "a b"}}}
	_, err = agenttest.Record(agenttest.Actor(), "x", bad)
	require.ErrorContains(t, err, "agenttest: redactor 0")

	r, err := agenttest.Record(agenttest.Actor(), filepath.Join(t.TempDir(), "missing", "x.json"), nil)
	require.NoError(t, err)
	_, err = collect(t, t.Context(), r, agenttest.Ask(agenttest.Speak, "alder"))
	require.NoError(t, err, "what is asked is answered")
	require.ErrorIs(t, r.Err(), os.ErrNotExist)

	_, err = agenttest.Replay(filepath.Join(t.TempDir(), "x.json"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	path := filepath.Join(t.TempDir(), "x.json")
	require.NoError(t, os.WriteFile(path, []byte(`{"agenttest":7}`), 0o600))
	_, err = agenttest.Replay(path, nil)
	require.ErrorContains(t, err, "version 7")
	require.NoError(t, os.WriteFile(path, []byte(`{"agenttest":1}`), 0o600))
	_, err = agenttest.Replay(path, bad)
	require.ErrorContains(t, err, "agenttest: redactor 0")
}

// A recording that nothing disturbs leaves one file.
func TestRecordLeavesNothingElse(t *testing.T) {
	m, path := record(t, agenttest.Actor(), nil)
	for range 3 {
		_, err := collect(t, t.Context(), m, agenttest.Ask(agenttest.Speak, "alder"))
		require.NoError(t, err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1)
}
