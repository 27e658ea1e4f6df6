package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/oidc/oidctest"
)

// fakeAWS answers as the services do. A request that no answer is set for succeeds.
type fakeAWS struct {
	mu      sync.Mutex
	answers map[string]func(http.ResponseWriter) // by bucket, DynamoDB operation, or "model"
	seen    map[string]int
}

func (f *fakeAWS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.Trim(r.URL.Path, "/")
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		_, name, _ = strings.Cut(target, ".")
	} else if strings.HasPrefix(name, "model/") {
		name = "model"
	}
	f.mu.Lock()
	f.seen[name]++
	answer := f.answers[name]
	f.mu.Unlock()
	if answer != nil {
		answer(w)
	}
}

// fail answers with an error of a JSON protocol.
func fail(status int, code, message string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("X-Amzn-Errortype", code)
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"__type":%q,"message":%q}`, code, message)
	}
}

// head answers a HEAD request, whose errors do not have a body.
func head(status int, region string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		if region != "" {
			w.Header().Set("X-Amz-Bucket-Region", region)
		}
		w.WriteHeader(status)
	}
}

func newFakeAWS(t *testing.T) (*fakeAWS, config) {
	t.Helper()
	f := &fakeAWS{seen: map[string]int{}}
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	missing := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": srv.URL, "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": missing, "AWS_SHARED_CREDENTIALS_FILE": missing,
		"AWS_MAX_ATTEMPTS": "1", "AWS_PROFILE": "",
	} {
		t.Setenv(name, value)
	}
	return f, config{
		aws: true, addr: "127.0.0.1:0", model: "some.model", landing: "books-landing", raw: "books-raw", table: "books",
		getenv: os.Getenv, log: slog.New(slog.DiscardHandler),
	}
}

// Each failure has one line that says what to do, and all of them are reported together.
func TestEverythingThatIsMissingOnAWSIsReportedTogether(t *testing.T) {
	f, c := newFakeAWS(t)
	issuer, err := oidctest.New(nil)
	require.NoError(t, err)
	c.issuer, c.audience = issuer.URL(), issuer.ClientID()
	require.NoError(t, issuer.Close()) // it cannot be reached
	f.answers = map[string]func(http.ResponseWriter){
		"books-landing": head(http.StatusNotFound, ""),
		"books-raw":     head(http.StatusForbidden, "eu-central-1"),
		"DescribeTable": fail(http.StatusBadRequest, "ResourceNotFoundException", "Requested resource not found"),
		"model":         fail(http.StatusForbidden, "AccessDeniedException", "You don't have access to the model."),
	}
	_, err = start(t.Context(), c)
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 6, "%v", err)
	require.Equal(t, "-aws: 5 checks failed:", lines[0])
	for n, want := range []string{
		`bucket "books-landing": does not exist: create it (see deploy/storage.yaml), or name another one with -landing`,
		`bucket "books-raw": access is denied: allow s3:ListBucket on it, or, if it is another account's, name another one with -raw`,
		`table "books": does not exist, and -aws does not create it: create it (see deploy/storage.yaml), or name another one with -table`,
		`model "some.model": access is denied in eu-central-1: request access to the model in the Bedrock console, and allow ` +
			`bedrock:InvokeModelWithResponseStream on it. The service says: You don't have access to the model.`,
	} {
		require.Equal(t, want, lines[n+1])
	}
	require.Contains(t, lines[5], "its configuration cannot be read: check -issuer and the network")
	require.Zero(t, f.seen["CreateTable"])
}

func TestSingleFailuresOnAWS(t *testing.T) {
	f, c := newFakeAWS(t)
	for name, v := range map[string]struct {
		answers map[string]func(http.ResponseWriter)
		want    string
	}{
		"a bucket of another region": {
			map[string]func(http.ResponseWriter){"books-raw": head(http.StatusMovedPermanently, "us-west-2")},
			`bucket "books-raw": is in the region us-west-2, not in eu-central-1: set AWS_REGION, or name another bucket with -raw`,
		},
		"a table with other keys": {
			map[string]func(http.ResponseWriter){"DescribeTable": func(w http.ResponseWriter) {
				_, _ = w.Write([]byte(`{"Table":{"TableName":"books","TableStatus":"ACTIVE","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],` +
					`"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}]}}`))
			}},
			`table "books": create it as deploy/storage.yaml does, or name another one with -table: `,
		},
		"a table that may not be described": {
			map[string]func(http.ResponseWriter){"DescribeTable": fail(http.StatusBadRequest, "AccessDeniedException", "no")},
			`table "books": access is denied: allow dynamodb:DescribeTable`,
		},
		"a model that does not exist": {
			map[string]func(http.ResponseWriter){"model": fail(http.StatusBadRequest, "ValidationException", "The provided model identifier is invalid.")},
			`model "some.model": cannot be called in eu-central-1: name a model or an inference profile of this region with -model. ` +
				"The service says: The provided model identifier is invalid.",
		},
		"credentials that expired": {
			map[string]func(http.ResponseWriter){"model": fail(http.StatusForbidden, "ExpiredTokenException", "expired")},
			`model "some.model": the credentials have expired: sign in again`,
		},
	} {
		f.mu.Lock()
		f.answers = v.answers
		f.mu.Unlock()
		_, err := amazon(t.Context(), c)
		require.ErrorContains(t, err, v.want, name)
	}
}

// Nothing listens at the endpoint, so each service says what to check, also the model.
func TestServicesThatCannotBeReached(t *testing.T) {
	f, c := newFakeAWS(t)
	gone := httptest.NewServer(f)
	t.Setenv("AWS_ENDPOINT_URL", gone.URL)
	gone.Close()
	_, err := amazon(t.Context(), c)
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 5, "%v", err)
	require.Equal(t, "-aws: 4 checks failed:", lines[0])
	for n, name := range []string{`bucket "books-landing"`, `bucket "books-raw"`, `table "books"`, `model "some.model"`} {
		require.True(t, strings.HasPrefix(lines[n+1], name+": cannot be reached: check AWS_REGION and the network: "), lines[n+1])
	}
	require.NotContains(t, err.Error(), "create table", "nothing is created")
}

// The service is busy, which passes: the model may well be there at the first run.
func TestABusyModelDoesNotFailTheCheck(t *testing.T) {
	f, c := newFakeAWS(t)
	f.answers = map[string]func(http.ResponseWriter){
		"DescribeTable": fail(http.StatusBadRequest, "ResourceNotFoundException", "none"),
		"model":         fail(http.StatusTooManyRequests, "ThrottlingException", "slow down"),
	}
	_, err := amazon(t.Context(), c)
	require.ErrorContains(t, err, `table "books"`)
	require.NotContains(t, err.Error(), "model")
	require.Equal(t, 1, f.seen["model"])

	t.Setenv(runtimeAPI, "127.0.0.1:1")
	_, err = amazon(t.Context(), c)
	require.ErrorContains(t, err, `table "books"`)
	require.Equal(t, 1, f.seen["model"], "the starts of a function do not ask the model")
}

func TestWithoutARegionOrCredentialsTheServicesAreNotAsked(t *testing.T) {
	f, c := newFakeAWS(t)
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	_, err := amazon(t.Context(), c)
	require.EqualError(t, err, "-aws: no region: set AWS_REGION")
	t.Setenv("AWS_REGION", "eu-central-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	_, err = amazon(t.Context(), c)
	require.ErrorContains(t, err, "-aws: no credentials: set AWS_PROFILE")
	require.Empty(t, f.seen)
}

func TestChecksAreBoundedInTimeAndRunTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		silent := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		begin := time.Now()
		err := runChecks(t.Context(), []check{
			{"one", silent}, {"two", func(context.Context) error { return nil }}, {"three", silent},
		})
		require.EqualError(t, err, "2 checks failed:\none: no answer within 10s: check AWS_REGION and the network\n"+
			"three: no answer within 10s: check AWS_REGION and the network")
		require.Equal(t, checkTime, time.Since(begin))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, runChecks(ctx, []check{{"one", silent}}), context.Canceled)
	})
}
