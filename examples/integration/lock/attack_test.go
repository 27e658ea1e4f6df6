package lock

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/credential"
)

func requireCode(t *testing.T, err error, code, what string) {
	t.Helper()
	var api smithy.APIError
	require.ErrorAs(t, err, &api, what)
	require.Equal(t, code, api.ErrorCode(), what)
}

func stringValue(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func newKey(partition string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"pk": stringValue(partition), "sk": stringValue("meta")}
}

// The library never sends these requests. They use the credentials of a session.
func TestRequestsAroundThePartitionKeyAreDenied(t *testing.T) {
	mine, theirs := u1s1.Partition(), globexS.Partition()
	c := throughGate(newVendor(t).Provider(u1s1, credential.Tracker))
	tb := &world.table
	query := func(condition string, values map[string]string) *dynamodb.QueryInput {
		in := &dynamodb.QueryInput{TableName: tb, KeyConditionExpression: &condition,
			ExpressionAttributeNames: map[string]string{"#pk": "pk", "#sk": "sk"}, ExpressionAttributeValues: map[string]types.AttributeValue{}}
		for name, v := range values {
			in.ExpressionAttributeValues[name] = stringValue(v)
		}
		return in
	}
	onIndex := func(partition string) *dynamodb.QueryInput {
		in := query("i1p = :p", map[string]string{":p": partition})
		in.IndexName = aws.String("index1")
		return in
	}
	for what, do := range map[string]func(context.Context) error{
		"scan": func(ctx context.Context) error { _, err := c.Scan(ctx, &dynamodb.ScanInput{TableName: tb}); return err },
		"scan of an index": func(ctx context.Context) error {
			_, err := c.Scan(ctx, &dynamodb.ScanInput{TableName: tb, IndexName: aws.String("index1")})
			return err
		},
		"scan for the own partition": func(ctx context.Context) error {
			_, err := c.Scan(ctx, &dynamodb.ScanInput{TableName: tb, FilterExpression: aws.String("pk = :p"), ExpressionAttributeValues: map[string]types.AttributeValue{":p": stringValue(mine)}})
			return err
		},
		"PartiQL": func(ctx context.Context) error {
			_, err := c.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{Statement: aws.String(`SELECT * FROM "` + *tb + `" WHERE pk = '` + mine + `'`)})
			return err
		},
		"PartiQL in a batch": func(ctx context.Context) error {
			_, err := c.BatchExecuteStatement(ctx, &dynamodb.BatchExecuteStatementInput{Statements: []types.BatchStatementRequest{{Statement: aws.String(`SELECT * FROM "` + *tb + `"`)}}})
			return err
		},
		"a foreign get": func(ctx context.Context) error {
			_, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: tb, Key: newKey(theirs)})
			return err
		},
		"a prefix of the own partition": func(ctx context.Context) error {
			_, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: tb, Key: newKey(u1.Partition())})
			return err
		},
		"a star": func(ctx context.Context) error {
			_, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: tb, Key: newKey("*")})
			return err
		},
		"a get without the key": func(ctx context.Context) error {
			_, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: tb, Key: map[string]types.AttributeValue{"sk": stringValue("meta")}})
			return err
		},
		"an update": func(ctx context.Context) error {
			_, err := c.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: tb, Key: newKey(theirs)})
			return err
		},
		"a batch with a foreign key": func(ctx context.Context) error {
			_, err := c.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{*tb: {Keys: []map[string]types.AttributeValue{newKey(mine), newKey(theirs)}}}})
			return err
		},
		"a batch of writes": func(ctx context.Context) error {
			_, err := c.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{*tb: {
				{PutRequest: &types.PutRequest{Item: newKey(mine)}}, {DeleteRequest: &types.DeleteRequest{Key: newKey(theirs)}}}}})
			return err
		},
		"a transaction with a foreign part": func(ctx context.Context) error {
			_, err := c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
				{Put: &types.Put{TableName: tb, Item: newKey(mine)}}, {Delete: &types.Delete{TableName: tb, Key: newKey(theirs)}}}})
			return err
		},
		"a transaction that reads": func(ctx context.Context) error {
			_, err := c.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{{Get: &types.Get{TableName: tb, Key: newKey(theirs)}}}})
			return err
		},
		"a check of a foreign item": func(ctx context.Context) error {
			_, err := c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
				{Put: &types.Put{TableName: tb, Item: newKey(mine)}},
				{ConditionCheck: &types.ConditionCheck{TableName: tb, Key: newKey(theirs), ConditionExpression: aws.String("attribute_exists(pk)")}}}})
			return err
		},
		"a foreign query": func(ctx context.Context) error {
			_, err := c.Query(ctx, query("#pk = :p", map[string]string{":p": theirs}))
			return err
		},
		"a query with the keys exchanged": func(ctx context.Context) error {
			_, err := c.Query(ctx, query("#pk = :q AND #sk = :p", map[string]string{":p": mine, ":q": theirs}))
			return err
		},
		"a query without a partition": func(ctx context.Context) error {
			_, err := c.Query(ctx, query("#sk = :p", map[string]string{":p": mine}))
			return err
		},
		"a query with KeyConditions": func(ctx context.Context) error {
			_, err := c.Query(ctx, &dynamodb.QueryInput{TableName: tb, KeyConditions: map[string]types.Condition{
				"pk": {ComparisonOperator: types.ComparisonOperatorEq, AttributeValueList: []types.AttributeValue{stringValue(mine)}}}})
			return err
		},
		"an index, by the own partition": func(ctx context.Context) error { _, err := c.Query(ctx, onIndex(mine)); return err },
		"an index, by the partition of the user": func(ctx context.Context) error {
			_, err := c.Query(ctx, onIndex(must.Get(u1.Index(u1.Level(), "active"))))
			return err
		},
		"another table": func(ctx context.Context) error {
			_, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("other"), Key: newKey(mine)})
			return err
		},
		"describing the table": func(ctx context.Context) error {
			_, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: tb})
			return err
		},
		"deleting the table": func(ctx context.Context) error {
			_, err := c.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: tb})
			return err
		},
		"changing the time to live": func(ctx context.Context) error {
			_, err := c.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{TableName: tb,
				TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("sk"), Enabled: aws.Bool(true)}})
			return err
		},
		"listing the tables": func(ctx context.Context) error { _, err := c.ListTables(ctx, &dynamodb.ListTablesInput{}); return err },
	} {
		requireCode(t, do(t.Context()), "AccessDeniedException", what)
	}

	// The same requests in the session's own partition succeed, so the key is the reason for the denial.
	ctx := t.Context()
	_, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: tb, Key: newKey(mine)})
	require.NoError(t, err)
	_, err = c.Query(ctx, query("#pk = :p AND #sk = :q", map[string]string{":p": mine, ":q": theirs}))
	require.NoError(t, err)
	_, err = c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Delete: &types.Delete{TableName: tb, Key: newKey(mine)}}}})
	require.NoError(t, err)
}

// A table's ARN could name another account. The gate does not read such a
// request, and on AWS the policy names one account.
func TestTableARNIsRejected(t *testing.T) {
	c := throughGate(newVendor(t).Provider(u1s1, credential.Tracker))
	_, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String("arn:aws:dynamodb:us-east-1:999999999999:table/" + world.table), Key: newKey(u1s1.Partition())})
	requireCode(t, err, "ValidationException", "an ARN")
}

// The gate also rejects requests that are not signed by a valid session.
func TestGateRejectsModifiedRequests(t *testing.T) {
	s, vendor := u1s1, newVendor(t)
	good := must.Get(vendor.Retrieve(t.Context(), s, credential.Tracker))
	wide := must.Get(vendor.Retrieve(t.Context(), globexS, credential.Tracker))
	get := func(c aws.Credentials, o ...func(*dynamodb.Options)) error {
		fixed := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return c, nil })
		_, err := throughGate(fixed).GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &world.table, Key: newKey(s.Partition())}, o...)
		return err
	}
	require.NoError(t, get(good))
	for what, c := range map[string]struct {
		code  string
		spoil func(*aws.Credentials)
	}{
		"another secret":          {"InvalidSignatureException", func(c *aws.Credentials) { c.SecretAccessKey = wide.SecretAccessKey }},
		"another session's token": {"UnrecognizedClientException", func(c *aws.Credentials) { c.SessionToken = wide.SessionToken }},
		"no token":                {"InvalidSignatureException", func(c *aws.Credentials) { c.SessionToken = "" }},
		"another key":             {"UnrecognizedClientException", func(c *aws.Credentials) { c.AccessKeyID = wide.AccessKeyID }},
		"an unknown key":          {"UnrecognizedClientException", func(c *aws.Credentials) { c.AccessKeyID = "ASIANOBODY" }},
	} {
		spoiled := good
		c.spoil(&spoiled)
		requireCode(t, get(spoiled), c.code, what)
	}
	requireCode(t, get(endedSession(t, s, credential.Tracker)), "UnrecognizedClientException", "a session that has ended")
	root := must.Get(credentials.NewStaticCredentialsProvider(access, secret, "").Retrieve(t.Context()))
	require.Error(t, get(root), "credentials without a session")

	for what, change := range map[string]func(*http.Request){
		"other bytes": func(r *http.Request) {
			b := must.Get(io.ReadAll(r.Body))
			b = bytes.ReplaceAll(b, []byte("meta"), []byte("atem"))
			r.Body = io.NopCloser(bytes.NewReader(b))
		},
		"another operation": func(r *http.Request) { r.Header.Set("X-Amz-Target", "DynamoDB_20120810.DeleteItem") },
		"another time": func(r *http.Request) {
			r.Header.Set("X-Amz-Date", time.Now().Add(time.Second).UTC().Format("20060102T150405Z"))
		},
		"an old time": func(r *http.Request) {
			r.Header.Set("X-Amz-Date", time.Now().Add(-time.Hour).UTC().Format("20060102T150405Z"))
		},
		"an unsigned operation": func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), ";x-amz-target", "", 1))
		},
		"another path": func(r *http.Request) { r.URL.Path = "/x" },
	} {
		requireCode(t, get(good, modifyRequest(change)), "InvalidSignatureException", what)
	}
	requireCode(t, get(good, modifyRequest(func(r *http.Request) { r.Header.Del("Authorization") })), "MissingAuthenticationTokenException", "no signature")
}

// The store therefore reads a repeated name in the same way as the gate.
func TestGateForwardsWhatItRead(t *testing.T) {
	t.Parallel()
	in := `{"TableName":"mine","Key":{"pk":{"S":"theirs"},"pk":{"S":"mine"}},"TableName":"mine"}`
	got, err := encodeCanonical([]byte(in))
	require.NoError(t, err)
	require.JSONEq(t, `{"TableName":"mine","Key":{"pk":{"S":"mine"}}}`, string(got))
	require.Equal(t, 1, strings.Count(string(got), `"pk"`))
	_, err = encodeCanonical([]byte(`{} {}`))
	require.Error(t, err)
}

// modifyRequest modifies the request after signing.
func modifyRequest(change func(*http.Request)) func(*dynamodb.Options) {
	return func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("change", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				req := in.Request.(*smithyhttp.Request)
				built := req.Build(ctx)
				change(built)
				req.Header, req.URL = built.Header, built.URL
				req, err := req.SetStream(built.Body)
				if err != nil {
					return middleware.FinalizeOutput{}, middleware.Metadata{}, err
				}
				in.Request = req
				return next.HandleFinalize(ctx, in)
			}), middleware.After)
		})
	}
}
