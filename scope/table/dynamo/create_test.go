package dynamo

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"
)

// account is a fake of the DynamoDB of an account with one table.
type account struct {
	table   *types.TableDescription
	ttl     types.TimeToLiveDescription
	hidden  int // descriptions that do not show a new table yet
	pending int // descriptions until the table, and then as many until its indexes, are active
	taken   bool
	calls   []string
}

func (a *account) addCall(name string) { a.calls = append(a.calls, name) }

func (a *account) CreateTable(_ context.Context, in *dynamodb.CreateTableInput, _ ...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error) {
	a.addCall("CreateTable")
	a.table = &types.TableDescription{TableStatus: types.TableStatusCreating, KeySchema: in.KeySchema, AttributeDefinitions: in.AttributeDefinitions}
	for _, i := range in.GlobalSecondaryIndexes {
		a.table.GlobalSecondaryIndexes = append(a.table.GlobalSecondaryIndexes, types.GlobalSecondaryIndexDescription{
			IndexName: i.IndexName, KeySchema: i.KeySchema, Projection: i.Projection, IndexStatus: types.IndexStatusCreating,
		})
	}
	if a.taken {
		return nil, &types.ResourceInUseException{}
	}
	return &dynamodb.CreateTableOutput{}, nil
}

func (a *account) DescribeTable(context.Context, *dynamodb.DescribeTableInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error) {
	a.addCall("DescribeTable")
	if a.table == nil || a.hidden > 0 {
		if a.table != nil {
			a.hidden--
		}
		return nil, &types.ResourceNotFoundException{}
	}
	a.pending--
	if a.pending < 0 && a.table.TableStatus == types.TableStatusCreating {
		a.table.TableStatus, a.pending = types.TableStatusActive, 2
	} else if a.pending < 0 {
		for i := range a.table.GlobalSecondaryIndexes {
			a.table.GlobalSecondaryIndexes[i].IndexStatus = types.IndexStatusActive
		}
	}
	table := *a.table
	table.GlobalSecondaryIndexes = slices.Clone(table.GlobalSecondaryIndexes)
	return &dynamodb.DescribeTableOutput{Table: &table}, nil
}

func (a *account) DescribeTimeToLive(context.Context, *dynamodb.DescribeTimeToLiveInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeTimeToLiveOutput, error) {
	a.addCall("DescribeTimeToLive")
	d := a.ttl
	return &dynamodb.DescribeTimeToLiveOutput{TimeToLiveDescription: &d}, nil
}

func (a *account) UpdateTimeToLive(_ context.Context, in *dynamodb.UpdateTimeToLiveInput, _ ...func(*dynamodb.Options)) (*dynamodb.UpdateTimeToLiveOutput, error) {
	a.addCall("UpdateTimeToLive")
	a.ttl = types.TimeToLiveDescription{AttributeName: in.TimeToLiveSpecification.AttributeName, TimeToLiveStatus: types.TimeToLiveStatusEnabling}
	if a.taken {
		return nil, &smithy.GenericAPIError{Code: "ValidationException", Message: "TimeToLive is already enabled"}
	}
	return &dynamodb.UpdateTimeToLiveOutput{}, nil
}

func TestCreateTableWaitsUntilActive(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]*account{
		"alone":           {pending: 3},
		"not shown yet":   {hidden: 4, pending: 1},
		"while others do": {hidden: 1, pending: 2, taken: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				require.NoError(t, CreateTable(t.Context(), a, "carrel", nil))
				require.Equal(t, types.IndexStatusActive, a.table.GlobalSecondaryIndexes[2].IndexStatus)
				require.Equal(t, "ttl", *a.ttl.AttributeName)
				a.calls = nil
				require.NoError(t, CreateTable(t.Context(), a, "carrel", nil))
				require.Equal(t, []string{"DescribeTable", "DescribeTimeToLive"}, a.calls, "the second call does not write")
			})
		})
	}
}

func TestCreateTableStopsWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		a := &account{pending: 1 << 30}
		require.ErrorIs(t, CreateTable(ctx, a, "carrel", nil), context.DeadlineExceeded)
		require.Less(t, len(a.calls), 25, "it backs off")
	})
}

func TestOtherLayoutsAreRejected(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(a *account){
		"other keys":           func(a *account) { a.table.KeySchema = keySchema("id", "sk") },
		"a number for a key":   func(a *account) { a.table.AttributeDefinitions[3].AttributeType = types.ScalarAttributeTypeN },
		"an index less":        func(a *account) { a.table.GlobalSecondaryIndexes = a.table.GlobalSecondaryIndexes[:2] },
		"other keys of index2": func(a *account) { a.table.GlobalSecondaryIndexes[1].KeySchema = keySchema("i1p", "i1s") },
		"keys alone in index3": func(a *account) {
			a.table.GlobalSecondaryIndexes[2].Projection = &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}
		},
		"another expiry": func(a *account) {
			a.ttl = types.TimeToLiveDescription{AttributeName: aws.String("expires"), TimeToLiveStatus: types.TimeToLiveStatusEnabled}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &account{}
				require.NoError(t, CreateTable(t.Context(), a, "carrel", nil))
				change(a)
				a.calls = nil
				require.ErrorIs(t, CreateTable(t.Context(), a, "carrel", nil), ErrLayout)
				require.NotContains(t, a.calls, "UpdateTimeToLive", "the table is not changed")
			})
		})
	}
}

func TestInvalidTableOptionsAreRejected(t *testing.T) {
	t.Parallel()
	many := strings.Split(strings.Repeat("x", 20), "")
	for i := range many {
		many[i] = strings.Repeat("x", i+1)
	}
	for _, listed := range [][]string{{""}, {"pk"}, {"i2s"}, {"ttl"}, {"v"}, {"_x"}, {"a", "a"}, {strings.Repeat("x", 256)}, many} {
		a := &account{}
		require.ErrorIs(t, CreateTable(t.Context(), a, "carrel", &TableOptions{Listed: listed}), ErrInvalid)
		require.Empty(t, a.calls)
	}
	require.ErrorIs(t, CreateTable(t.Context(), &account{}, "x", nil), ErrInvalid)
	require.ErrorIs(t, CreateTable(t.Context(), nil, "carrel", nil), ErrInvalid)
}

// The template describes the table that CreateTable creates.
func TestTemplateMatchesCreateTable(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("table.template.json")
	require.NoError(t, err)
	for _, listed := range [][]string{nil, {"filename", "title"}} {
		var template struct {
			Resources struct {
				Table struct {
					Type       string
					Properties map[string]any
				}
			}
		}
		require.NoError(t, json.Unmarshal(b, &template))
		require.Equal(t, "AWS::DynamoDB::Table", template.Resources.Table.Type)
		parameters := map[string]any{"TableName": "carrel", "Listed": listed}
		got := resolveFunctions(t, template.Resources.Table.Properties, parameters).(map[string]any)
		require.Equal(t, map[string]any{"AttributeName": ttlName, "Enabled": true}, got["TimeToLiveSpecification"])
		delete(got, "TimeToLiveSpecification")

		in, err := newLayout("carrel", &TableOptions{Listed: listed})
		require.NoError(t, err)
		require.Equal(t, toJSON(t, in), got)
	}
}

// toJSON returns a request as decoded JSON without unset fields.
func toJSON(t *testing.T, v any) any {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	var out any
	require.NoError(t, json.Unmarshal(b, &out))
	return removeUnset(out)
}

func removeUnset(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, e := range v {
			if e == nil || e == "" {
				delete(v, name)
			} else {
				removeUnset(e)
			}
		}
	case []any:
		for _, e := range v {
			removeUnset(e)
		}
	}
	return v
}

// resolveFunctions evaluates the CloudFormation functions of the template.
func resolveFunctions(t *testing.T, v any, parameters map[string]any) any {
	t.Helper()
	strs := func(v any) (out []string) {
		switch v := v.(type) {
		case []string:
			return v
		case []any:
			for _, e := range v {
				out = append(out, resolveFunctions(t, e, parameters).(string))
			}
			return out
		}
		out, _ = resolveFunctions(t, v, parameters).([]string)
		return out
	}
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = resolveFunctions(t, e, parameters)
		}
		return out
	case map[string]any:
		for f, arg := range v {
			args, _ := arg.([]any)
			switch f {
			case "Ref":
				require.Contains(t, parameters, arg)
				return parameters[arg.(string)]
			case "Fn::Join":
				return strings.Join(strs(args[1]), args[0].(string))
			case "Fn::Split":
				var out []any
				for _, s := range strings.Split(resolveFunctions(t, args[1], parameters).(string), args[0].(string)) {
					out = append(out, s)
				}
				return out
			case "Fn::If":
				require.Equal(t, "ListsAll", args[0])
				if parameters["Listed"].([]string) == nil {
					return resolveFunctions(t, args[1], parameters)
				}
				return resolveFunctions(t, args[2], parameters)
			}
		}
		out := map[string]any{}
		for name, e := range v {
			out[name] = resolveFunctions(t, e, parameters)
		}
		return out
	}
	return v
}
