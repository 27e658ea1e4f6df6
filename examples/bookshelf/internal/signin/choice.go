package signin

import (
	"encoding/json"
	"net/http"

	"github.com/carrel-go/carrel/scope/oidc"
)

const configPath = "/api/sign-in"

// config is the answer to GET /api/sign-in.
type config struct {
	Kind   string `json:"kind"`
	Tenant string `json:"tenant,omitempty"` // of requests without a token
	User   string `json:"user,omitempty"`
}

// Choice answers that anybody may act as anybody. Requests without a token are from anonymous.
func Choice(anonymous oidc.Identity) http.Handler {
	return serveConfig(config{"choice", anonymous.User.TenantID(), anonymous.User.UserID()})
}

func serveConfig(c config) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(configPath, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			writeProblem(w, http.StatusMethodNotAllowed, "This path accepts only GET.")
			return
		}
		writeJSON(w, http.StatusOK, "application/json", c)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, http.StatusNotFound, "There is no such path.")
	})
	return mux
}

// writeProblem answers with an RFC 9457 problem.
func writeProblem(w http.ResponseWriter, status int, detail string) {
	writeJSON(w, status, "application/problem+json", map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail,
	})
}

func writeJSON(w http.ResponseWriter, status int, media string, v any) {
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may have disconnected
}
