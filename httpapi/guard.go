package httpapi

import (
	"net"
	"net/http"
	"slices"
	"strings"
)

// Guard rejects requests that a page of another site can make a browser send. It must not be changed while it serves.
type Guard struct {
	// Next answers the other requests. Required.
	Next http.Handler
	// Hosts are the accepted names of the server, without a port. Requests with another Host are answered with 421, which
	// prevents DNS rebinding: a page whose name leads to this server is of its origin for a browser. If empty, the names
	// of the loopback interface are accepted.
	Hosts []string
	// AnyHost accepts every name. It is safe only if every request needs a token, which other pages do not have.
	AnyHost bool
	// Protected is the prefix of the paths whose safe methods are checked too, for example "/api/": a GET there must not
	// come from another site. If empty, only the other methods are.
	Protected string

	cross http.CrossOriginProtection
}

// ServeHTTP rejects a request or passes it on. Cross-site requests are those of [http.CrossOriginProtection], and are
// answered with 403.
func (g *Guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if p := g.checkRequest(r); p != nil {
		p.Write(w)
		return
	}
	g.Next.ServeHTTP(w, r)
}

// checkRequest returns why a request is rejected, or nil.
func (g *Guard) checkRequest(r *http.Request) *Problem {
	switch {
	case !g.AnyHost && !g.acceptsHost(r.Host):
		return NewProblem(http.StatusMisdirectedRequest, "This server answers to other names.")
	case g.isCrossSite(r):
		return NewProblem(http.StatusForbidden, "The request comes from a page of another site.")
	}
	return nil
}

func (g *Guard) acceptsHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	} else if bare, ok := strings.CutPrefix(host, "["); ok { // an IPv6 address without a port
		if bare, ok = strings.CutSuffix(bare, "]"); ok && strings.Contains(bare, ":") {
			host = bare
		}
	}
	if len(g.Hosts) == 0 {
		return host == "localhost" || host == "127.0.0.1" || host == "::1"
	}
	return slices.Contains(g.Hosts, host)
}

func (g *Guard) isCrossSite(r *http.Request) bool {
	isSafe := r.Method == http.MethodGet || r.Method == http.MethodHead
	if isSafe && g.Protected != "" && strings.HasPrefix(r.URL.Path, g.Protected) {
		r = r.Clone(r.Context())
		r.Method = http.MethodPost
	}
	return g.cross.Check(r) != nil
}
