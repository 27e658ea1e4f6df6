package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
)

// Two tenants and three users: every answer treats another user's data as if it did not exist.
func TestOthersDoNotExist(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	people := []string{"acme ann", "acme bob", "globex ann"} // the same name in two tenants is two users
	ids := map[string]string{}
	for _, who := range people {
		w.as = who
		ids[who] = w.granted("cover.png")
	}
	var cursor string
	for _, who := range people {
		w.as = who
		for _, other := range people {
			want := http.StatusNotFound
			if other == who {
				want = http.StatusConflict // the file has not arrived
			}
			require.Equal(t, want, w.extract(ids[other]).Status, "%s extracts %s's", who, other)
			require.Equal(t, want, w.accept(ids[other], emma).Status, "%s accepts %s's", who, other)
			shown := w.get("/api/ops/files/" + ids[other])
			if other == who {
				require.Equal(t, http.StatusOK, shown.Status)
			} else {
				require.Equal(t, http.StatusNotFound, shown.Status)
				require.Equal(t, w.get("/api/ops/files/0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b").Body, shown.Body, "told apart from what does not exist")
			}
		}
		list := w.get("/api/ops/files").json(t)
		require.Len(t, list["files"], 1)
		require.InDelta(t, 1, w.get("/api/ops/counts").json(t)["all"], 0)

		w.granted("second.png")
		page := w.get("/api/ops/files?limit=1").json(t)
		if cursor != "" {
			require.Equal(t, http.StatusBadRequest, w.get("/api/ops/files?limit=1&cursor="+cursor).Status, "a cursor of another's list")
		}
		cursor = page["next"].(string)
	}
}

// The desk lists only the uploads that its person can open, also for an operator.
func TestTheUploadsOfTheCaller(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as = "acme ann"
	w.granted("cover.png")
	w.as = "acme bob ops"
	mine := w.granted("cover.png")
	require.Len(t, w.get("/api/ops/files").json(t)["files"], 2)
	list := w.get("/api/ops/files?owner=me&status=active").json(t)["files"].([]any)
	require.Len(t, list, 1)
	require.Equal(t, mine, list[0].(map[string]any)["upload_id"])
	for _, owner := range []string{"", "ann", "acme%2Fann"} {
		require.Equal(t, http.StatusBadRequest, w.get("/api/ops/files?owner="+owner).Status, owner)
	}
}

// The role shows its own tenant, whole, and nothing of another. It opens no sessions.
func TestTheOpsRole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := map[string]string{}
	for _, who := range []string{"acme ann", "acme bob", "globex ann"} {
		w.as = who
		ids[who] = w.granted("cover.png")
	}
	w.as = "acme carol ops"
	require.Len(t, w.get("/api/ops/files").json(t)["files"], 2)
	require.InDelta(t, 2, w.get("/api/ops/counts").json(t)["all"], 0)
	require.Equal(t, http.StatusOK, w.get("/api/ops/files/"+ids["acme bob"]).Status)
	require.Equal(t, http.StatusNotFound, w.get("/api/ops/files/"+ids["globex ann"]).Status)
	require.Equal(t, http.StatusNotFound, w.extract(ids["acme bob"]).Status)
	require.Equal(t, http.StatusNotFound, w.accept(ids["acme bob"], emma).Status)
}

// A model tries every tool, with every argument and with invented tools, on every address of another tenant's file.
// Nothing about the file is returned, and the file is not even read.
func TestAModelThatAsksForOthers(t *testing.T) {
	t.Parallel()
	const secret = "the-secret-of-globex"
	w := newWorld(t)
	w.as = "globex eve"
	theirs := w.uploaded([]byte(secret))
	key := w.session(theirs).Prefix() + "cover.png"
	w.as = "acme ann"
	mine := w.uploaded(picture(t))
	ours := w.session(mine)

	addresses := []string{
		key, "/" + key, "../../../../" + key, "s3://landing/" + key, "arn:aws:s3:::landing/" + key, "http://127.0.0.1:1/landing/" + key,
		"file://" + key, theirs, "landing", "globex", "t#globex#u#eve#s#" + theirs, "%2e%2e%2f" + key, key + "\x00.png",
	}
	toolNames := []string{"scan_barcode", "read_cover", "check_isbn", "look_up_book", "set_field", "read_file", "get_object", "list_files", "../read_cover"}
	arguments := []string{"isbn", "title", "author", "value", "key", "bucket", "path", "url", "session", "tenant_id", "file"}
	n := 0
	for _, tool := range toolNames {
		for _, argument := range arguments {
			var batch []agent.ToolUse
			for _, address := range addresses {
				n++
				args := map[string]string{argument: address}
				if tool == "set_field" && argument == "value" {
					args["field"] = "description"
				}
				raw, err := json.Marshal(args)
				require.NoError(t, err)
				batch = append(batch, agent.ToolUse{ID: fmt.Sprint("c", n), Name: tool, Input: raw})
			}
			w.model.then(uses(batch...))
			r := w.extract(mine)
			require.Equal(t, http.StatusOK, r.Status, r.Body)
			require.NotContains(t, r.Body, secret)
			for _, e := range r.events(t) {
				if e["type"] == "tool_result" && e["is_error"] == false {
					require.Contains(t, []any{"look_up_book", "set_field", "check_isbn"}, e["name"], "%s %s", tool, argument)
				}
			}
		}
	}
	w.opened.mu.Lock()
	defer w.opened.mu.Unlock()
	require.NotEmpty(t, w.opened.scopes)
	for _, s := range w.opened.scopes {
		require.Equal(t, ours, s)
	}
}

func uses(calls ...agent.ToolUse) answer {
	return func(_ context.Context, yield func(agent.Delta, error) bool) {
		for _, c := range calls {
			if !yield(agent.UsePart{ToolUse: c}, nil) {
				return
			}
		}
		yield(agent.StopPart{Reason: agent.StopToolUse}, nil)
	}
}

// The attack list's names, through the one way in that a name has. None makes a session, let alone a key.
func TestHostileNamesOverHTTP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{
		"../../tenant=b/x", ".", "..", "a/b", `a\b`, "%2e%2e%2f", "%252e", "a\x00b", "a\rb", "a\nb", "a\x7fb", "a\u0085b", "\xff",
		"a\u202eb", "a\u200bb", "e\u0301.png", "．．／x", strings.Repeat("x", 256), "x?versionId=1", "x#y", "x//y", "/x", "x/", " x", "x ", ".x", "x.", "CON",
	} {
		r := w.get("/api/upload/presigned?filename=" + url.QueryEscape(name))
		require.Equal(t, http.StatusBadRequest, r.Status, "%q", name)
		require.NotContains(t, r.Body, "X-Amz-Signature")
		require.NotContains(t, strings.TrimSpace(r.Body), "\n", "nothing of a name breaks the answer's line")
	}
	require.InDelta(t, 0, w.get("/api/ops/counts").json(t)["all"], 0)
}

// The server mints sessions and keys and ignores any that a client sends.
func TestClientsChooseNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const chosen = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
	grant := w.get("/api/upload/presigned?filename=x.png&session_id=" + chosen + "&tenant=b&user=u&bucket=b&key=tenant%3Db/x").json(t)
	require.NotEqual(t, chosen, grant["session_id"])
	require.Equal(t, "landing", grant["bucket"])
	require.Equal(t, "tenant=demo/user=anonymous/uploads/"+grant["session_id"].(string)+"/x.png", grant["key"])

	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/api/ops/files", nil)
	r.Header.Set("Authorization", "acme ann")
	for _, h := range []string{"X-Tenant-Id", "X-User-Id", "X-Forwarded-User", "X-Amzn-Oidc-Identity"} {
		r.Header.Set(h, "demo")
	}
	rec := httptest.NewRecorder()
	w.srv.ServeHTTP(rec, r)
	require.JSONEq(t, `{"files":[],"count":0}`, rec.Body.String(), "headers that name a tenant mean nothing")
}
