package integration_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/integration/backend"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/oidc"
)

// cognitoEndpoint returns the endpoint of Cognito: the value of its variable, or moto.
func cognitoEndpoint(t *testing.T) string {
	t.Helper()
	const variable = "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"
	url := os.Getenv(variable)
	if servers.Kind == backend.Moto {
		url = cmp.Or(url, os.Getenv("AWS_ENDPOINT_URL"), "http://127.0.0.1:5000")
	}
	if url == "" {
		t.Skip("skipping Cognito: set CARREL_BACKEND=moto or " + variable)
	}
	return strings.TrimSuffix(url, "/")
}

// pool is a user pool with one app client. Its users have their tenant in an immutable attribute.
type pool struct {
	id, client string
	api        *cognito.Client
}

func newPool(t *testing.T, endpoint string) pool {
	t.Helper()
	api := cognito.New(cognito.Options{
		Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	made, err := api.CreateUserPool(t.Context(), &cognito.CreateUserPoolInput{
		PoolName: aws.String("carrel-" + rand.Text()),
		Schema: []types.SchemaAttributeType{{
			Name: aws.String("tenant_id"), AttributeDataType: types.AttributeDataTypeString, Mutable: aws.Bool(false),
		}},
	})
	require.NoError(t, err)
	p := pool{id: *made.UserPool.Id, api: api}
	t.Cleanup(func() {
		_, err := api.DeleteUserPool(context.WithoutCancel(t.Context()), &cognito.DeleteUserPoolInput{UserPoolId: &p.id})
		require.NoError(t, err)
	})
	p.client = p.newClient(t)
	_, err = api.CreateGroup(t.Context(), &cognito.CreateGroupInput{UserPoolId: &p.id, GroupName: aws.String("ops")})
	require.NoError(t, err)
	return p
}

func (p pool) newClient(t *testing.T) string {
	t.Helper()
	made, err := p.api.CreateUserPoolClient(t.Context(), &cognito.CreateUserPoolClientInput{
		UserPoolId: &p.id, ClientName: aws.String("bookshelf"), ReadAttributes: []string{"custom:tenant_id"}, WriteAttributes: []string{"email"},
		ExplicitAuthFlows: []types.ExplicitAuthFlowsType{types.ExplicitAuthFlowsTypeAllowAdminUserPasswordAuth},
	})
	require.NoError(t, err)
	return *made.UserPoolClient.ClientId
}

// signIn creates a user and returns the user's tokens.
func (p pool) signIn(t *testing.T, name, tenant string, groups ...string) *types.AuthenticationResultType {
	t.Helper()
	password := "Aa1!" + rand.Text()
	user := &cognito.AdminCreateUserInput{UserPoolId: &p.id, Username: &name}
	if tenant != "" {
		user.UserAttributes = []types.AttributeType{{Name: aws.String("custom:tenant_id"), Value: &tenant}}
	}
	_, err := p.api.AdminCreateUser(t.Context(), user)
	require.NoError(t, err)
	_, err = p.api.AdminSetUserPassword(t.Context(), &cognito.AdminSetUserPasswordInput{
		UserPoolId: &p.id, Username: &name, Password: &password, Permanent: true,
	})
	require.NoError(t, err)
	for _, g := range groups {
		_, err := p.api.AdminAddUserToGroup(t.Context(), &cognito.AdminAddUserToGroupInput{UserPoolId: &p.id, Username: &name, GroupName: &g})
		require.NoError(t, err)
	}
	in, err := p.api.AdminInitiateAuth(t.Context(), &cognito.AdminInitiateAuthInput{
		UserPoolId: &p.id, ClientId: &p.client, AuthFlow: types.AuthFlowTypeAdminUserPasswordAuth,
		AuthParameters: map[string]string{"USERNAME": name, "PASSWORD": password},
	})
	require.NoError(t, err)
	return in.AuthenticationResult
}

func TestCognitoTokensAreVerified(t *testing.T) {
	t.Parallel()
	endpoint := cognitoEndpoint(t)
	p := newPool(t, endpoint)
	verifier := func(clientID string, o oidc.Options) *oidc.Verifier {
		o.KeySet = endpoint + "/" + p.id + "/.well-known/jwks.json" // the issuer is an address of AWS, which does not have this pool
		v, err := oidc.NewCognito(t.Context(), p.id, clientID, &o)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, v.Close()) })
		return v
	}
	reason := func(v *oidc.Verifier, token *string) string {
		_, err := v.Verify(t.Context(), *token)
		e, ok := errors.AsType[*oidc.TokenError](err)
		require.True(t, ok, "%v", err)
		return e.Reason
	}
	v := verifier(p.client, oidc.Options{TenantGroups: []string{"ops"}})

	reader, chief := p.signIn(t, "reader", "acme"), p.signIn(t, "chief", "acme", "ops")
	one, err := v.Verify(t.Context(), *reader.IdToken)
	require.NoError(t, err)
	two, err := v.Verify(t.Context(), *chief.IdToken)
	require.NoError(t, err)
	require.Equal(t, "acme", one.User.TenantID())
	require.NotEqual(t, one.User, two.User)
	require.Equal(t, one.Shared, two.Shared)
	require.Equal(t, scope.None, one.Tenant.Level())
	require.True(t, two.Tenant.Contains(one.User), "the group ops sees its tenant")

	globex, err := v.Verify(t.Context(), *p.signIn(t, "other", "globex", "ops").IdToken)
	require.NoError(t, err)
	require.False(t, globex.Tenant.Contains(one.User), "the group ops does not see another tenant")

	// An access token has its client in client_id, and does not have a tenant unless a trigger adds one.
	require.Equal(t, "has a claim that is not accepted", reason(v, reader.AccessToken))
	byUser := verifier(p.client, oidc.Options{TenantClaim: "username", TokenUse: []oidc.TokenUse{oidc.AccessToken}})
	id, err := byUser.Verify(t.Context(), *chief.AccessToken)
	require.NoError(t, err)
	require.Equal(t, "chief", id.User.TenantID())
	require.Equal(t, []string{"ops"}, id.Groups)
	require.Equal(t, two.User.UserID(), id.User.UserID())

	require.Equal(t, "is for another use", reason(byUser, reader.IdToken))
	elsewhere := verifier(p.newClient(t), oidc.Options{})
	require.Equal(t, "is for another audience", reason(elsewhere, reader.IdToken))
	require.Equal(t, "is for another audience", reason(elsewhere, reader.AccessToken))
	require.Equal(t, "has a claim that is not accepted", reason(v, p.signIn(t, "nobody", "").IdToken), "a user without a tenant")
	require.Equal(t, "has a claim that is not accepted", reason(v, p.signIn(t, "hostile", "acme/../globex").IdToken))

	forged := (*reader.IdToken)[:strings.LastIndex(*reader.IdToken, ".")+1] + (*chief.IdToken)[strings.LastIndex(*chief.IdToken, ".")+1:]
	require.Equal(t, "has a wrong signature", reason(v, &forged))

	// Another pool of this server signs with the same key, so only the issuer differs.
	q := newPool(t, endpoint)
	require.Equal(t, "is of another issuer", reason(v, q.signIn(t, "reader", "acme").IdToken))
}

// The bookshelf as a person with a token of the pool: the tenant of an immutable attribute bounds the data.
func TestBookshelfAcceptsCognitoTokens(t *testing.T) {
	t.Parallel()
	endpoint := cognitoEndpoint(t)
	p := newPool(t, endpoint)
	s := newShelf(t)
	s.runProgram(s.buildEnv(), "-issuer", "https://cognito-idp.us-east-1.amazonaws.com/"+p.id, "-client", p.client,
		"-issuer-keys", endpoint+"/"+p.id+"/.well-known/jwks.json") // AWS does not have this pool
	as := func(name, tenant string, groups ...string) http.Header {
		return http.Header{"Authorization": {"Bearer " + *p.signIn(t, name, tenant, groups...).IdToken}}
	}
	ann, chief, eve := as("ann", "acme"), as("chief", "acme", "ops"), as("eve", "globex", "ops")
	status, body := s.sendRequest(http.MethodGet, "/api/upload/presigned?filename=cover.png", nil, ann)
	require.Equal(t, http.StatusOK, status, string(body))
	var grant struct {
		SessionID string `json:"session_id"`
	}
	require.NoError(t, json.Unmarshal(body, &grant))
	for name, c := range map[string]struct {
		who  http.Header
		want int
	}{
		"the owner": {ann, http.StatusOK}, "operations of the tenant": {chief, http.StatusOK},
		"operations of another tenant": {eve, http.StatusNotFound}, "without a token": {nil, http.StatusUnauthorized},
		"a user without a tenant": {as("nobody", ""), http.StatusUnauthorized},
		"another pool":            {http.Header{"Authorization": {"Bearer " + *newPool(t, endpoint).signIn(t, "ann", "acme").IdToken}}, http.StatusUnauthorized},
	} {
		status, body := s.sendRequest(http.MethodGet, "/api/ops/files/"+grant.SessionID, nil, c.who)
		require.Equal(t, c.want, status, "%s: %s", name, body)
	}
	status, body = s.sendRequest(http.MethodPost, "/sign-in/start", map[string]string{"return": "/"}, http.Header{"Origin": {s.url}})
	require.Equal(t, http.StatusNotImplemented, status, string(body))
}
