package bedrocktest

import (
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
	mismatched = "The request signature we calculated does not match the signature you provided. Check your AWS Secret " +
		"Access Key and signing method. Consult the service documentation for details."
)

// signature is a parsed Authorization header of Signature Version 4.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
type signature struct {
	key, date, region, service string
	headers                    []string // signed ones, in lower case
	value                      string
}

func parseSignature(h string) (s signature, ok bool) {
	rest, ok := strings.CutPrefix(h, "AWS4-HMAC-SHA256 ")
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

// authenticate returns the service's error and true if it would refuse the caller. It accepts every bearer token. A
// signature must be well-formed, fresh, for this service, and cover the host and the date. If its key is that of
// [NewClient], it must also be correct.
func authenticate(r *http.Request, body []byte) (httpError, bool) {
	refuse := func(name, message string) (httpError, bool) {
		return httpError{http.StatusForbidden, name + "Exception", message}, true
	}
	auth := r.Header.Get("Authorization")
	if token, ok := strings.CutPrefix(auth, "Bearer "); ok && token != "" {
		return httpError{}, false
	}
	if auth == "" {
		return refuse("MissingAuthenticationToken", "Missing Authentication Token")
	}
	s, ok := parseSignature(auth)
	if !ok {
		return refuse("IncompleteSignature",
			"Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters.")
	}
	at, err := time.Parse(amzDate, r.Header.Get("X-Amz-Date"))
	switch {
	case err != nil || at.UTC().Format("20060102") != s.date:
		return refuse("IncompleteSignature",
			"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.")
	case time.Since(at).Abs() > maxSkew:
		return refuse("InvalidSignature", "Signature expired or not yet current: "+r.Header.Get("X-Amz-Date"))
	case s.service != service:
		return refuse("InvalidSignature", "Credential should be scoped to correct service: '"+service+"'.")
	case !slices.Contains(s.headers, "host") || !slices.Contains(s.headers, "x-amz-date"):
		return refuse("InvalidSignature", "'Host' and 'X-Amz-Date' must be signed headers.")
	case s.key == accessKey && !s.isCorrect(r, body, at):
		return refuse("InvalidSignature", mismatched)
	}
	return httpError{}, false
}

// isCorrect signs the request again, with the same signed headers, and compares the signatures.
func (s signature) isCorrect(r *http.Request, body []byte, at time.Time) bool {
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
	creds := aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: secretKey}
	creds.SessionToken = r.Header.Get("X-Amz-Security-Token") // the signer adds it to the headers
	hash := sha256.Sum256(body)
	err := v4.NewSigner().SignHTTP(r.Context(), creds, again, hex.EncodeToString(hash[:]), service, s.region, at)
	if err != nil {
		return false
	}
	mine, ok := parseSignature(again.Header.Get("Authorization"))
	return ok && slices.Equal(mine.headers, s.headers) && hmac.Equal([]byte(mine.value), []byte(s.value))
}
