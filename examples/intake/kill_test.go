package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/sample"
)

// The next process continues the run of a killed one, the client's stream continues, and the report is recorded once.
func TestAKilledServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, kill := begin(t, dir)
	ann := s.as("acme", "ann")
	content, counts := generate(t, sample.Options{Kind: kinds.Inventory, Rows: 60_000, Seed: 3})
	id := ann.upload("stock.csv", content)
	callOf := func(tool string) func([]event) bool {
		return func(events []event) bool {
			last := events[len(events)-1]
			return last.Type == "tool_call" && strings.Contains(string(last.sse.Data), `"name":"`+tool+`"`)
		}
	}
	run, before := ann.chat(map[string]any{"file_id": id}, callOf("sample"))
	kill(syscall.SIGKILL)
	s, kill = begin(t, dir)
	ann = &site{t, s.url, s.pid, ann.token} // a token survives too
	more := ann.followUntil(run, before[len(before)-1].id, callOf("profile_file"))
	kill(syscall.SIGKILL)
	s, kill = begin(t, dir)
	ann = &site{t, s.url, s.pid, ann.token}
	rest := ann.follow(run, more[len(more)-1].id)
	require.Equal(t, "finished", rest[len(rest)-1].Type)
	for name, text := range map[string]string{
		"the stream of the client": textOf(slices.Concat(before, more, rest)), "the log": textOf(ann.follow(run, "")),
	} {
		require.Equal(t, 1, strings.Count(text, "The profile is recorded."), "%s: %s", name, text)
		require.Equal(t, 1, strings.Count(text, "This looks like inventory."), "%s: %s", name, text)
	}
	_, out := ann.get("/api/files/" + id)
	require.Equal(t, "confirmed", out["file"].(map[string]any)["step"])
	report := out["report"].(map[string]any)
	require.EqualValues(t, counts.Rows, report["profile"].(map[string]any)["rows"])
	kill(os.Interrupt)
}

// A run that is stopped leaves a file that can be taken in again.
func TestAStoppedRun(t *testing.T) {
	t.Parallel()
	s, _ := begin(t, t.TempDir())
	id := s.upload("a.csv", []byte("sku,on_hand,warehouse\nSKU-1,5,W\n"))
	run, _ := s.chat(map[string]any{"file_id": id}, func(events []event) bool { return events[len(events)-1].Type == "text_delta" })
	status, out := s.post("/api/chat", map[string]any{"file_id": id})
	require.Equal(t, 409, status, "another run takes in the file")
	require.Equal(t, "This file is being read already.", out["detail"])
	chat, _, _ := strings.Cut(run, ".")
	status, out = s.post("/api/chat", map[string]any{"chat_id": chat, "message": "list my files"})
	require.Equal(t, 409, status)
	require.Equal(t, "This chat is still being answered.", out["detail"])
	status, out = s.post("/api/runs/"+run+"/stop", map[string]any{})
	require.Equal(t, 200, status)
	require.Equal(t, "stopping", out["status"])
	rest := s.follow(run, "")
	var end struct{ Outcome string }
	require.NoError(t, json.Unmarshal(rest[len(rest)-1].sse.Data, &end))
	require.Equal(t, "stopped", end.Outcome)
	_, out = s.get("/api/files/" + id)
	require.Equal(t, true, out["file"].(map[string]any)["can_take_in"], out)
	require.Equal(t, "stopped", out["file"].(map[string]any)["state"], out)
	_, events := s.chat(map[string]any{"file_id": id, "chat_id": chat}, nil)
	require.Contains(t, textOf(events), "The profile is recorded.")
	_, out = s.get("/api/chat/" + chat)
	require.Len(t, out["runs"], 2)
	require.Equal(t, false, out["running"])
	for out["status"] != "ended" { // its events end before its record does
		status, out = s.post("/api/runs/"+run+"/stop", map[string]any{})
		require.Equal(t, 200, status)
	}
}
