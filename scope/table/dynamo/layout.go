package dynamo

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/carrel-go/carrel/scope/table"
)

// TableOptions configure [CreateTable]. Nil is valid.
type TableOptions struct {
	// Listed names the attributes that the indexes hold of an item, beside
	// its keys and its expiry, and that a query of an index returns (see
	// [table.Found]). A write that changes none of them does not touch an
	// index, and lists and counts are charged for no others: name what lists
	// show and what does not change. At most 19.
	//
	// For an upload's record of 1.5 KB, written nine times: whole items in
	// three indexes take about 60 write units, the file name alone 22 to 32;
	// a list of 50 takes 9.5 read units, or 1.5.
	//
	// Default: nil, all attributes; an empty list: none.
	Listed []string
}

// IndexName returns the name of an index of the table, as its ARN has it.
func IndexName(slot table.Slot) string { return fmt.Sprintf("index%d", slot) }

// layout is the table, as it is created.
func layout(name string, o *TableOptions) (*dynamodb.CreateTableInput, error) {
	if err := checkTable(name); err != nil {
		return nil, err
	}
	projection := &types.Projection{ProjectionType: types.ProjectionTypeAll}
	if o != nil && o.Listed != nil {
		if err := checkListed(o.Listed); err != nil {
			return nil, err
		}
		projection = &types.Projection{
			ProjectionType:   types.ProjectionTypeInclude,
			NonKeyAttributes: append([]string{ttlName}, o.Listed...),
		}
	}
	in := &dynamodb.CreateTableInput{
		TableName:   &name,
		BillingMode: types.BillingModePayPerRequest,
		KeySchema:   keySchema(partitionName, sortName),
	}
	define := func(names ...string) {
		for _, n := range names {
			in.AttributeDefinitions = append(in.AttributeDefinitions,
				types.AttributeDefinition{AttributeName: &n, AttributeType: types.ScalarAttributeTypeS})
		}
	}
	define(partitionName, sortName)
	for slot := table.I1; slot <= table.I3; slot++ {
		p, s := indexKeys(slot)
		define(p, s)
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: aws.String(IndexName(slot)), KeySchema: keySchema(p, s), Projection: projection,
		})
	}
	return in, nil
}

func keySchema(partition, sort string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: &partition, KeyType: types.KeyTypeHash},
		{AttributeName: &sort, KeyType: types.KeyTypeRange},
	}
}

func checkListed(names []string) error {
	const most = 19 // DynamoDB's 20, less the expiry
	if len(names) > most {
		return fmt.Errorf("%w: %d listed attributes, at most %d are possible", ErrInvalid, len(names), most)
	}
	for i, n := range names {
		if n == "" || len(n) > 255 || isKey(n) || n == versionName || n == ttlName || strings.HasPrefix(n, "_") || slices.Contains(names[:i], n) {
			return fmt.Errorf("%w: listed attribute %q", ErrInvalid, n)
		}
	}
	return nil
}

// checkLayout compares a table that is there with the one that is wanted. It
// may have more indexes, and be paid for and protected in any way.
func checkLayout(want *dynamodb.CreateTableInput, got *types.TableDescription) error {
	if w, g := schemaText(want.KeySchema), schemaText(got.KeySchema); w != g {
		return fmt.Errorf("%w: keys %s, want %s", ErrLayout, g, w)
	}
	for _, w := range want.GlobalSecondaryIndexes {
		i := slices.IndexFunc(got.GlobalSecondaryIndexes, func(g types.GlobalSecondaryIndexDescription) bool {
			return aws.ToString(g.IndexName) == *w.IndexName
		})
		if i < 0 {
			return fmt.Errorf("%w: no index %s", ErrLayout, *w.IndexName)
		}
		g := got.GlobalSecondaryIndexes[i]
		has, wants := schemaText(g.KeySchema)+" "+projectionText(g.Projection), schemaText(w.KeySchema)+" "+projectionText(w.Projection)
		if has != wants {
			return fmt.Errorf("%w: %s: %s, want %s", ErrLayout, *w.IndexName, has, wants)
		}
	}
	for _, name := range want.AttributeDefinitions {
		if !slices.ContainsFunc(got.AttributeDefinitions, func(g types.AttributeDefinition) bool {
			return aws.ToString(g.AttributeName) == *name.AttributeName && g.AttributeType == name.AttributeType
		}) {
			return fmt.Errorf("%w: key %s is no string", ErrLayout, *name.AttributeName)
		}
	}
	return nil
}

func schemaText(keys []types.KeySchemaElement) string {
	var b strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&b, "%s:%s ", aws.ToString(k.AttributeName), k.KeyType)
	}
	return strings.TrimSpace(b.String())
}

func projectionText(p *types.Projection) string {
	if p == nil {
		return "no projection"
	}
	return fmt.Sprint(p.ProjectionType, slices.Sorted(slices.Values(p.NonKeyAttributes)))
}
