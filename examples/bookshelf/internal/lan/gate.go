package lan

import (
	"fmt"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/carrel-go/carrel/httpapi"
)

const (
	codePath = "/code"
	maxForm  = 1 << 10 // bytes
)

// Gate lets in devices that have sent a code. It is safe for concurrent use.
type Gate struct {
	host     string
	next     http.Handler
	codes    codes
	sessions sessions
	cross    *http.CrossOriginProtection
}

// New returns a gate before next. host, with its port, is the only accepted Host. show receives each new code, the
// first one at once.
func New(host string, next http.Handler, show func(code string)) *Gate {
	g := &Gate{host: host, next: next, cross: http.NewCrossOriginProtection()}
	g.codes.show = show
	g.codes.ensure()
	return g
}

// ServeHTTP implements [http.Handler].
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	isPage := r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html")
	switch {
	case r.Host != g.host: // a name of another site, which leads to this address
		httpapi.NewProblem(http.StatusMisdirectedRequest, "This server answers to other names.").Write(w)
	case r.URL.Path == codePath && r.Method == http.MethodPost:
		g.takeCode(w, r)
	case g.sessions.has(r):
		if r.URL.Path == codePath {
			redirectHome(w)
			return
		}
		g.next.ServeHTTP(w, r)
	case r.URL.Path == codePath && r.Method == http.MethodGet:
		g.codes.ensure()
		writePage(w, http.StatusOK, "")
	case isPage:
		g.codes.ensure()
		writePage(w, http.StatusForbidden, "")
	default:
		const detail = "This device has not been let in. Open the page and enter the code."
		httpapi.NewProblem(http.StatusForbidden, detail).Write(w)
	}
}

// takeCode lets a device in if it has sent the right code.
func (g *Gate) takeCode(w http.ResponseWriter, r *http.Request) {
	if g.cross.Check(r) != nil {
		httpapi.NewProblem(http.StatusForbidden, "The request comes from a page of another site.").Write(w)
		return
	}
	device, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		device = r.RemoteAddr
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		writePage(w, http.StatusBadRequest, "The form could not be read. Please try again.")
		return
	}
	isRight, wait := g.codes.take(r.PostForm.Get("code"), device)
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		writePage(w, http.StatusTooManyRequests, fmt.Sprintf("This device has tried too often. "+
			"Reload this page in %d minutes and enter the new code that the terminal shows then.", int(wait.Minutes())+1))
		return
	}
	if !isRight {
		g.codes.ensure()
		writePage(w, http.StatusForbidden, "This code is wrong, or it has been used or has expired. "+
			"Enter the newest code that the terminal shows.")
		return
	}
	g.sessions.begin(w)
	redirectHome(w)
}

func redirectHome(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", "/")
	w.WriteHeader(http.StatusSeeOther)
}
