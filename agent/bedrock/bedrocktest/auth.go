package bedrocktest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	// accessKey and secretKey are the credentials of [NewClient].
	accessKey = "bedrocktest"
	secretKey = "bedrocktest"

	service    = "bedrock"
	maxSkew    = 5 * time.Minute
	amzDate    = "20060102T150405Z"
	sigV4      = "AWS4-HMAC-SHA256 "
	bearer     = "Bearer "
	noToken    = "Missing Authentication Token"
	mismatched = "The request signature we calculated does not match the signature you provided. Check your AWS Secret " +
		"Access Key and signing method. Consult the service documentation for details."
)

// Sign signs a request with the credentials of [NewClient], for a test that makes HTTP requests itself. body is the
// request's body.
func Sign(r *http.Request, body []byte) error {
	return sign(r, body, aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: secretKey}, "us-east-1", time.Now())
}

func sign(r *http.Request, body []byte, creds aws.Credentials, region string, at time.Time) error {
	hash := sha256.Sum256(body)
	return v4.NewSigner().SignHTTP(r.Context(), creds, r, hex.EncodeToString(hash[:]), service, region, at)
}

// Verify returns a handler that serves h, a [Front] or a [Script], only to callers that sign with one of the given
// credentials. It also refuses bearer tokens. Without Verify, only signatures with the key of [NewClient] are verified;
// those with other keys must only be well-formed.
func Verify(h http.Handler, creds ...aws.Credentials) http.Handler {
	creds = slices.Clone(creds)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), verifyKey{}, creds)))
	})
}

type verifyKey struct{}

// findCredentials returns the credentials of a key. only reports whether other keys are refused.
func findCredentials(ctx context.Context, key string) (creds aws.Credentials, found, only bool) {
	all, only := ctx.Value(verifyKey{}).([]aws.Credentials)
	if !only {
		all = []aws.Credentials{{AccessKeyID: accessKey, SecretAccessKey: secretKey}}
	}
	i := slices.IndexFunc(all, func(c aws.Credentials) bool { return c.AccessKeyID == key })
	if i < 0 {
		return creds, false, only
	}
	return all[i], true, only
}

// signature is a parsed Authorization header of Signature Version 4.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
type signature struct {
	key, date, region, service string
	headers                    []string // signed ones, in lower case
	value                      string
}

func parseSignature(h string) (s signature, ok bool) {
	rest, ok := strings.CutPrefix(h, sigV4)
	if !ok {
		return s, false
	}
	for field := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "Credential":
			scope := strings.Split(value, "/")
			if len(scope) != 5 || scope[4] != "aws4_request" {
				return s, false
			}
			s.key, s.date, s.region, s.service = scope[0], scope[1], scope[2], scope[3]
		case "SignedHeaders":
			s.headers = strings.Split(value, ";")
		case "Signature":
			s.value = value
		}
	}
	return s, s.key != "" && s.value != "" && len(s.headers) > 0
}

// authenticate returns the service's error and true if it would refuse the caller. Any bearer token is accepted unless
// [Verify] is used. A signature must be well-formed, fresh, for this service, and cover the host and the date; if the
// key is known, it must be correct.
func authenticate(r *http.Request, body []byte) (httpError, bool) {
	refuse := func(name, message string) (httpError, bool) {
		return httpError{http.StatusForbidden, name, message}, true
	}
	auth := r.Header.Get("Authorization")
	if token, ok := strings.CutPrefix(auth, bearer); ok && token != "" {
		if _, _, only := findCredentials(r.Context(), ""); only {
			return refuse("AccessDeniedException", "Authentication failed: Please make sure your API Key is valid.")
		}
		return httpError{}, false
	}
	if auth == "" {
		return refuse("MissingAuthenticationTokenException", noToken)
	}
	s, ok := parseSignature(auth)
	if !ok {
		return refuse("IncompleteSignatureException", "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters.")
	}
	at, err := time.Parse(amzDate, r.Header.Get("X-Amz-Date"))
	switch {
	case err != nil || at.UTC().Format("20060102") != s.date:
		return refuse("IncompleteSignatureException", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.")
	case time.Since(at).Abs() > maxSkew:
		return refuse("InvalidSignatureException", "Signature expired or not yet current: "+r.Header.Get("X-Amz-Date"))
	case s.service != service:
		return refuse("InvalidSignatureException", "Credential should be scoped to correct service: '"+service+"'.")
	case !slices.Contains(s.headers, "host") || !slices.Contains(s.headers, "x-amz-date"):
		return refuse("InvalidSignatureException", "'Host' and 'X-Amz-Date' must be signed headers.")
	}
	creds, found, only := findCredentials(r.Context(), s.key)
	switch {
	case !found && only, found && creds.SessionToken != "" && creds.SessionToken != r.Header.Get("X-Amz-Security-Token"):
		return refuse("UnrecognizedClientException", "The security token included in the request is invalid.")
	case found && !s.matches(r, body, creds, at):
		return refuse("InvalidSignatureException", mismatched)
	}
	return httpError{}, false
}

// matches signs the request again, with the same signed headers, and compares the signatures.
func (s signature) matches(r *http.Request, body []byte, creds aws.Credentials, at time.Time) bool {
	again := (&http.Request{
		Method: r.Method,
		Host:   r.Host,
		URL:    &url.URL{Host: r.Host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery},
		Header: http.Header{},
	}).WithContext(r.Context())
	for _, name := range s.headers {
		switch name {
		case "host":
		case "content-length":
			again.ContentLength = int64(len(body))
		default:
			name = http.CanonicalHeaderKey(name)
			again.Header[name] = slices.Clone(r.Header[name])
		}
	}
	creds.SessionToken = r.Header.Get("X-Amz-Security-Token") // the signer adds it to the headers
	if err := sign(again, body, creds, s.region, at); err != nil {
		return false
	}
	mine, ok := parseSignature(again.Header.Get("Authorization"))
	return ok && slices.Equal(mine.headers, s.headers) && hmac.Equal([]byte(mine.value), []byte(s.value))
}
