package signin

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

const (
	idCookie      = "signin_id"
	refreshCookie = "signin_refresh"
	pendingCookie = "signin_at_" // followed by the state
	sessionPath   = "/api/sign-in"
	pendingPath   = "/sign-in"

	pendingLife = 10 * time.Minute
	refreshLife = 30 * 24 * time.Hour // the issuer's own limit may be shorter
	maxCookie   = 3800                // bytes of a value, which every browser stores
	maxPending  = 10                  // sign-ins that a browser has begun
)

// pending is a sign-in that a browser has begun. The browser keeps it in a cookie.
type pending struct {
	Nonce    string `json:"n"`
	Verifier string `json:"v"`
	Redirect string `json:"u"` // the redirect URI
	Return   string `json:"r"` // a path of this server
}

// keepPending stores p under its state, and drops the others if there are too many.
func keepPending(w http.ResponseWriter, r *http.Request, state string, p pending) error {
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	var begun []string
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, pendingCookie) {
			begun = append(begun, c.Name)
		}
	}
	if len(begun) >= maxPending {
		for _, name := range begun {
			dropCookie(w, name, pendingPath)
		}
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure with https; Lax, since the issuer redirects to it
		Name: pendingCookie + state, Value: base64.RawURLEncoding.EncodeToString(b), Path: pendingPath,
		MaxAge: int(pendingLife / time.Second), HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: isSecure(p.Redirect),
	})
	return nil
}

// takePending returns the sign-in that this browser has begun with a state, once.
func takePending(w http.ResponseWriter, r *http.Request, state string) (pending, bool) {
	c, err := r.Cookie(pendingCookie + state)
	if state == "" || err != nil {
		return pending{}, false
	}
	dropCookie(w, c.Name, pendingPath)
	b, err := base64.RawURLEncoding.DecodeString(c.Value)
	var p pending
	if err != nil || json.Unmarshal(b, &p) != nil || p.Nonce == "" || p.Verifier == "" || !isPath(p.Return) {
		return pending{}, false
	}
	return p, true
}

// keepTokens stores what renews the session. It returns false if a browser can store neither.
func keepTokens(w http.ResponseWriter, id verified, refresh string, secure bool) bool {
	set := func(name, value string, life time.Duration) bool {
		if value == "" || len(value) > maxCookie {
			dropCookie(w, name, sessionPath)
			return false
		}
		http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure with https
			Name: name, Value: value, Path: sessionPath, MaxAge: int(life / time.Second),
			HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: secure,
		})
		return true
	}
	hasID := set(idCookie, id.token, time.Until(id.expires))
	return set(refreshCookie, refresh, refreshLife) || hasID
}

// readCookie returns the value of a cookie, or "".
func readCookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

func dropCookie(w http.ResponseWriter, name, path string) {
	http.SetCookie(w, &http.Cookie{Name: name, Path: path, MaxAge: -1, HttpOnly: true}) //nolint:gosec // removes it
}

func dropTokens(w http.ResponseWriter) {
	dropCookie(w, idCookie, sessionPath)
	dropCookie(w, refreshCookie, sessionPath)
}

func isSecure(origin string) bool { return strings.HasPrefix(origin, "https://") }
