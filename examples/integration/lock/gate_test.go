package lock

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"

	"github.com/versity/versitygw/iamapi/policy"
	"github.com/versity/versitygw/iamapi/storage"
	"github.com/versity/versitygw/iamapi/types"
)

// gate enforces IAM in front of DynamoDB. It forwards a request to the store if
// a valid session has signed it, and if the role's policy and the session's
// policy both allow all of its operations.
//
// The gate encodes the request that it forwards again. The store therefore reads a
// duplicate name or a trailing byte in the same way as the gate.
type gate struct {
	iam      storage.Storer
	upstream string // endpoint
}

// deniedError is a denial in the format of DynamoDB.
type deniedError struct{ code, message string }

func (r *deniedError) Error() string { return r.code + ": " + r.message }

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	res, err := g.handleRequest(r)
	if err != nil {
		bad, ok := errors.AsType[*deniedError](err)
		if !ok {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": "com.amazon.coral.service#" + bad.code, "message": bad.message})
		return
	}
	defer func() { _ = res.Body.Close() }()
	for name, values := range res.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(res.StatusCode)
	_, _ = io.Copy(w, res.Body)
}

func (g *gate) handleRequest(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 17<<20))
	if err != nil {
		return nil, err
	}
	session, err := g.authenticateRequest(r, body)
	if err != nil {
		return nil, err
	}
	op, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_20120810.")
	if !ok || r.Method != http.MethodPost || r.URL.Path != "/" {
		return nil, &deniedError{"UnknownOperationException", "unknown operation"}
	}
	if body, err = encodeCanonical(body); err != nil {
		return nil, &deniedError{"SerializationException", err.Error()}
	}
	var in map[string]json.RawMessage
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, &deniedError{"SerializationException", err.Error()}
	}
	uses, err := readUses(op, in)
	if err != nil {
		return nil, &deniedError{"ValidationException", err.Error()}
	}
	for _, u := range uses {
		if !isAllowed(session, u, r.TLS != nil) {
			return nil, &deniedError{"AccessDeniedException", fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s",
				session.RoleSessionName, u.action, u.resource)}
		}
	}
	out, err := http.NewRequestWithContext(r.Context(), http.MethodPost, g.upstream, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"Content-Type", "X-Amz-Target", "X-Amz-Date", "Authorization"} { // the store reads only the first two
		out.Header.Set(name, r.Header.Get(name))
	}
	return http.DefaultClient.Do(out)
}

// encodeCanonical returns the document with each name once, at every depth, with the
// value that encoding/json reads.
func encodeCanonical(body []byte) ([]byte, error) {
	var v any
	if err := json.Unmarshal(body, &v); err != nil { // DynamoDB encodes numbers as strings; other numbers are counts
		return nil, err
	}
	return json.Marshal(v)
}

// isAllowed reports whether both the role's and the session's policy allow the use.
func isAllowed(s *types.Session, u tableUse, secure bool) bool {
	rc := policy.RequestContext{Action: u.action, Resource: u.resource, Condition: map[string][]string{
		"aws:SecureTransport": {strconv.FormatBool(secure)}, "aws:ResourceAccount": {*owner.Load()},
	}}
	if len(u.keys) > 0 {
		rc.Condition["dynamodb:LeadingKeys"] = u.keys
	}
	for _, text := range []string{rolePolicy, s.Policy} {
		if policy.EvaluateIdentityPolicies([]types.PolicyEntry{{PolicyDocument: text}}, rc) != policy.DecisionAllow {
			return false
		}
	}
	return true
}

// newBlank returns an empty store that ignores writes.
func newBlank() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = io.WriteString(w, "{}")
	}))
}
