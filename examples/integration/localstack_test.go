package integration_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/integration/backend"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope/table/dynamo"
)

func needLocalStack(t *testing.T) {
	if servers.Kind != backend.LocalStack {
		t.Skipf("%s=%s: skipping a test of LocalStack", backend.Variable, servers.Kind)
	}
}

// The list has the properties of a presigned URL, beyond TestPresignedPutRejectsOtherUploads, that LocalStack checks
// and does not check. AWS and versitygw check all of them. The test also fails if LocalStack begins to check one, so
// that the list in docs/backends.md stays true.
func TestLocalStackChecksOnlyTheListedProperties(t *testing.T) {
	t.Parallel()
	needLocalStack(t)
	b, _, bucket := newBucket(t)
	signer, err := presign.New(servers.S3, b, nil)
	require.NoError(t, err)
	user, err := newAcme(t).User("u1")
	require.NoError(t, err)
	session, err := user.NewSession()
	require.NoError(t, err)
	root, err := b.In(session)
	require.NoError(t, err)
	const text = "what is uploaded"
	ref, err := root.Ref("there.txt")
	require.NoError(t, err)
	ref, _, err = root.Put(t.Context(), ref, strings.NewReader(text), nil)
	require.NoError(t, err)

	get := func(change func(*http.Request)) *http.Request {
		g, err := signer.Get(t.Context(), ref, nil)
		require.NoError(t, err)
		r := newGrantRequest(t, g, nil)
		change(r)
		return r
	}
	form := func(body string, change func(fields map[string]string)) *http.Request {
		f, err := signer.Post(t.Context(), session, "form.txt", &presign.PostOptions{Type: "text/plain", MaxSize: int64(len(text))})
		require.NoError(t, err)
		change(f.Fields)
		return newFormRequest(t, f, body)
	}
	raw := func(c *s3.Client) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, *servers.S3.Options().BaseEndpoint+"/"+bucket+"/"+ref.Key(), nil)
		require.NoError(t, err)
		if c != nil {
			signRequest(t, r, nil, "s3", c.Options().Credentials)
		}
		return r
	}
	wrong := s3.New(s3.Options{Credentials: credentials.NewStaticCredentialsProvider("test", "wrong", "")})

	for _, c := range []struct {
		what    string
		request *http.Request
		refused bool
	}{
		{"GET as granted", get(func(*http.Request) {}), false},
		{"GET of another key", get(func(r *http.Request) { r.URL.Path = strings.Replace(r.URL.Path, "u1", "u2", 1); r.URL.RawPath = "" }), true},
		{"GET with another signature", get(func(r *http.Request) { setQuery(r.URL, "X-Amz-Signature", strings.Repeat("0", 64)) }), true},
		{"GET with another disposition", get(func(r *http.Request) { setQuery(r.URL, "response-content-disposition", "inline") }), true},
		{"GET with a longer life", get(func(r *http.Request) { setQuery(r.URL, "X-Amz-Expires", "604799") }), true},
		{"form as granted", form(text, func(map[string]string) {}), false},
		{"form for another key", form(text, func(f map[string]string) { f["key"] = strings.Replace(f["key"], "u1", "u2", 1) }), true},
		{"form for another type", form(text, func(f map[string]string) { f["Content-Type"] = "text/html" }), true},
		{"form with more bytes", form(text+"!", func(map[string]string) {}), true},

		{"form with another signature", form(text, func(f map[string]string) { f["X-Amz-Signature"] = strings.Repeat("0", 64) }), false},
		{"form with one more field", form(text, func(f map[string]string) { f["x-amz-meta-a"] = "b" }), false},
		{"a wrong secret in the header", raw(wrong), false},
		{"an unsigned request", raw(nil), false},
	} {
		t.Run(c.what, func(t *testing.T) {
			status := doRequest(t, c.request)
			if c.refused {
				require.Contains(t, []int{http.StatusBadRequest, http.StatusForbidden}, status)
			} else {
				require.Contains(t, []int{http.StatusOK, http.StatusNoContent}, status)
			}
		})
	}
}

// newFormRequest returns the request that a browser sends for a form with a file.
func newFormRequest(t *testing.T, f presign.Form, file string) *http.Request {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, value := range f.Fields {
		require.NoError(t, w.WriteField(name, value))
	}
	part, err := w.CreateFormFile("file", "file")
	require.NoError(t, err)
	_, err = io.WriteString(part, file)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.URL, &body)
	require.NoError(t, err)
	r.Header.Set("Content-Type", w.FormDataContentType())
	return r
}

func signRequest(t *testing.T, r *http.Request, body []byte, service string, keys aws.CredentialsProvider) {
	t.Helper()
	k, err := keys.Retrieve(t.Context())
	require.NoError(t, err)
	sum := sha256.Sum256(body)
	digest := hex.EncodeToString(sum[:])
	r.Header.Set("X-Amz-Content-Sha256", digest)
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), k, r, digest, service, "us-east-1", time.Now()))
}

// CreateTable accepts the table that CloudFormation creates from the template.
func TestTemplateCreatesTheSameTable(t *testing.T) {
	t.Parallel()
	needLocalStack(t)
	template, err := os.ReadFile("../../scope/table/dynamo/table.template.json")
	require.NoError(t, err)
	ctx, c := t.Context(), servers.DynamoDB
	for i, listed := range [][]string{nil, {"filename", "user_id"}} {
		t.Run(fmt.Sprint("listed: ", listed), func(t *testing.T) {
			name := fmt.Sprintf("carrel-template-%d-%d", time.Now().UnixNano(), i)
			cloudFormation(t, url.Values{
				"Action": {"CreateStack"}, "StackName": {name}, "TemplateBody": {string(template)},
				"Parameters.member.1.ParameterKey": {"TableName"}, "Parameters.member.1.ParameterValue": {name},
				"Parameters.member.2.ParameterKey": {"Listed"}, "Parameters.member.2.ParameterValue": {strings.Join(listed, ",")},
			})
			var status string
			require.Eventually(t, func() bool {
				status = cloudFormation(t, url.Values{"Action": {"DescribeStacks"}, "StackName": {name}})
				return !strings.Contains(status, "CREATE_IN_PROGRESS")
			}, time.Minute, 200*time.Millisecond)
			require.Contains(t, status, "<StackStatus>CREATE_COMPLETE</StackStatus>")
			t.Cleanup(func() { // the template keeps the table when the stack is deleted
				ctx := context.WithoutCancel(ctx)
				_, err := c.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
				require.NoError(t, err)
			})

			ttl, err := c.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &name})
			require.NoError(t, err)
			require.Equal(t, types.TimeToLiveStatusEnabled, ttl.TimeToLiveDescription.TimeToLiveStatus)
			require.NoError(t, dynamo.CreateTable(ctx, c, name, &dynamo.TableOptions{Listed: listed}), "it is the same table")
			require.ErrorIs(t, dynamo.CreateTable(ctx, c, name, &dynamo.TableOptions{Listed: []string{"other"}}), dynamo.ErrLayout)
		})
	}
}

// cloudFormation sends a request to CloudFormation and returns the XML of the response.
func cloudFormation(t *testing.T, form url.Values) string {
	t.Helper()
	form.Set("Version", "2010-05-15")
	body := []byte(form.Encode())
	o := servers.DynamoDB.Options()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, *o.BaseEndpoint+"/", bytes.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	signRequest(t, r, body, "cloudformation", o.Credentials)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, string(answer))
	return string(answer)
}
