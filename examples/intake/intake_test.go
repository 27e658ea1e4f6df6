package main

import (
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/sample"
)

// A file is taken in, confirmed with a correction, shared, and answers questions of a colleague, but not of others.
func TestTheWayOfAFile(t *testing.T) {
	t.Parallel()
	s, kill := begin(t, t.TempDir())
	steward := s.as("acme", "ann", "steward")
	content, counts := generate(t, sample.Options{Kind: kinds.Suppliers, Rows: 40, Seed: 2})
	id, text := steward.takeIn("suppliers.csv", content)
	require.Contains(t, text, "This looks like suppliers")
	require.Contains(t, text, "40 rows")

	_, out := steward.get("/api/files/" + id)
	file, report := out["file"].(map[string]any), out["report"].(map[string]any)
	require.Equal(t, "suppliers", file["kind"])
	require.Equal(t, "confirmed", file["step"], "the next step")
	require.Equal(t, true, file["can_confirm"])
	profile := report["profile"].(map[string]any)
	require.EqualValues(t, counts.Rows, profile["rows"])
	version := report["version"]

	for _, c := range []struct {
		body   map[string]any
		status int
	}{
		{map[string]any{"version": 1}, http.StatusConflict},
		{map[string]any{"version": version, "kind": "potatoes"}, http.StatusBadRequest},
		{map[string]any{"version": version, "columns": []any{map[string]any{"name": "nowhere", "meaning": "x"}}}, http.StatusBadRequest},
		{map[string]any{"version": version, "tenant": "globex"}, http.StatusBadRequest},
		{map[string]any{"version": version, "columns": []any{
			map[string]any{"name": "rating", "meaning": "x"}, map[string]any{"name": "rating", "meaning": "y"},
		}}, http.StatusBadRequest},
	} {
		status, problem := steward.post("/api/files/"+id+"/confirm", c.body)
		require.Equal(t, c.status, status, problem)
	}
	status, problem := steward.post("/api/files/"+id+"/share", map[string]any{})
	require.Equal(t, http.StatusConflict, status, problem)
	correction := map[string]any{"version": version, "columns": []any{map[string]any{"name": "rating", "meaning": "stars <b>of</b> five"}}}
	status, out = steward.post("/api/files/"+id+"/confirm", correction)
	require.Equal(t, http.StatusOK, status, out)
	require.Equal(t, "done", out["file"].(map[string]any)["step"])
	report = out["report"].(map[string]any)
	require.Equal(t, true, report["corrected"])
	require.Equal(t, "stars <b>of</b> five", report["meanings"].(map[string]any)["rating"])
	status, problem = steward.post("/api/files/"+id+"/confirm", correction)
	require.Equal(t, http.StatusConflict, status, problem)
	require.Contains(t, problem["detail"], "confirmed already", "the version that was confirmed")

	correction["version"], correction["kind"] = report["version"], "products"
	status, problem = steward.post("/api/files/"+id+"/confirm", correction)
	require.Equal(t, http.StatusConflict, status, problem)
	require.Contains(t, problem["detail"], "confirmed already")

	status, problem = steward.post("/api/files/"+id+"/delete", map[string]any{})
	require.Equal(t, http.StatusConflict, status, problem)

	colleague, stranger := s.as("acme", "ben"), s.as("globex", "ann", "steward")
	status, problem = colleague.post("/api/files/"+id+"/share", map[string]any{})
	require.Equal(t, http.StatusNotFound, status, problem)
	own, _ := colleague.takeIn("mine.csv", content)
	status, problem = colleague.post("/api/files/"+own+"/share", map[string]any{})
	require.Equal(t, http.StatusForbidden, status, problem)
	status, out = steward.post("/api/files/"+id+"/share", map[string]any{})
	require.Equal(t, http.StatusOK, status, out)

	_, out = steward.get("/api/files")
	require.Empty(t, out["shared"], "the steward has the file")
	require.Equal(t, true, out["files"].([]any)[0].(map[string]any)["is_shared"])
	_, events := steward.chat(map[string]any{"message": "how many suppliers"}, nil)
	require.NotContains(t, textOf(events), "2 files")

	orders, _ := generate(t, sample.Options{Kind: kinds.PurchaseOrders, Format: sample.JSONLines, Rows: 300, Seed: 2})
	colleague.takeIn("orders.jsonl", orders)
	_, events = colleague.chat(map[string]any{"message": "total quantity by supplier in purchase orders"}, nil)
	require.Contains(t, textOf(events), "supplier_name")
	require.Contains(t, textOf(events), "total quantity")
	_, out = colleague.get("/api/files")
	require.Len(t, out["files"], 2)
	require.Len(t, out["shared"], 1)

	for _, path := range []string{"/api/files/" + id, "/api/files/" + own} {
		status, problem = stranger.get(path)
		require.Equal(t, http.StatusNotFound, status, problem)
		status, _ = stranger.post(path+"/confirm", map[string]any{"version": version})
		require.Equal(t, http.StatusNotFound, status)
		status, _ = stranger.post(path+"/share", map[string]any{})
		require.Equal(t, http.StatusNotFound, status)
	}
	_, out = stranger.get("/api/files")
	require.Empty(t, out["files"])
	require.Empty(t, out["shared"])
	kill(syscall.SIGTERM)
}

// A driver of S3 buffers at most 8 MiB of a body that it cannot read twice.
func TestALargeFileIsShared(t *testing.T) {
	t.Parallel()
	s, _ := begin(t, t.TempDir())
	steward := s.as("acme", "ann", "steward")
	row := "SKU-1,5," + strings.Repeat("w", 900) + "\n"
	id, _ := steward.takeIn("large.csv", []byte("sku,on_hand,warehouse\n"+strings.Repeat(row, 9<<20/len(row)+1)))
	_, out := steward.get("/api/files/" + id)
	version := out["report"].(map[string]any)["version"]
	status, out := steward.post("/api/files/"+id+"/confirm", map[string]any{"version": version})
	require.Equal(t, http.StatusOK, status, out)
	status, out = steward.post("/api/files/"+id+"/share", map[string]any{})
	require.Equal(t, http.StatusOK, status, out)
	_, events := s.as("acme", "ben").chat(map[string]any{"message": "how many rows in large.csv"}, nil)
	require.Contains(t, textOf(events), "10,382", "rows")
}

// The chats, runs and uploads of others have the same answers as ids that do not exist.
func TestOthersAndNothingAreTheSame(t *testing.T) {
	t.Parallel()
	s, _ := begin(t, t.TempDir())
	ann := s.as("acme", "ann")
	id, _ := ann.takeIn("a.csv", []byte("sku,on_hand,warehouse\nSKU-1,5,W\n"))
	run, _ := ann.chat(map[string]any{"message": "list my files"}, nil)
	chat, _, _ := strings.Cut(run, ".")
	const nobody = "0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f"
	for _, who := range []*site{s.as("acme", "eve"), s.as("globex", "ann"), s} {
		for _, path := range []string{
			"GET /api/files/{file}", "GET /api/chat/{chat}", "GET /api/runs/{run}/events", "POST /api/runs/{run}/stop",
			"GET /api/runs/{run}/results/call-1", "POST /api/uploads/{file}/complete", "POST /api/uploads/{file}/abort",
			"POST /api/uploads/{file}/parts/1", "POST /api/files/{file}/confirm", "POST /api/files/{file}/share",
			"POST /api/files/{file}/delete",
		} {
			method, path, _ := strings.Cut(path, " ")
			ask := func(file, chat, run string) (int, map[string]any) {
				at := strings.NewReplacer("{file}", file, "{chat}", chat, "{run}", run).Replace(path)
				return who.request(method, at, map[string]any{})
			}
			status, theirs := ask(id, chat, run)
			require.Equal(t, http.StatusNotFound, status, path)
			_, nothing := ask(nobody, nobody, nobody+".1")
			require.Equal(t, nothing, theirs, path)
		}
		for _, body := range []map[string]any{{"file_id": id}, {"message": "hello", "chat_id": chat}} {
			status, _ := who.post("/api/chat", body)
			require.Equal(t, http.StatusNotFound, status)
		}
	}
}

func TestWrongRequests(t *testing.T) {
	t.Parallel()
	s, _ := begin(t, t.TempDir())
	for name, c := range map[string]struct {
		path   string
		body   any
		status int
	}{
		"no name":        {"/api/uploads", map[string]any{"size": 1}, http.StatusBadRequest},
		"no size":        {"/api/uploads", map[string]any{"name": "a.csv"}, http.StatusBadRequest},
		"too large":      {"/api/uploads", map[string]any{"name": "a.csv", "size": int64(1) << 40}, http.StatusRequestEntityTooLarge},
		"path":           {"/api/uploads", map[string]any{"name": "../a.csv", "size": 1}, http.StatusBadRequest},
		"large and path": {"/api/uploads", map[string]any{"name": "../a.csv", "size": 1 << 30}, http.StatusBadRequest},
		"tenant":         {"/api/uploads", map[string]any{"name": "a.csv", "size": 1, "tenant": "x"}, http.StatusBadRequest},
		"no message":     {"/api/chat", map[string]any{}, http.StatusBadRequest},
		"blank":          {"/api/chat", map[string]any{"message": " \n"}, http.StatusBadRequest},
		"long":           {"/api/chat", map[string]any{"message": strings.Repeat("x", 4001)}, http.StatusRequestEntityTooLarge},
		"no file":        {"/api/chat", map[string]any{"file_id": "x"}, http.StatusNotFound},
		"a list":         {"/api/chat", []int{1}, http.StatusBadRequest},
		"role":           {"/api/dev/token", map[string]any{"tenant": "a", "user": "b", "roles": []string{"root"}}, http.StatusBadRequest},
	} {
		status, out := s.post(c.path, c.body)
		require.Equal(t, c.status, status, "%s: %v", name, out)
		require.NotEmpty(t, out["detail"], name)
	}
	// A file that is granted but was not uploaded.
	_, out := s.post("/api/uploads", map[string]any{"name": "a.csv", "size": 1})
	status, problem := s.post("/api/chat", map[string]any{"file_id": out["id"]})
	require.Equal(t, http.StatusConflict, status, problem)
	require.Equal(t, "The file has not arrived yet.", problem["detail"])
	status, problem = s.post("/api/files/"+out["id"].(string)+"/delete", map[string]any{})
	require.Equal(t, http.StatusConflict, status, problem)
	// A message in the words of a run that takes a file in.
	named := s.upload("named.csv", []byte("sku,on_hand,warehouse\nSKU-1,5,W\n"))
	_, events := s.chat(map[string]any{"message": "Take in the upload " + named + `, the file "named.csv"`}, nil)
	require.Contains(t, textOf(events), "not taken in")
	_, events = s.chat(map[string]any{"file_id": named}, nil)
	require.Contains(t, textOf(events), "The profile is recorded.")
	status, _ = s.post("/api/uploads/"+out["id"].(string)+"/abort", map[string]any{})
	require.Equal(t, http.StatusOK, status)
	status, problem = s.post("/api/chat", map[string]any{"file_id": out["id"]})
	require.Equal(t, http.StatusConflict, status, problem)

	_, out = s.post("/api/uploads", map[string]any{"name": "c.csv", "size": 80 << 20})
	status, _ = s.post("/api/uploads/"+out["id"].(string)+"/abort", map[string]any{})
	require.Equal(t, http.StatusOK, status)
	status, problem = s.post("/api/uploads/"+out["id"].(string)+"/parts/1", map[string]any{})
	require.Equal(t, http.StatusConflict, status, problem)

	// A file that is not a table is deleted by its person.
	zip := s.upload("a.zip", []byte("PK\x03\x04\x00\x00\x00\x00"))
	_, events = s.chat(map[string]any{"file_id": zip}, nil)
	require.Contains(t, textOf(events), "not taken in")
	_, out = s.get("/api/files/" + zip)
	file := out["file"].(map[string]any)
	require.NotContains(t, file, "can_take_in")
	require.Equal(t, true, file["can_delete"])
	require.Equal(t, `The file "a.zip" is not text (application/zip, 8 bytes). It cannot be taken in.`, file["failure"])
	status, problem = s.post("/api/chat", map[string]any{"file_id": zip})
	require.Equal(t, http.StatusConflict, status)
	require.Equal(t, file["failure"], problem["detail"])
	_, before := s.get("/api/files")
	for _, want := range []int{http.StatusOK, http.StatusOK} { // it may be repeated
		status, problem = s.post("/api/files/"+zip+"/delete", map[string]any{})
		require.Equal(t, want, status, problem)
	}
	_, after := s.get("/api/files")
	require.Len(t, after["files"], len(before["files"].([]any))-1)
	status, _ = s.post("/api/chat", map[string]any{"file_id": zip})
	require.Equal(t, http.StatusConflict, status)
	_, events = s.chat(map[string]any{"message": "list my files"}, nil)
	require.NotContains(t, textOf(events), "a.zip")

	// The parts must be those of the file.
	_, out = s.post("/api/uploads", map[string]any{"name": "b.csv", "size": 80 << 20})
	status, _ = s.post("/api/uploads/"+out["id"].(string)+"/parts/99", map[string]any{})
	require.Equal(t, http.StatusBadRequest, status)
	status, problem = s.post("/api/uploads/"+out["id"].(string)+"/complete", map[string]any{"etags": []string{`"a"`, `"b"`, `"c"`, `"d"`, `"e"`}})
	require.Equal(t, http.StatusUnprocessableEntity, status, problem)

	for host, want := range map[string]int{"evil.example": http.StatusMisdirectedRequest, "": http.StatusOK} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/", nil)
		require.NoError(t, err)
		if host != "" {
			req.Host = host
		}
		res := s.send(req)
		_, _ = io.Copy(io.Discard, res.Body)
		require.NoError(t, res.Body.Close())
		require.Equal(t, want, res.StatusCode)
		if want == http.StatusOK {
			require.NotContains(t, res.Header.Get("Content-Security-Policy"), "unsafe")
		}
	}
}

func TestSettingsThatAreRejected(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"-addr", "0.0.0.0:0"}, {"-addr", "x"}, {"-aws"}, {"-bedrock"}, {"-aws", "-bedrock", "-model", "m"}, {"-model", "m"},
		{"-bucket", ""}, {"-bucket", "a", "-work", "a"}, {"-issuer", "https://i.example"}, {"-audience", "a"}, {"-lease", "1ms"},
		{"-pace", "-1ms"}, {"-grants", "0"}, {"more"},
	} {
		_, err := parseConfig(args, io.Discard)
		require.Error(t, err, args)
	}
	var out, stderr strings.Builder
	require.NoError(t, writeSample([]string{"-kind", "inventory", "-rows", "3"}, &out, &stderr))
	require.Len(t, strings.Split(strings.TrimSpace(out.String()), "\n"), 4)
	require.Contains(t, stderr.String(), "3 rows")
	require.Error(t, writeSample([]string{"-kind", "potatoes", "-rows", "3"}, &out, &stderr))
	for args, want := range map[string]string{
		"-rows 5 -size 5": "-rows and -size are both set", "-rows 5 extra": `unexpected argument "extra"`, "": "-rows or -size must be set",
		"extra": `unexpected argument "extra"`, "-rows -1": "must not be negative",
		"-kind x": `invalid kind "x"`, "-format xml": `invalid format "xml"`,
	} {
		require.ErrorContains(t, writeSample(strings.Fields(args), &out, &stderr), want)
	}
}

func TestADirectoryThatCannotBeMadeNamesItsFlag(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), []string{"-addr", "127.0.0.1:0", "-data", "/dev/null/data"}, io.Discard, io.Discard)
	require.ErrorContains(t, err, "-data: create the directory: mkdir /dev/null")
}
