package presign

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const amzDate = "20060102T150405Z"

// verify looks at what was really signed, and returns when it ends. Each of
// want's headers must be signed with its value, and no other but host; each of
// its parameters must be in the query; the method, the key, the credentials
// and the expiry must be those that were asked for.
func verify(r *v4.PresignedHTTPRequest, want request, c aws.Credentials, expires time.Duration) (time.Time, error) {
	bad := func(format string, args ...any) (time.Time, error) {
		return time.Time{}, fmt.Errorf("%w: %s", ErrUnsigned, fmt.Sprintf(format, args...))
	}
	u, err := parseSigned(r.URL, want.query)
	if err != nil {
		return bad("%s", err)
	}
	hosts, told := 0, 0
	for rest := u.headers; rest != ""; {
		var name string
		if name, rest, _ = strings.Cut(rest, "%3B"); name == "host" { // names themselves have nothing to escape
			hosts++
			continue
		}
		i := 0
		for i < len(want.headers) && !strings.EqualFold(want.headers[i].name, name) {
			i++
		}
		if i == len(want.headers) { // what the client is not told it can't send
			return bad("header %s is signed and was not asked for", name)
		}
		if v := r.SignedHeader[want.headers[i].name]; len(v) != 1 || v[0] != want.headers[i].value {
			return bad("header %s", name)
		}
		told++
	}
	begin, err := time.Parse(amzDate, u.date)
	switch {
	case hosts != 1 || told != len(want.headers): // none is there twice: the signer collects them in a map
		return bad("the signed headers are %q", u.headers)
	case err != nil:
		return bad("X-Amz-Date %q", u.date)
	case r.Method != want.method:
		return bad("method %s", r.Method)
	case !endsIn(u.path, want.ref.Key()):
		return bad("path %q for key %q", u.path, want.ref.Key())
	case u.expires != strconv.FormatInt(int64(expires/time.Second), 10):
		return bad("X-Amz-Expires %q for %v", u.expires, expires)
	case !signedWith(u.credential, u.token, c):
		return bad("other credentials than those that were fetched")
	}
	return until(begin, expires, c), nil
}

// signedWith reports whether a credential ("<id>/<date>/<region>/…") and a token,
// as they stand in a URL, are c's.
func signedWith(credential, token string, c aws.Credentials) bool {
	rest, ok := cutEscaped(credential, c.AccessKeyID)
	rest2, ok2 := cutEscaped(token, c.SessionToken)
	_, slash := cutEscaped(rest, "/")
	return ok && slash && ok2 && rest2 == ""
}

// until returns when what was signed at begin ends: no later than its credentials.
func until(begin time.Time, d time.Duration, c aws.Credentials) time.Time {
	end := begin.Add(d).UTC()
	if c.CanExpire && c.Expires.Before(end) {
		end = c.Expires.UTC()
	}
	return end
}

// signedURL is what verify reads of a URL: the path and values of the query, as
// they stand there, escaped.
type signedURL struct{ path, headers, date, expires, credential, token string }

// parseSigned reads a URL in place and once, since a grant must not cost much
// more than its signature: net/url makes a map of lists of it. Each parameter
// of want must be there with its value; those of the signature must be there
// once at most.
func parseSigned(raw string, want []header) (u signedURL, err error) {
	_, rest, ok := strings.Cut(raw, "://")
	slash := strings.IndexByte(rest, '/')
	if !ok || slash < 0 {
		return u, errors.New("the URL has no path")
	}
	var query string
	u.path, query, _ = strings.Cut(rest[slash:], "?")
	found := 0
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		name, value, _ := strings.Cut(pair, "=")
		var into *string
		switch name {
		case "X-Amz-SignedHeaders":
			into = &u.headers
		case "X-Amz-Date":
			into = &u.date
		case "X-Amz-Expires":
			into = &u.expires
		case "X-Amz-Credential":
			into = &u.credential
		case "X-Amz-Security-Token":
			into = &u.token
		default:
			for _, p := range want {
				if p.name != name {
					continue
				}
				if rest, ok := cutEscaped(value, p.value); !ok || rest != "" {
					return u, fmt.Errorf("parameter %s", name)
				}
				found++
			}
			continue
		}
		if *into != "" {
			return u, fmt.Errorf("parameter %s twice", name)
		}
		*into = value
	}
	if found != len(want) {
		return u, errors.New("a parameter is missing, or there twice")
	}
	return u, nil
}

// cutEscaped cuts from s, which is escaped as the values of a query are, what
// unescapes to prefix.
func cutEscaped(s, prefix string) (rest string, ok bool) {
	for i := range len(prefix) {
		if s == "" {
			return "", false
		}
		c, n := s[0], 1
		switch c {
		case '+':
			c = ' '
		case '%':
			if len(s) < 3 {
				return "", false
			}
			hi, lo := unhex(s[1]), unhex(s[2])
			if hi > 15 || lo > 15 {
				return "", false
			}
			c, n = hi<<4|lo, 3
		}
		if c != prefix[i] {
			return "", false
		}
		s = s[n:]
	}
	return s, true
}

// endsIn reports whether path, which is escaped, unescapes to …/key. It reads
// from the end: how the path begins is the endpoint's affair.
func endsIn(path, key string) bool {
	for i := len(key) - 1; i >= 0; i-- {
		n := len(path)
		if n == 0 {
			return false
		}
		c := path[n-1]
		n--
		if n >= 2 && path[n-2] == '%' { // never but before two digits
			c, n = unhex(path[n-1])<<4|unhex(c), n-2
		}
		if c != key[i] {
			return false
		}
		path = path[:n]
	}
	return strings.HasSuffix(path, "/")
}

// unhex returns the value of a hexadecimal digit; 0xff for anything else.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}
