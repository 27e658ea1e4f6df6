package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/history"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/draft"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/library"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/librarytools"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/server"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/arrivals"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools/approval"
	"github.com/carrel-go/carrel/tracking"
)

// world is a server over drivers in memory and a model that the test writes.
type world struct {
	t       *testing.T
	srv     *server.Server
	options server.Options // of srv
	table   *table.Table
	history *history.Store
	logs    *replay.Store
	rows    *stuck // of table
	tracker *tracking.Tracker
	signer  *presign.Signer
	landing *object.Bucket
	opened  *recording // of landing
	raw     *object.Bucket
	rawDrv  *faulty
	user    scope.Scope
	as      string // who asks, see signIn; empty for demo's anonymous
	model   *model
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, model: &model{}, rawDrv: &faulty{Driver: object.NewMemory()}}
	w.rows = &stuck{Driver: table.NewMemory(nil)}
	w.table = must.Get(table.New(w.rows, nil))
	w.history = must.Get(history.New(w.table, nil))
	w.logs = must.Get(replay.New(w.table, &replay.Options{Merge: runner.MergeDeltas}))
	w.opened = &recording{Driver: object.NewMemory()}
	w.landing = must.Get(object.New(w.opened, "landing", nil))
	w.raw = must.Get(object.New(w.rawDrv, "raw", nil))
	var err error
	w.tracker, err = tracking.New(w.table, tracking.Uploads(), nil)
	require.NoError(t, err)
	client := s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://127.0.0.1:1"), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})
	signer, err := presign.New(client, w.landing, &presign.Options{Types: []string{"image/png", "image/jpeg", "image/webp"}})
	require.NoError(t, err)
	photos := photo.NewDecoder(nil)
	edits := must.Get(draft.NewStore(w.table))
	set, err := booktools.Tools(w.landing, &booktools.Options{
		Upload: server.Upload(w.tracker, w.landing), Photos: photos, Edits: edits,
	})
	require.NoError(t, err)
	a, err := agent.New(w.model, &agent.Options{Tools: set, SystemFunc: booktools.SystemPrompt(edits)})
	require.NoError(t, err)
	books := must.Get(library.New(w.table, w.raw, w.landing, w.tracker, nil))
	approvals := must.Get(approval.New(w.table, nil))
	shelfSet, err := librarytools.Tools(books, approvals)
	require.NoError(t, err)
	chat, err := agent.New(w.model, &agent.Options{Tools: shelfSet})
	require.NoError(t, err)
	w.signer = signer
	w.options = server.Options{
		Table: w.table, History: w.history, Logs: w.logs, Tracker: w.tracker, Landing: w.landing, Raw: w.raw,
		Signer: signer, Agent: a, Photos: photos,
		Library: books, Chat: chat, Approvals: approvals,
		SharedSigner: must.Get(presign.New(client, w.raw, &presign.Options{Types: []string{"image/png", "image/jpeg", "image/webp"}})),
		Prompt:       "Read it.", Pages: http.NotFoundHandler(), Arrivals: w.newRecorder(nil),
		SignIn: signIn(t), Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	w.open(w.options)
	w.user = identity(t, "demo", "anonymous", false).User
	return w
}

// open replaces the server by one with these options.
func (w *world) open(o server.Options) {
	w.t.Helper()
	w.options = o
	w.srv = must.Get(server.New(o))
	srv := w.srv
	w.t.Cleanup(func() {
		now, cancel := context.WithCancel(context.Background())
		cancel()
		srv.Close(now)
	})
}

// identity is who a verified token would say.
func identity(t *testing.T, tenant, user string, ops bool) (id oidc.Identity) {
	t.Helper()
	s, err := scope.Tenant(tenant)
	require.NoError(t, err)
	id.User, err = s.User(user)
	require.NoError(t, err)
	id.Shared, err = s.Shared()
	require.NoError(t, err)
	if ops {
		id.Tenant = s
	}
	return id
}

// signIn takes the place of a verifier: "Authorization: tenant user" and roles.
func signIn(t *testing.T) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			who := strings.Fields(r.Header.Get("Authorization"))
			if len(who) == 0 {
				who = []string{"demo", "anonymous"}
			}
			id := identity(t, who[0], who[1], slices.Contains(who[2:], "ops"))
			id.Groups = who[2:]
			h.ServeHTTP(w, r.WithContext(oidc.NewContext(r.Context(), id)))
		})
	}
}

func (w *world) do(ctx context.Context, method, target, body string) reply {
	r := httptest.NewRequestWithContext(ctx, method, "http://localhost"+target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", w.as)
	rec := httptest.NewRecorder()
	func() {
		defer func() { // an aborted response has its bytes, too
			if p := recover(); p != nil && p != http.ErrAbortHandler { //nolint:errorlint // it is a panic's value
				panic(p)
			}
		}()
		w.srv.ServeHTTP(rec, r)
	}()
	return reply{rec.Code, rec.Header(), rec.Body.String()}
}

func (w *world) get(target string) reply { return w.do(w.t.Context(), http.MethodGet, target, "") }

func (w *world) post(target string, body map[string]any) reply {
	b, err := json.Marshal(body)
	require.NoError(w.t, err)
	return w.do(w.t.Context(), http.MethodPost, target, string(b))
}

// granted asks for a grant and returns the session's id.
func (w *world) granted(name string) string {
	w.t.Helper()
	r := w.get("/api/upload/presigned?filename=" + url.QueryEscape(name))
	require.Equal(w.t, http.StatusOK, r.Status, r.Body)
	return r.json(w.t)["session_id"].(string)
}

// uploaded makes a session whose file has arrived.
func (w *world) uploaded(content []byte) string {
	w.t.Helper()
	id := w.granted("cover.png")
	session := w.session(id)
	root, err := w.landing.In(session)
	require.NoError(w.t, err)
	ref, err := root.Ref("cover.png")
	require.NoError(w.t, err)
	_, _, err = root.Put(w.t.Context(), ref, bytes.NewReader(content), &object.PutOptions{Size: int64(len(content))})
	require.NoError(w.t, err)
	return id
}

// session returns the scope of an upload that the caller makes.
func (w *world) session(id string) scope.Scope {
	w.t.Helper()
	user := w.user
	if who := strings.Fields(w.as); len(who) > 0 {
		user = identity(w.t, who[0], who[1], false).User
	}
	s, err := user.Session(id)
	require.NoError(w.t, err)
	return s
}

func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 32, 32))))
	return b.Bytes()
}

func (w *world) extract(id string) reply {
	return w.post("/api/metadata/extract", map[string]any{"session_id": id})
}

// follow returns the events of a run after the one with that id.
func (w *world) follow(run, after string) reply {
	return w.get("/api/runs/" + run + "/events?last_event_id=" + after)
}

func (w *world) accept(id string, meta map[string]any) reply {
	return w.post("/api/metadata/accept", map[string]any{"session_id": id, "metadata": meta})
}

// stages are the record's stages by name, and its status.
func (w *world) stages(id string) (status string, stages map[string]map[string]any) {
	w.t.Helper()
	r := w.get("/api/ops/files/" + id)
	require.Equal(w.t, http.StatusOK, r.Status, r.Body)
	file := r.json(w.t)["file"].(map[string]any)
	stages = map[string]map[string]any{}
	for _, s := range file["stage_progress"].([]any) {
		stage := s.(map[string]any)
		stages[stage["stage_name"].(string)] = stage
	}
	return file["current_status"].(string), stages
}

// leave puts metadata.json where an accept that did not end would have left it.
func (w *world) leave(id, content string) {
	w.t.Helper()
	root, err := w.raw.In(w.session(id))
	require.NoError(w.t, err)
	ref, err := root.Ref("metadata.json")
	require.NoError(w.t, err)
	put := &object.PutOptions{Size: int64(len(content)), Overwrite: true}
	_, _, err = root.Put(w.t.Context(), ref, strings.NewReader(content), put)
	require.NoError(w.t, err)
}

// newRecorder returns one that closes grants, unless limits is nil.
func (w *world) newRecorder(limits *admission.Admission) *arrivals.Recorder {
	o := &arrivals.Options{MaxSize: server.MaxUpload, Failure: server.RejectedUpload}
	if limits != nil {
		o.CloseGrant = limits.CloseGrant
	}
	return must.Get(arrivals.New(w.table, w.landing, w.signer, w.tracker, o))
}

// turns is how many turns of the conversation are kept.
func (w *world) turns(id string) int {
	w.t.Helper()
	view, err := w.table.In(w.session(id))
	require.NoError(w.t, err)
	page, err := view.Query(w.t.Context(), table.Query{From: "turn#", To: "turn$", Consistent: true})
	require.NoError(w.t, err)
	return len(page.Items)
}

// saved is the accepted metadata of a session, or "".
func (w *world) saved(id string) string {
	w.t.Helper()
	session, err := w.user.Session(id)
	require.NoError(w.t, err)
	root, err := w.raw.In(session)
	require.NoError(w.t, err)
	ref, err := root.Ref("metadata.json")
	require.NoError(w.t, err)
	body, _, err := root.Open(w.t.Context(), ref, nil)
	if errors.Is(err, object.ErrNotFound) {
		return ""
	}
	require.NoError(w.t, err)
	defer body.Close()
	b, err := io.ReadAll(body)
	require.NoError(w.t, err)
	return string(b)
}
