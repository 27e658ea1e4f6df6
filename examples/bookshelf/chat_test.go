package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
	"github.com/carrel-go/carrel/internal/transcript"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
)

// accepted uploads a photo, has it read and accepts the result.
func (s *shelf) accepted(photo []byte) (id string, metadata map[string]any) {
	s.t.Helper()
	id = s.upload("cover.png", "image/png", photo)
	events, _ := s.extract(id, "")
	metadata, _ = last(events)["metadata"].(map[string]any)
	require.NotEmpty(s.t, metadata)
	status, answer := s.json("POST", "/api/metadata/accept", map[string]any{"session_id": id, "metadata": metadata})
	require.Equal(s.t, http.StatusOK, status, answer)
	return id, metadata
}

// send sends a request and returns the response, whose body the caller closes. It repeats a request
// that the server is too busy to answer. It may fail because the server is killed.
func (s *shelf) send(method, path, body string, header ...string) (*http.Response, error) {
	s.t.Helper()
	for tries := 1; ; tries++ {
		req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
		require.NoError(s.t, err)
		if s.token != "" {
			req.Header.Set("Authorization", s.token)
		}
		if body != "" {
			req.Header.Set("Content-Type", "application/json")
		}
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil || res.StatusCode != http.StatusServiceUnavailable || tries == 50 {
			return res, err
		}
		_ = res.Body.Close()
		time.Sleep(100 * time.Millisecond)
	}
}

// say sends a message and returns the run that answers it.
func (s *shelf) say(chat, message string) (run string) {
	s.t.Helper()
	res, err := s.send("POST", "/api/chat", fmt.Sprintf(`{"chat_id":%q,"message":%q}`, chat, message))
	require.NoError(s.t, err)
	defer res.Body.Close()
	require.Equal(s.t, http.StatusOK, res.StatusCode)
	return runIn(res)
}

func runIn(res *http.Response) string {
	return strings.TrimSuffix(strings.TrimPrefix(res.Header.Get("Location"), "/api/runs/"), "/events")
}

// read appends what the server sends of a run's events, until there are most. It reports whether the last one is there.
func (s *shelf) read(run string, events *[]sse.Event, most int) bool {
	s.t.Helper()
	after := ""
	if n := len(*events); n > 0 {
		if isEnd((*events)[n-1]) {
			return true
		}
		after = (*events)[n-1].ID
	}
	res, err := s.send("GET", "/api/runs/"+run+"/events", "", "Last-Event-ID", after)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	require.Equal(s.t, http.StatusOK, res.StatusCode)
	for e, err := range sse.Decode(res.Body, 0) {
		if err != nil {
			return false
		}
		if *events = append(*events, e); isEnd(e) || len(*events) == most {
			return isEnd(e)
		}
	}
	return false
}

// isEnd reports whether the event is the last one of a run.
func isEnd(e sse.Event) bool { return isTerminal(e) || kindOf(e) == "pending" }

// told returns the events of a run that ends. It begins with those that the client has.
func (s *shelf) told(run string, events ...sse.Event) []sse.Event {
	s.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !s.read(run, &events, math.MaxInt) {
		require.True(s.t, time.Now().Before(deadline), "%s has not ended after %d events", run, len(events))
		time.Sleep(20 * time.Millisecond)
	}
	return events
}

// answer sends a message and returns what a client shows of the answer.
func (s *shelf) answer(chat, message string) transcript.Transcript {
	s.t.Helper()
	return shown(s.t, s.told(s.say(chat, message)))
}

// shown returns what a client shows of runs, of which each continues the one before.
func shown(t *testing.T, runs ...[]sse.Event) transcript.Transcript {
	t.Helper()
	logs := make([][]replay.Event, len(runs))
	for i, events := range runs {
		for _, e := range events {
			data := e.Data
			if kindOf(e) == "pending" { // as the log has it
				data = []byte(`{"type":"finished","outcome":"pending"}`)
			}
			logs[i] = append(logs[i], replay.Event{ID: e.ID, Data: data})
		}
	}
	out, err := transcript.FromLog(logs...)
	require.NoError(t, err)
	return out
}

// decide decides on the only approval that the events ask for, and returns the run that continues.
func (s *shelf) decide(run string, events []sse.Event, approved bool) string {
	s.t.Helper()
	i := slices.IndexFunc(events, func(e sse.Event) bool { return kindOf(e) == "approval_requested" })
	require.GreaterOrEqual(s.t, i, 0)
	var asked struct {
		ID string `json:"approval_id"`
	}
	require.NoError(s.t, json.Unmarshal(events[i].Data, &asked))
	res, err := s.send("POST", "/api/runs/"+run+"/approvals/"+asked.ID, fmt.Sprintf(`{"approved":%t}`, approved))
	require.NoError(s.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	require.Equal(s.t, http.StatusOK, res.StatusCode, string(body))
	return runIn(res)
}

// shares returns the number of shared books.
func (s *shelf) shares() int {
	s.t.Helper()
	_, overview := s.json("GET", "/api/bookshelf/overview", nil)
	return int(overview["shared"].(float64))
}

// The whole way on this machine, without AWS: the offline reader lists the accepted books in a chat, and shares one when
// the librarian has approved it. A colleague sees it with its photo, and another tenant does not.
func TestAChatAboutTheBooks(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), nil)
	ann := s.forUser("acme", "ann", "librarian")
	photo := drawn(t, cover.Samples()[0], nil)
	id, metadata := ann.accepted(photo)
	title := metadata["title"].(string)

	run := ann.say("", "Which books do I have?")
	chat := strings.TrimSuffix(run, ".1")
	require.Contains(t, shown(t, ann.told(run)).Text, "1. “"+title+"”")
	ask := ann.say(chat, "Please share the first one with my colleagues.")
	asked := ann.told(ask)
	require.Equal(t, "share_book", shown(t, asked).Calls[0].Name)
	require.Zero(t, ann.shares())
	next := ann.decide(ask, asked, true)
	require.Contains(t, shown(t, asked, ann.told(next)).Text, "All colleagues can see “"+title+"”")
	require.Equal(t, 1, ann.shares())
	again := ann.answer("", "share "+title).Text
	require.Contains(t, again, "All colleagues can see “"+title+"”")
	require.NotContains(t, again, "I ask whether", "it is shared already, so nobody is asked")

	bob, eve := s.forUser("acme", "bob"), s.forUser("globex", "ann", "librarian")
	require.Contains(t, bob.answer("", "list the books").Text, "shared by a colleague")
	require.Contains(t, eve.answer("", "list the books").Text, "I found no books.")
	for who, want := range map[*shelf]int{ann: http.StatusOK, bob: http.StatusOK, eve: http.StatusNotFound} {
		status, book := who.json("GET", "/api/bookshelf/"+id, nil)
		require.Equal(t, want, status)
		if status != http.StatusOK {
			continue
		}
		row := book["book"].(map[string]any)
		status, got := s.do("GET", row["photo_url"].(string), "", nil, nil)
		require.Equal(t, http.StatusOK, status, got)
		require.Equal(t, string(photo), got)
		require.Equal(t, metadata, row["metadata"])
	}
	require.Contains(t, bob.answer("", "tell me about "+title).Text, title)
	refusal := bob.answer("", "share "+title).Text
	require.Contains(t, refusal, "Only librarians may share books. Please ask one of them.")
	require.NotContains(t, refusal, "approval")
}

// A process is killed at random moments of chats and of approvals. A client shows each chat once, and each
// approval that was given is honoured once.
func TestChatsSurviveKills(t *testing.T) {
	t.Parallel()
	kills := 6
	if testing.Short() {
		kills = 3
	}
	dir := t.TempDir()
	s, kill := child(t, dir, nil)
	s = s.forUser("acme", "ann", "librarian")
	restart := func() {
		kill(syscall.SIGKILL)
		s, kill = child(t, dir, nil)
		s = s.forUser("acme", "ann", "librarian") // the address of the issuer is another one
	}
	id, _ := s.accepted(drawn(t, cover.Samples()[0], nil))
	run := s.say("", "list my books")
	chat := strings.TrimSuffix(run, ".1")
	whole := s.told(run)
	want, before := shown(t, whole).Text, len(whole)
	retractions := 0
	for i := range kills {
		run := s.say(chat, "list my books")
		var events []sse.Event
		s.read(run, &events, 1+rand.IntN(before-1)*min(i, 1)) // the first kill hits a run that has just begun
		restart()
		got := shown(t, s.told(run, events...))
		require.Equal(t, want, got.Text)
		retractions += got.Retractions

		correction := fmt.Sprintf(`{"version":%d,"metadata":{"title":"Version %d"}}`, i+1, i+2)
		status, answer := s.do("PUT", s.url+"/api/bookshelf/"+id, "application/json", []byte(correction), nil)
		require.Equal(t, http.StatusOK, status, answer)
		want = shown(t, s.told(s.say(chat, "list my books"))).Text
		require.Contains(t, want, fmt.Sprintf("Version %d", i+2))

		ask := s.say(chat, fmt.Sprintf("share Version %d", i+2))
		asked := s.told(ask)
		next := s.decide(ask, asked, true)
		time.Sleep(rand.N(150 * time.Millisecond))
		restart()
		require.Equal(t, next, s.decide(ask, asked, true), "the run that continues is the same")
		both := shown(t, asked, s.told(next))
		require.Len(t, both.Calls, 2) // the search and the share
		require.Contains(t, both.Calls[1].Summary, fmt.Sprintf("“Version %d” is shared", i+2))
		require.Contains(t, both.Text, "All colleagues can see")
		_, book := s.json("GET", "/api/bookshelf/"+id, nil)
		require.InDelta(t, i+2, book["book"].(map[string]any)["shared_version"], 0)
		require.Equal(t, 1, s.shares())
	}
	require.Positive(t, retractions, "no chat was hit")
	t.Logf("%d kills, %d retractions in chats", 2*kills, retractions)
	kill(syscall.SIGTERM)
}
