package trackingtools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tracking"
)

// A bundle is a tracker with two tenants, one of them with two users.
type bundle struct {
	*tracking.Tracker
	list, get          *tools.Tool
	acme, globex       scope.Scope
	u1, u2, other      scope.Scope // two users of acme, one of globex
	first, second, its scope.Scope // sessions of u1, u2 and other
}

// sessionOf is the user's session number n: greater numbers are newer.
func sessionOf(t *testing.T, user scope.Scope, n int) scope.Scope {
	t.Helper()
	s, err := user.Session(fmt.Sprintf("0199a1b2-%04x-7e5f-8a9b-0c1d2e3f4a5b", n))
	require.NoError(t, err)
	return s
}

func newBundle(t *testing.T) *bundle {
	t.Helper()
	tr, err := tracking.New(must.Get(table.New(table.NewMemory(nil), nil)), tracking.Uploads(), nil)
	require.NoError(t, err)
	b := &bundle{Tracker: tr}
	set, err := Set(tr)
	require.NoError(t, err)
	offered, err := set.Resolve(t.Context(), must.Get(scope.Tenant("acme")), nil)
	require.NoError(t, err)
	var ok bool
	b.list, ok = offered.Lookup("list_uploads")
	require.True(t, ok)
	b.get, ok = offered.Lookup("get_upload")
	require.True(t, ok)
	require.Equal(t, 2, offered.Len())
	b.acme, b.globex = must.Get(scope.Tenant("acme")), must.Get(scope.Tenant("globex"))
	b.u1, b.u2, b.other = must.Get(b.acme.User("u1")), must.Get(b.acme.User("u2")), must.Get(b.globex.User("u1"))
	b.first, b.second, b.its = sessionOf(t, b.u1, 1), sessionOf(t, b.u2, 2), sessionOf(t, b.other, 3)
	for _, s := range []scope.Scope{b.first, b.second, b.its} {
		b.createRecord(t, s)
	}
	return b
}

func (b *bundle) createRecord(t *testing.T, s scope.Scope) {
	t.Helper()
	_, err := b.Create(t.Context(), s, &tracking.CreateOptions{Filename: s.TenantID() + "-" + s.UserID() + ".jpg"})
	require.NoError(t, err)
}

// callTool returns the JSON that the model reads, or the correction.
func callTool(t *testing.T, tool *tools.Tool, sc scope.Scope, args string) string {
	t.Helper()
	res, err := tool.Call(t.Context(), tools.NewCall(tools.CallOptions{Scope: sc, Args: json.RawMessage(args)}))
	if e, ok := errors.AsType[*tools.CorrectionError](err); ok {
		return e.Message
	}
	require.NoError(t, err)
	require.Len(t, res.Blocks, 1)
	return string(res.Blocks[0].JSON)
}

// listIDs returns the upload ids that a scope can see.
func listIDs(t *testing.T, tool *tools.Tool, sc scope.Scope, args string) (out []string) {
	t.Helper()
	var l uploadPage
	require.NoError(t, json.Unmarshal([]byte(callTool(t, tool, sc, args)), &l))
	require.NotNil(t, l.Uploads)
	for _, r := range l.Uploads {
		out = append(out, r.ID)
	}
	return out
}

func TestListStaysInItsScope(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.createRecord(t, sessionOf(t, b.u1, 9))
	shared, err := b.acme.Shared()
	require.NoError(t, err)
	nine := sessionOf(t, b.u1, 9).SessionID()
	for name, c := range map[string]struct {
		sc   scope.Scope
		want []string
	}{
		"tenant":         {b.acme, []string{nine, b.second.SessionID(), b.first.SessionID()}},
		"user":           {b.u1, []string{nine, b.first.SessionID()}},
		"another user":   {b.u2, []string{b.second.SessionID()}},
		"another tenant": {b.globex, []string{b.its.SessionID()}},
		"session":        {b.first, []string{b.first.SessionID()}}, // not the user around it
		"new session":    {sessionOf(t, b.u1, 4), nil},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, listIDs(t, b.list, c.sc, `{}`)) })
	}
	for _, sc := range []scope.Scope{{}, shared} { // neither has uploads
		_, err = b.list.Call(t.Context(), tools.NewCall(tools.CallOptions{Scope: sc, Args: []byte(`{}`)}))
		require.ErrorIs(t, err, scope.ErrDenied)
		_, err = b.get.Call(t.Context(), tools.NewCall(tools.CallOptions{Scope: sc, Args: []byte(`{"upload_id":"x"}`)}))
		require.ErrorIs(t, err, scope.ErrDenied)
	}
}

func TestPagesAreTheWholeList(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	for n := range 7 {
		b.createRecord(t, sessionOf(t, b.u1, 100+n))
	}
	var got []string
	args := `{"limit":3}`
	for pages := 1; ; pages++ {
		var l uploadPage
		require.NoError(t, json.Unmarshal([]byte(callTool(t, b.list, b.u1, args)), &l))
		for _, r := range l.Uploads {
			got = append(got, r.ID)
		}
		if l.Next == "" {
			require.Equal(t, 3, pages)
			break
		}
		require.Len(t, l.Uploads, 3)
		require.Contains(t, l.Summary(), "3 uploads, and there are more")
		args = fmt.Sprintf(`{"limit":3,"cursor":%q}`, l.Next)
		// The cursor is rejected by every other list.
		for _, sc := range []scope.Scope{b.u2, b.acme, b.globex, b.first} {
			require.Contains(t, callTool(t, b.list, sc, args), "cursor: not a cursor of this list")
		}
		require.Contains(t, callTool(t, b.list, b.u1, fmt.Sprintf(`{"status":"failed","cursor":%q}`, l.Next)), "cursor: ")
	}
	require.Equal(t, listIDs(t, b.list, b.u1, `{}`), got)
	require.Len(t, got, 8)
}

func TestListFiltersByStatus(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	failUpload(t, b.Tracker, b.first)
	for _, sc := range []scope.Scope{b.u1, b.first} {
		require.Equal(t, []string{b.first.SessionID()}, listIDs(t, b.list, sc, `{"status":"failed"}`))
		require.Empty(t, listIDs(t, b.list, sc, `{"status":"active"}`))
	}
}

func TestInvalidArgumentsAreCorrected(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	for args, want := range map[string]string{
		`{"status":"ACTIVE"}`:                      "status: ",
		`{"limit":0}`:                              "limit: ",
		`{"limit":51}`:                             "limit: ",
		`{"cursor":""}`:                            "cursor: ",
		`{"cursor":"eyJ0IjoxfQ"}`:                  "cursor: ",
		`{"user_id":"u2"}`:                         "user_id: is not known here",
		`{"limit":1,"limit":2}`:                    "ambiguous",
		`{"status":"` + strings.Repeat("x", 1<<16): "not valid JSON",
	} {
		for _, sc := range []scope.Scope{b.acme, b.u1, b.first} {
			got := callTool(t, b.list, sc, args)
			require.Contains(t, got, want)
			require.Less(t, len(got), 300)
		}
	}
}

// An upload outside the scope and one that does not exist get the same answer.
func TestForeignUploadsReadAsMissing(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	for _, sc := range []scope.Scope{b.u1, b.first, b.globex, sessionOf(t, b.u1, 7)} {
		answer := func(id string) string {
			return strings.ReplaceAll(callTool(t, b.get, sc, fmt.Sprintf(`{"upload_id":%q}`, id)), id, "ID")
		}
		nowhere := answer(sessionOf(t, b.u1, 0xffff).SessionID())
		require.Contains(t, nowhere, "there is no upload")
		for _, s := range []scope.Scope{b.first, b.second, b.its} {
			if sc.Contains(s) {
				require.Contains(t, answer(s.SessionID()), `"status":"active"`)
			} else {
				require.Equal(t, nowhere, answer(s.SessionID()))
			}
		}
		for _, id := range []string{"", "x", "../u2", strings.ToUpper(b.second.SessionID()), b.second.Partition()} {
			require.Contains(t, callTool(t, b.get, sc, fmt.Sprintf(`{"upload_id":%q}`, id)), "there is no upload")
		}
	}
}

func failUpload(t *testing.T, tr *tracking.Tracker, s scope.Scope) {
	t.Helper()
	root, err := must.Get(object.New(object.NewMemory(), "landing", nil)).In(s)
	require.NoError(t, err)
	ref, err := root.Ref("cover.jpg")
	require.NoError(t, err)
	a, err := tr.Claim(t.Context(), s, tracking.Enrichment, &tracking.ClaimOptions{
		Key: "run-1", Source: ref, Observed: &tracking.Observation{Stage: tracking.UserUpload, Dest: ref},
	})
	require.NoError(t, err)
	require.NoError(t, a.Fail(t.Context(), &tracking.Error{
		Code: "throttled", Message: "The model is busy.", Retryable: true, Err: errors.New("429 at 10.0.0.1"),
	}))
}

func TestGetReturnsStagesWithoutSecrets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t)
		time.Sleep(1500 * time.Millisecond)
		failUpload(t, b.Tracker, b.first)
		id := fmt.Sprintf(`{"upload_id":%q}`, b.first.SessionID())
		want := `"filename":"acme-u1.jpg","status":"failed","created":"2025-10-01T21:33:41Z",` +
			`"reason":"throttled","retryable":true,"updated":"2000-01-01T00:00:01Z","stages":[` +
			`{"stage":"user_upload","state":"success","attempt":1,"started":"2000-01-01T00:00:00Z","ended":"2000-01-01T00:00:01Z","seconds":1.5},` +
			`{"stage":"enrichment","state":"failed","attempt":1,"started":"2000-01-01T00:00:01Z","ended":"2000-01-01T00:00:01Z","seconds":0,"error":"The model is busy."}]}`
		for _, sc := range []scope.Scope{b.u1, b.first} {
			require.Equal(t, fmt.Sprintf(`{"upload_id":%q,`, b.first.SessionID())+want, callTool(t, b.get, sc, id))
		}
		// A tenant's answer names the user. No answer has a location or a run.
		got := callTool(t, b.get, b.acme, id)
		require.Equal(t, fmt.Sprintf(`{"upload_id":%q,"user_id":"u1",`, b.first.SessionID())+want, got)
		for _, secret := range []string{"landing", "tenant=", "run-1", "10.0.0.1"} {
			require.NotContains(t, got, secret)
		}
	})
}

// An error of the store is not an empty list or a missing upload.
func TestErrorsOfTheStoreAreReturned(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, sc := range []scope.Scope{b.acme, b.u1, b.first} {
		for tool, args := range map[*tools.Tool]string{b.list: `{}`, b.get: fmt.Sprintf(`{"upload_id":%q}`, b.first.SessionID())} {
			_, err := tool.Call(ctx, tools.NewCall(tools.CallOptions{Scope: sc, Args: []byte(args)}))
			require.ErrorIs(t, err, context.Canceled)
		}
	}
}
