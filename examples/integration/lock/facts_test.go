package lock

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/gofiber/fiber/v3"
	"github.com/versity/versitygw/iamapi/private"
)

// versitygw does not pass some condition keys of AWS to its IAM service: the
// owner of the bucket and the properties of a write. A middleware in the gateway
// puts them into the request's User-Agent, which is not signed and is the only
// header that the gateway passes on. A proxy before the IAM service takes them
// out again. versitygw itself evaluates the policies.

// owner is the account that owns the buckets and the tables.
var owner atomic.Pointer[string]

// noteFacts is the middleware that adds the facts to the User-Agent.
func noteFacts(c fiber.Ctx) error {
	facts := url.Values{}
	if v := c.Get("If-None-Match"); v != "" {
		facts.Set("s3:if-none-match", v)
	}
	_, part := c.Queries()["partNumber"]
	_, begin := c.Queries()["uploads"]
	if method := c.Method(); method == http.MethodPut || method == http.MethodPost {
		// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
		facts.Set("s3:ObjectCreationOperation", strconv.FormatBool(!part && !begin))
	}
	if at, err := time.Parse("20060102T150405Z", c.Query("X-Amz-Date")); err == nil { // only presigned requests have it
		facts.Set("s3:signatureAge", strconv.FormatInt(time.Since(at).Milliseconds(), 10))
	}
	c.Request().Header.SetUserAgent(facts.Encode())
	return c.Next()
}

// informer is the proxy before the IAM service's private endpoints.
type informer struct {
	upstream *http.Client
	signer   *v4.Signer
}

// startInformer listens on one socket and forwards to the service on the other.
func startInformer(ctx context.Context, socket, upstream string) (func() error, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", upstream)
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: &informer{
		upstream: &http.Client{Transport: &http.Transport{DialContext: dial}},
		signer:   v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }),
	}}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	return func() error {
		err := server.Close()
		<-ended
		return err
	}, nil
}

func (p *informer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	res, err := p.forwardRequest(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = res.Body.Close() }()
	for name, values := range res.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(res.StatusCode)
	_, _ = io.Copy(w, res.Body)
}

func (p *informer) forwardRequest(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if r.URL.Path == private.EvaluatePath {
		if body, err = addFacts(body); err != nil {
			return nil, err
		}
	}
	out, err := http.NewRequestWithContext(r.Context(), r.Method, "http://unix"+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	for name, value := range map[string]string{
		"Content-Type": "application/json", private.ProtocolHeader: r.Header.Get(private.ProtocolHeader),
		"X-Amz-Content-Sha256": hex.EncodeToString(sum[:]),
	} {
		out.Header.Set(name, value)
	}
	root := aws.Credentials{AccessKeyID: access, SecretAccessKey: secret}
	if err := p.signer.SignHTTP(r.Context(), root, out, hex.EncodeToString(sum[:]), "iam", "us-east-1", time.Now()); err != nil {
		return nil, err
	}
	return p.upstream.Do(out)
}

// addFacts adds the facts to the conditions of an authorization request.
func addFacts(body []byte) ([]byte, error) {
	var q private.EvaluatePolicyRequest
	if err := json.Unmarshal(body, &q); err != nil {
		return nil, err
	}
	facts, err := url.ParseQuery(strings.Join(q.Condition["aws:UserAgent"], ""))
	if err != nil {
		return nil, err
	}
	delete(q.Condition, "aws:UserAgent")
	for name, values := range facts {
		q.Condition[name] = values
	}
	q.Condition["aws:ResourceAccount"] = []string{*owner.Load()}
	return json.Marshal(q)
}
