package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/lan"
	"github.com/carrel-go/carrel/presign/presigntest"
)

const transferTime = 15 * time.Minute // for an upload from a slow device

// localClient returns a client of the embedded S3 whose grants are for the server's own address, which passes them on.
// Its requests go to the S3 directly, with the signed Host.
func localClient(store *presigntest.Server, address string) *s3.Client {
	o := store.Client().Options()
	o.HTTPClient = &rehost{o.HTTPClient, address, strings.TrimPrefix(store.Endpoint(), "http://")}
	o.BaseEndpoint = aws.String("http://" + address)
	o.ExpressCredentials = nil // belongs to the store's client
	return s3.New(o)
}

// rehost sends requests for a public host to the server behind it.
type rehost struct {
	inner          s3.HTTPClient
	public, behind string
}

func (c *rehost) Do(r *http.Request) (*http.Response, error) {
	if r.URL.Host == c.public {
		r = r.Clone(r.Context())
		r.Host, r.URL.Host = c.public, c.behind
	}
	return c.inner.Do(r)
}

// passGrants sends requests that are signed by a grant to the embedded S3, and all others to next.
func passGrants(endpoint string, buckets []string, next http.Handler) (http.Handler, error) {
	target, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	proxy := &httputil.ReverseProxy{
		Transport: &http.Transport{DisableCompression: true, MaxIdleConns: 16, IdleConnTimeout: time.Minute},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // it is signed, and so is the query
			r.Out.URL.RawQuery = r.In.URL.RawQuery
			r.Out.Header.Del("Cookie")
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isGrant(r, buckets) {
			next.ServeHTTP(w, r)
			return
		}
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(transferTime)) // a connection has one
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox") // files have the origin of the pages
		proxy.ServeHTTP(w, r)
	}), nil
}

// isGrant reports whether a request has the signature of a grant for one of the buckets.
func isGrant(r *http.Request, buckets []string) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPut {
		return false
	}
	bucket, _, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	for _, b := range buckets {
		if ok && bucket == b {
			return r.URL.Query().Has("X-Amz-Signature")
		}
	}
	return false
}

// lanAddress returns the address to listen on with -lan.
func (c config) lanAddress() (string, error) {
	host, port, err := net.SplitHostPort(c.addr)
	if err != nil {
		return "", fmt.Errorf("-addr: %w", err)
	}
	address, err := lan.Address(host, port)
	if err != nil {
		return "", fmt.Errorf("-lan: %w", err)
	}
	return address, nil
}

// openToNetwork puts a gate before the handler and shows its codes on the terminal.
func openToNetwork(address string, handler http.Handler, terminal io.Writer) http.Handler {
	return lan.New(address, handler, func(code string) {
		qr, err := lan.QR("http://" + address + "/code#" + code)
		if err != nil {
			qr = err.Error() + "\n"
		}
		_, _ = fmt.Fprintf(terminal, "%s\nTo let in a device, scan this with it, or open http://%s and enter %s.\n"+
			"The code lets in one device within ten minutes. To see a new one, open the page on another device.\n\n",
			qr, address, code)
	})
}

// warning states which address was chosen for -lan, and the limits of its safety.
func (c config) warning(opened string) string {
	if !c.lan {
		return ""
	}
	host, _, _ := net.SplitHostPort(strings.TrimPrefix(opened, "http://")) // a listener's address has a port
	var b strings.Builder
	if given, _, err := net.SplitHostPort(c.addr); c.isAddrSet && err == nil && lan.IsLoopback(given) {
		fmt.Fprintf(&b, "Of -addr %s, only the port is used: other devices do not reach %s.\n", c.addr, given)
	}
	if others := lan.Others(host); len(others) > 0 {
		fmt.Fprintf(&b, "This machine has other addresses too: %s. Name one with -addr.\n", strings.Join(others, ", "))
	}
	b.WriteString("It is open to this network, over plain http: everybody on the network can read the traffic, and\n" +
		"with the cookie of a device act as that device. Use it at home, not in a public network. All devices\n" +
		"share one user.\n")
	return b.String()
}
