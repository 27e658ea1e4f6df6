package lock

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/versity/versitygw/iamapi/types"
)

var authorizationGrammar = regexp.MustCompile(
	`^AWS4-HMAC-SHA256 Credential=([A-Z0-9]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9]+)/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$`)

// authenticateRequest returns the session that has signed the request. It signs
// the request again with the secret of the session and compares the signatures.
func (g *gate) authenticateRequest(r *http.Request, body []byte) (*types.Session, error) {
	m := authorizationGrammar.FindStringSubmatch(r.Header.Get("Authorization"))
	if m == nil {
		return nil, &deniedError{"MissingAuthenticationTokenException", "the request is not signed"}
	}
	key, day, in, service, signed := m[1], m[2], m[3], m[4], strings.Split(m[5], ";")
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	skew := time.Since(at).Abs()
	if err != nil || skew > 15*time.Minute || at.Format("20060102") != day || in != region || service != "dynamodb" {
		return nil, &deniedError{"InvalidSignatureException", "the time or the scope of the signature is not valid"}
	}
	for _, name := range []string{"host", "x-amz-date", "x-amz-target", "x-amz-security-token"} {
		if !slices.Contains(signed, name) {
			return nil, &deniedError{"InvalidSignatureException", name + " is not signed"}
		}
	}
	session, err := g.iam.GetSession(r.Context(), key)
	if err != nil {
		return nil, &deniedError{"UnrecognizedClientException", "the session does not exist or has expired"}
	}
	token := r.Header.Get("X-Amz-Security-Token")
	if subtle.ConstantTimeCompare([]byte(token), []byte(session.SessionToken)) != 1 {
		return nil, &deniedError{"UnrecognizedClientException", "the security token is invalid"}
	}

	again, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+r.Host+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	again.ContentLength = 0
	for _, name := range signed {
		switch name {
		case "host":
		case "content-length":
			again.ContentLength = int64(len(body))
		default:
			again.Header[http.CanonicalHeaderKey(name)] = r.Header.Values(name)
		}
	}
	sum := sha256.Sum256(body)
	creds := aws.Credentials{AccessKeyID: key, SecretAccessKey: session.SecretAccessKey, SessionToken: session.SessionToken}
	if err := v4.NewSigner().SignHTTP(r.Context(), creds, again, hex.EncodeToString(sum[:]), service, in, at); err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(again.Header.Get("Authorization")), []byte(r.Header.Get("Authorization"))) != 1 {
		return nil, &deniedError{"InvalidSignatureException", "the signature does not match"}
	}
	return session, nil
}
