package signin

import (
	"net/http"

	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/scope/oidc"
)

const configPath = "/api/sign-in"

// config is the answer to GET /api/sign-in.
type config struct {
	Kind    string `json:"kind"`
	Issuer  string `json:"issuer,omitempty"`
	Session bool   `json:"session,omitempty"` // the browser has a session
	Tenant  string `json:"tenant,omitempty"`  // of requests without a token
	User    string `json:"user,omitempty"`
}

// Choice answers that anybody may act as anybody. Requests without a token are from anonymous.
func Choice(anonymous oidc.Identity) http.Handler {
	return serveOnly(config{Kind: "choice", Tenant: anonymous.User.TenantID(), User: anonymous.User.UserID()})
}

// Fixed answers that everybody is the same person, who cannot be changed.
func Fixed(anonymous oidc.Identity) http.Handler {
	return serveOnly(config{Kind: "fixed", Tenant: anonymous.User.TenantID(), User: anonymous.User.UserID()})
}

// serveOnly answers GET /api/sign-in, and 404 elsewhere.
func serveOnly(c config) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(configPath, allowMethod(http.MethodGet, func(w http.ResponseWriter, _ *http.Request) {
		_ = httpapi.WriteJSON(w, c)
	}))
	mux.HandleFunc("/", serveUnknown)
	return mux
}

func serveUnknown(w http.ResponseWriter, _ *http.Request) {
	httpapi.NewProblem(http.StatusNotFound, "This path does not exist.").Write(w)
}

// allowMethod rejects requests with another method.
func allowMethod(method string, answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method {
			w.Header().Set("Allow", method)
			httpapi.NewProblem(http.StatusMethodNotAllowed, "This path accepts only "+method+".").Write(w)
			return
		}
		answer(w, r)
	}
}
