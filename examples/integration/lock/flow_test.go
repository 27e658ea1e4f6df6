package lock

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/credential"
	carrel "github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/s3object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/dynamo"
	"github.com/carrel-go/carrel/tracking"
)

// server combines the packages of the library like a service. It has only
// credentials for one scope and purpose at a time.
type server struct {
	landing, raw *carrel.Bucket
	signer       *presign.Signer
	tracker      *tracking.Tracker
}

func newServer(t *testing.T, of func(scope.Scope, credential.Purpose) aws.CredentialsProvider) server {
	t.Helper()
	bucket := func(name string, p credential.Purpose) *carrel.Bucket {
		b, err := s3object.Open(nil, name, &s3object.Options{For: func(_ context.Context, s scope.Scope) (s3object.Client, error) {
			return s3Client(of(s, p)), nil
		}})
		require.NoError(t, err)
		return b
	}
	sv := server{landing: bucket(landing, credential.Agent), raw: bucket(raw, credential.Agent|credential.Writer)}
	var err error
	sv.signer, err = presign.New(nil, sv.landing, &presign.Options{For: func(_ context.Context, s scope.Scope) (*s3.Client, error) {
		return s3Client(of(s, credential.Signer)), nil
	}})
	require.NoError(t, err)
	driver, err := dynamo.New(nil, world.table, &dynamo.Options{For: func(_ context.Context, s scope.Scope) (dynamo.Client, error) {
		return throughGate(of(s, purposeAt(s))), nil
	}})
	require.NoError(t, err)
	sv.tracker, err = tracking.New(must.Get(table.New(driver, nil)), tracking.Uploads(), nil)
	require.NoError(t, err)
	return sv
}

// Each step of an upload succeeds with credentials for one scope and one purpose.
// The same code fails with the credentials of another scope.
func TestUploadToAcceptanceWithScopedCredentials(t *testing.T) {
	needStore(t)
	ctx := t.Context()
	vendor := newVendor(t)
	sv := newServer(t, vendor.Provider)
	tenant, user := acme, must.Get(acme.User("reader"))
	session := must.Get(user.NewSession())

	body := []byte("a picture")
	grant, err := sv.signer.Put(ctx, session, "cover.png", &presign.PutOptions{Type: "image/png", Size: int64(len(body))})
	require.NoError(t, err)
	_, err = sv.tracker.Create(ctx, session, &tracking.CreateOptions{Filename: "cover.png", Due: grant.Expires})
	require.NoError(t, err)
	_, _, err = sv.signer.Arrived(ctx, session, "cover.png", nil)
	require.ErrorIs(t, err, presign.ErrNotArrived)
	require.Equal(t, http.StatusOK, sendGrant(t, grant, body))
	cover, _, err := sv.signer.Arrived(ctx, session, "cover.png", nil)
	require.NoError(t, err)

	attempt, err := sv.tracker.Claim(ctx, session, tracking.Enrichment, &tracking.ClaimOptions{
		Key: "run-1", Source: cover, Observed: &tracking.Observation{Stage: tracking.UserUpload, Dest: cover}})
	require.NoError(t, err)
	root, err := sv.landing.In(session)
	require.NoError(t, err)
	got, err := readFile(ctx, root, cover)
	require.NoError(t, err)
	require.Equal(t, string(body), got)
	require.NoError(t, attempt.Heartbeat(ctx))
	require.NoError(t, attempt.Park(ctx, time.Hour))

	attempt, err = sv.tracker.Claim(ctx, session, tracking.Enrichment, &tracking.ClaimOptions{Key: "accept"})
	require.NoError(t, err)
	rawRoot, metadata := openFile(t, sv.raw, session, "metadata.json")
	dest, info, err := rawRoot.Put(ctx, metadata, strings.NewReader(`{"title":"x"}`), nil)
	require.NoError(t, err)
	_, _, err = rawRoot.Put(ctx, metadata, strings.NewReader(`{"title":"y"}`), nil)
	require.ErrorIs(t, err, carrel.ErrExists)
	dest, _, err = rawRoot.Put(ctx, dest.Unpinned(), strings.NewReader(`{"title":"y"}`), &carrel.PutOptions{IfMatch: info.ETag})
	require.NoError(t, err)
	require.NoError(t, attempt.Complete(ctx, dest))

	rec, err := sv.tracker.Get(ctx, session)
	require.NoError(t, err)
	require.Equal(t, tracking.StatusSuccess, rec.Status)
	for _, s := range []scope.Scope{user, tenant} {
		page, err := sv.tracker.List(ctx, s, tracking.Filter{Class: tracking.ClassSuccess})
		require.NoError(t, err)
		require.Equal(t, session, page.Records[0].Scope)
		counts, err := sv.tracker.Count(ctx, s)
		require.NoError(t, err)
		require.Positive(t, counts.Success)
		_, err = sv.tracker.Find(ctx, s, session.SessionID())
		require.NoError(t, err)
	}

	// The server is forced to use the credentials of a session of another tenant,
	// of another session of the same user, and of a session of another user.
	for _, holder := range []scope.Scope{globexS, must.Get(user.NewSession()), must.Get(u1.Session(session.SessionID()))} {
		forced := newServer(t, func(_ scope.Scope, p credential.Purpose) aws.CredentialsProvider {
			return vendor.Provider(holder, p&^credential.Listing)
		})
		grant, err := forced.signer.Put(ctx, session, "second.png", &presign.PutOptions{Type: "image/png", Size: int64(len(body))})
		require.NoError(t, err)
		require.Equal(t, http.StatusForbidden, sendGrant(t, grant, body))
		_, _, err = forced.signer.Arrived(ctx, session, "cover.png", nil)
		require.ErrorIs(t, err, carrel.ErrDenied)
		root, err := forced.landing.In(session)
		require.NoError(t, err)
		_, err = readFile(ctx, root, cover)
		require.ErrorIs(t, err, carrel.ErrDenied)
		rawRoot, err := forced.raw.In(session)
		require.NoError(t, err)
		_, _, err = rawRoot.Put(ctx, dest.Unpinned(), strings.NewReader("z"), &carrel.PutOptions{Overwrite: true})
		require.ErrorIs(t, err, carrel.ErrDenied)
		require.ErrorIs(t, rawRoot.Delete(ctx, dest.Unpinned()), carrel.ErrDenied)
		_, err = forced.tracker.Get(ctx, session)
		require.ErrorIs(t, err, dynamo.ErrDenied)
		_, err = forced.tracker.Create(ctx, session, &tracking.CreateOptions{Filename: "cover.png"})
		require.ErrorIs(t, err, dynamo.ErrDenied)
		_, err = forced.tracker.Cancel(ctx, session)
		require.ErrorIs(t, err, dynamo.ErrDenied)
		_, err = forced.tracker.Claim(ctx, session, tracking.Enrichment, &tracking.ClaimOptions{Key: "x"})
		require.ErrorIs(t, err, dynamo.ErrDenied)
	}
	for _, holder := range []scope.Scope{globex, must.Get(globex.User("reader")), u1} {
		forced := newServer(t, func(_ scope.Scope, p credential.Purpose) aws.CredentialsProvider {
			return vendor.Provider(holder, p|credential.Listing)
		})
		for _, s := range []scope.Scope{user, tenant} {
			_, err = forced.tracker.List(ctx, s, tracking.Filter{})
			require.ErrorIs(t, err, dynamo.ErrDenied)
			_, err = forced.tracker.Count(ctx, s)
			require.ErrorIs(t, err, dynamo.ErrDenied)
			_, err = forced.tracker.Find(ctx, s, session.SessionID())
			require.ErrorIs(t, err, dynamo.ErrDenied)
		}
	}
	again, err := sv.tracker.Get(ctx, session)
	require.NoError(t, err)
	require.Equal(t, rec.Version, again.Version, "a denied request has changed the record")
	got, err = readFile(ctx, rawRoot, dest)
	require.NoError(t, err)
	require.JSONEq(t, `{"title":"y"}`, got)
}
