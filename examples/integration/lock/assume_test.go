package lock

import (
	"context"
	"crypto/rand"
	"errors"
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/stretchr/testify/require"
	"github.com/versity/versitygw/iamapi/policy"
	"github.com/versity/versitygw/iamapi/storage"
	"github.com/versity/versitygw/iamapi/types"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/credential"
)

const (
	account  = "000000000000" // the IAM service's account
	roleName = "carrel-tenant"
	roleARN  = "arn:aws:iam::" + account + ":role/" + roleName
	roleID   = "AROACARRELTENANT0000"

	// The role allows everything in both services, so that only the policy of the
	// session restricts it.
	rolePolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","dynamodb:*"],"Resource":"*"}]}`
)

// assumer stands in for STS. It checks AssumeRole's parameters as AWS documents
// them and stores the session for the IAM service.
type assumer struct {
	iam   storage.Storer
	ended bool // the servers treat new sessions as expired
}

func newAssumer(ctx context.Context, iam storage.Storer) (assumer, error) {
	_, err := iam.CreateRole(ctx, types.Role{
		Path: "/", RoleName: roleName, RoleID: roleID, Arn: roleARN, CreateDate: time.Now().UTC(),
		AssumeRolePolicyDocument: `{"Version":"2012-10-17","Statement":[]}`,
	})
	if err != nil {
		return assumer{}, err
	}
	err = iam.PutRolePolicy(ctx, storage.PutRolePolicyInput{RoleName: roleName, PolicyName: "all", PolicyDocument: rolePolicy})
	return assumer{iam: iam}, err
}

var sessionNameGrammar = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)

func (a *assumer) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput, _ ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	text := aws.ToString(in.Policy)
	seconds := aws.ToInt32(in.DurationSeconds)
	switch {
	case aws.ToString(in.RoleArn) != roleARN:
		return nil, errors.New("unknown RoleArn")
	case !sessionNameGrammar.MatchString(aws.ToString(in.RoleSessionName)):
		return nil, errors.New("invalid RoleSessionName")
	case seconds < 900 || seconds > 43200:
		return nil, errors.New("invalid DurationSeconds: must be 900 to 43200")
	case text == "" || len(text) > policy.MaxSessionPolicyBytes:
		return nil, errors.New("invalid Policy")
	}
	if err := policy.Parse(text); err != nil {
		return nil, err
	}
	s := types.Session{
		AccessKeyId: "ASIA" + rand.Text()[:16], SecretAccessKey: rand.Text(), SessionToken: rand.Text() + rand.Text(),
		RoleArn: roleARN, RoleName: roleName, RoleID: roleID, RoleSessionName: *in.RoleSessionName,
		CreateDate: time.Now().UTC(), Expiration: time.Now().UTC().Add(time.Duration(seconds) * time.Second), Policy: text,
	}
	end := s.Expiration
	if a.ended {
		s.Expiration = s.CreateDate.Add(-time.Second)
	}
	if _, err := a.iam.CreateSession(ctx, s); err != nil {
		return nil, err
	}
	return &sts.AssumeRoleOutput{Credentials: &ststypes.Credentials{
		AccessKeyId: &s.AccessKeyId, SecretAccessKey: &s.SecretAccessKey, SessionToken: &s.SessionToken, Expiration: &end,
	}}, nil
}

// newVendor returns a vendor without sessions and ends all other sessions. The
// IAM service reads all sessions for each request, so the tests keep their
// number small. Tests that call newVendor cannot be parallel.
func newVendor(t *testing.T) *credential.Vendor {
	t.Helper()
	end := time.Now().Add(24 * time.Hour) // a session of that time removes the present ones, since they have expired
	_, err := world.iam.CreateSession(t.Context(), types.Session{AccessKeyId: "ASIAEND", CreateDate: end, Expiration: time.Now()})
	require.NoError(t, err)
	v, err := credential.New(&world.sts, roleARN, newResources(), nil)
	require.NoError(t, err)
	return v
}

// endedSession returns the credentials of an expired session that look valid to
// the client.
func endedSession(t *testing.T, s scope.Scope, p credential.Purpose) aws.Credentials {
	t.Helper()
	v, err := credential.New(&assumer{iam: world.iam, ended: true}, roleARN, newResources(), nil)
	require.NoError(t, err)
	c, err := v.Retrieve(t.Context(), s, p)
	require.NoError(t, err)
	return c
}
