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

// TableOptions configures [CreateTable]. Nil is valid.
type TableOptions struct {
	// Listed are the attributes that the indexes contain, and that a query of an index
	// returns (see [table.Found]), in addition to keys and expiry. At most 19. Nil means
	// all attributes, and an empty list none.
	//
	// A write that does not change them does not write to the indexes, and lists and
	// counts are not charged for other attributes. Choose attributes that lists show
	// and that do not change. For example, a record of 1.5 KB that is written nine times
	// costs about 60 write units with whole items in three indexes, and 22 to 32 with
	// the file name only. A list of 50 costs 9.5 or 1.5 read units.
	Listed []string
}

// IndexName returns the name of an index of the table, for ARNs.
func IndexName(slot table.Slot) string { return fmt.Sprintf("index%d", slot) }

// newLayout returns the request that creates the table.
func newLayout(name string, o *TableOptions) (*dynamodb.CreateTableInput, error) {
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
		p, s := indexKeyNames(slot)
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
	const limit = 19 // DynamoDB's 20, less the expiry
	if len(names) > limit {
		return fmt.Errorf("%w TableOptions.Listed: %d attributes: must be at most %d", ErrInvalid, len(names), limit)
	}
	for i, n := range names {
		if n == "" || len(n) > 255 || isKey(n) || n == versionName || n == ttlName || strings.HasPrefix(n, "_") ||
			slices.Contains(names[:i], n) {
			return fmt.Errorf("%w TableOptions.Listed: attribute %q: must be unique, 1 to 255 bytes and not reserved",
				ErrInvalid, n)
		}
	}
	return nil
}

// checkLayout returns an error if an existing table differs from the wanted one. More
// indexes and any billing and protection are accepted.
func checkLayout(want *dynamodb.CreateTableInput, got *types.TableDescription) error {
	if w, g := formatSchema(want.KeySchema), formatSchema(got.KeySchema); w != g {
		return fmt.Errorf("%w: keys %s: must be %s", ErrLayout, g, w)
	}
	for _, w := range want.GlobalSecondaryIndexes {
		i := slices.IndexFunc(got.GlobalSecondaryIndexes, func(g types.GlobalSecondaryIndexDescription) bool {
			return aws.ToString(g.IndexName) == *w.IndexName
		})
		if i < 0 {
			return fmt.Errorf("%w: index %s is missing", ErrLayout, *w.IndexName)
		}
		g := got.GlobalSecondaryIndexes[i]
		has := formatSchema(g.KeySchema) + " " + formatProjection(g.Projection)
		wants := formatSchema(w.KeySchema) + " " + formatProjection(w.Projection)
		if has != wants {
			return fmt.Errorf("%w: %s: %s: must be %s", ErrLayout, *w.IndexName, has, wants)
		}
	}
	for _, name := range want.AttributeDefinitions {
		if !slices.ContainsFunc(got.AttributeDefinitions, func(g types.AttributeDefinition) bool {
			return aws.ToString(g.AttributeName) == *name.AttributeName && g.AttributeType == name.AttributeType
		}) {
			return fmt.Errorf("%w: key %s: must be a string", ErrLayout, *name.AttributeName)
		}
	}
	return nil
}

func formatSchema(keys []types.KeySchemaElement) string {
	var b strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&b, "%s:%s ", aws.ToString(k.AttributeName), k.KeyType)
	}
	return strings.TrimSpace(b.String())
}

func formatProjection(p *types.Projection) string {
	if p == nil {
		return "no projection"
	}
	return fmt.Sprint(p.ProjectionType, slices.Sorted(slices.Values(p.NonKeyAttributes)))
}
