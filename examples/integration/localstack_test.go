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
		t.Skipf("%s=%s: what LocalStack alone has is not run", backend.Variable, servers.Kind)
	}
}

// What LocalStack refuses of a presigned URL, beyond TestPresignedPut, and what it lets through of the rest. AWS
// refuses all of it, and so does versitygw, against which the same is tested; a LocalStack that does better fails this
// test, so that the list, and the one in docs/backends.md, stays true.
func TestLocalStackChecks(t *testing.T) {
	needLocalStack(t)
	b, _, bucket := newBucket(t)
	signer, err := presign.New(servers.S3, b, nil)
	require.NoError(t, err)
	user, err := acme(t).User("u1")
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
		r := request(t, g, nil)
		change(r)
		return r
	}
	form := func(body string, change func(fields map[string]string)) *http.Request {
		f, err := signer.Post(t.Context(), session, "form.txt", &presign.PostOptions{Type: "text/plain", MaxSize: int64(len(text))})
		require.NoError(t, err)
		change(f.Fields)
		return formRequest(t, f, body)
	}
	raw := func(c *s3.Client) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, *servers.S3.Options().BaseEndpoint+"/"+bucket+"/"+ref.Key(), nil)
		require.NoError(t, err)
		if c != nil {
			sign(t, r, nil, "s3", c.Options().Credentials)
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
		{"nobody's request", raw(nil), false},
	} {
		t.Run(c.what, func(t *testing.T) {
			status := send(t, c.request)
			if c.refused {
				require.Contains(t, []int{http.StatusBadRequest, http.StatusForbidden}, status)
			} else {
				require.Contains(t, []int{http.StatusOK, http.StatusNoContent}, status)
			}
		})
	}
}

// formRequest returns the request that a browser sends for a form.
func formRequest(t *testing.T, f presign.Form, file string) *http.Request {
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

func sign(t *testing.T, r *http.Request, body []byte, service string, keys aws.CredentialsProvider) {
	t.Helper()
	k, err := keys.Retrieve(t.Context())
	require.NoError(t, err)
	sum := sha256.Sum256(body)
	digest := hex.EncodeToString(sum[:])
	r.Header.Set("X-Amz-Content-Sha256", digest)
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), k, r, digest, service, "us-east-1", time.Now()))
}

// The table as CloudFormation makes it of the template is the one that CreateTable makes.
func TestTemplate(t *testing.T) {
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
			t.Cleanup(func() { // the template keeps the table when the stack goes
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

// cloudFormation asks by the form that CloudFormation takes, and returns its XML.
func cloudFormation(t *testing.T, form url.Values) string {
	t.Helper()
	form.Set("Version", "2010-05-15")
	body := []byte(form.Encode())
	o := servers.DynamoDB.Options()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, *o.BaseEndpoint+"/", bytes.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sign(t, r, body, "cloudformation", o.Credentials)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, string(answer))
	return string(answer)
}
