package bedrocktest_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/agent/bedrock/internal/memnet"
)

// signed returns a request with the signature of the SDK's signer.
func signed(t *testing.T, path, body string) *http.Request {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	hash := sha256.Sum256([]byte(body))
	creds := aws.Credentials{AccessKeyID: "bedrocktest", SecretAccessKey: "bedrocktest"}
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), creds, r, hex.EncodeToString(hash[:]), "bedrock", "us-east-1", time.Now()))
	return r
}

// A request with an invalid signature is refused before its body is checked.
func TestChecksSignatures(t *testing.T) {
	t.Parallel()
	const path = "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A111122223333%3Ainference-profile%2Fa.b%3A0/converse-stream"
	auth := func(old, new string) func(*http.Request) {
		return func(r *http.Request) {
			h := r.Header.Get("Authorization")
			r.Header.Set("Authorization", strings.Replace(h, old, new, 1))
			if r.Header.Get("Authorization") == h {
				panic("nothing replaced in " + h)
			}
		}
	}
	for name, c := range map[string]struct {
		change func(*http.Request)
		want   string
	}{
		"good":                                   {func(*http.Request) {}, ""},
		"headers that are not signed may change": {func(r *http.Request) { r.Header.Set("User-Agent", "x") }, ""},
		"a bearer token":                         {func(r *http.Request) { r.Header.Set("Authorization", "Bearer key") }, ""},
		"somebody else's key":                    {auth("Credential=bedrocktest/", "Credential=AKIDEXAMPLE/"), ""},
		"no signature":                           {func(r *http.Request) { r.Header.Del("Authorization") }, "MissingAuthenticationTokenException"},
		"no token":                               {func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") }, "IncompleteSignatureException"},
		"another scheme":                         {func(r *http.Request) { r.Header.Set("Authorization", "Basic eDp5") }, "IncompleteSignatureException"},
		"half a scope":                           {auth("/aws4_request", ""), "IncompleteSignatureException"},
		"another service":                        {auth("/bedrock/", "/s3/"), "InvalidSignatureException"},
		"another region":                         {auth("/us-east-1/", "/us-east-2/"), "InvalidSignatureException"},
		"another signature":                      {auth("Signature=", "Signature=0"), "InvalidSignatureException"},
		"the host is not signed":                 {auth("host;", ""), "InvalidSignatureException"},
		"somebody else's, over no host": {func(r *http.Request) {
			auth("Credential=bedrocktest/", "Credential=AKIDEXAMPLE/")(r)
			auth("host;", "")(r)
		}, "InvalidSignatureException"},
		"another body":  {func(r *http.Request) { r.Body = http.NoBody }, "InvalidSignatureException"},
		"another host":  {func(r *http.Request) { r.Host = "else.example" }, "InvalidSignatureException"},
		"another query": {func(r *http.Request) { r.URL.RawQuery = "x=1" }, "InvalidSignatureException"},
		"another model": {func(r *http.Request) {
			r.URL.Path = strings.Replace(r.URL.Path, "us-east-1", "us-east-2", 1)
			r.URL.RawPath = strings.Replace(r.URL.RawPath, "us-east-1", "us-east-2", 1)
		}, "InvalidSignatureException"},
		"another date":         {func(r *http.Request) { r.Header.Set("X-Amz-Date", "20200101T000000Z") }, "IncompleteSignatureException"},
		"a signed header gone": {func(r *http.Request) { r.Header.Del("X-Amz-Date") }, "IncompleteSignatureException"},
	} {
		t.Run(name, func(t *testing.T) {
			s := bt.NewScript(bt.Reply(bt.Text("ok")))
			r := signed(t, path, body)
			c.change(r)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if c.want == "" {
				require.Equal(t, http.StatusOK, w.Code, w.Body.String())
				require.Equal(t, "arn:aws:bedrock:us-east-1:111122223333:inference-profile/a.b:0", s.Requests()[0].Model)
				return
			}
			require.Equal(t, http.StatusForbidden, w.Code)
			require.Equal(t, c.want, w.Header().Get("X-Amzn-ErrorType"))
			require.Error(t, s.Err())
		})
	}
	t.Run("an old one", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := signed(t, path, body)
			<-time.After(6 * time.Minute)
			w := httptest.NewRecorder()
			bt.NewScript(bt.Reply()).ServeHTTP(w, r)
			require.Equal(t, http.StatusForbidden, w.Code)
			require.Contains(t, w.Body.String(), "Signature expired")
		})
	})
}

// The SDK's own signature is verified, session token and all, and a client with a wrong secret is denied.
func TestVerifiesTheSDK(t *testing.T) {
	t.Parallel()
	with := func(secret, token string) error {
		var err error
		synctest.Test(t, func(t *testing.T) {
			client, stop := memnet.Serve(bt.NewScript(bt.Reply(bt.Text("ok"))))
			defer stop()
			c := bt.NewClient(memnet.URL, func(o *bedrockruntime.Options) {
				o.HTTPClient = client
				o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{AccessKeyID: "bedrocktest", SecretAccessKey: secret, SessionToken: token}, nil
				})
			})
			_, err = collect(t.Context(), must(bedrock.New(c, "arn:aws:bedrock:us-east-1:111122223333:inference-profile/c:d", nil)), ask())
		})
		return err
	}
	require.NoError(t, with("bedrocktest", ""))
	require.NoError(t, with("bedrocktest", "a-token"))
	err := with("guessed", "")
	require.ErrorContains(t, err, "The request signature we calculated does not match")
	require.ErrorContains(t, err, string(agent.CodeAccessDenied))
}

// A refused request receives the service's error from a Front and from a Script.
func TestRefusals(t *testing.T) {
	t.Parallel()
	model := yields(nil, agent.TextDelta{Text: "ok"}, agent.StopPart{Reason: agent.StopEndTurn})
	const prompt = "arn:aws:bedrock:us-east-1:111122223333:prompt%2FP1"
	topP := `{"inferenceConfig":{"topP":1},"messages":[` + asks + `]}`
	system := `{"system":[{"text":"x"}],"messages":[` + asks + `]}`
	for name, c := range map[string]struct {
		h             http.Handler
		path, body    string
		error, phrase string
	}{
		"valid":             {bt.Front(model), "m/converse-stream", body, "", "ok"},
		"invalid":           {bt.Front(model), "m/converse-stream", `{"messages":[]}`, "ValidationException", "The messages field is empty"},
		"unsupported field": {bt.Front(model), "m/converse-stream", topP, "ValidationException", "This model doesn't support the topP field"},
		"prompt":            {bt.Front(model), prompt + "/converse-stream", system, "ValidationException", "The system field can't be set"},
		"after the script":  {bt.NewScript(), "m/converse-stream", body, "ValidationException", "The script has no step for this request."},
		"unknown operation": {bt.Front(model), "m/invoke", body, "UnknownOperationException", "not supported"},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			c.h.ServeHTTP(w, request("/model/"+c.path, c.body))
			require.Equal(t, c.error, w.Header().Get("X-Amzn-ErrorType"))
			require.Contains(t, w.Body.String(), c.phrase)
		})
	}
}
