package dynamo

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// Options configures a [Driver]. Nil is valid.
type Options struct {
	// For, if non-nil, returns the client for a scope, and so chooses the credentials.
	// It must be safe for concurrent use, and its errors are returned unchanged. A
	// [table.System], which works outside all scopes, always uses the client of New.
	For func(context.Context, scope.Scope) (Client, error)
}

// Driver is a [table.Driver] on one DynamoDB table. It does not need a Close.
type Driver struct {
	c      Client // nil if there is only choose
	table  string
	choose func(context.Context, scope.Scope) (Client, error)
}

var _ table.Driver = (*Driver)(nil)

// New returns the driver of a table. The name has 3 to 255 letters, digits, "_", "-" and
// ".". An ARN, which could name a table of another account, is invalid. The client may be
// nil if Options.For is set. New returns [ErrInvalid] for invalid arguments.
func New(c Client, table string, o *Options) (*Driver, error) {
	if err := checkTable(table); err != nil {
		return nil, err
	}
	d := &Driver{c: c, table: table}
	if o != nil {
		d.choose = o.For
	}
	if d.c == nil && d.choose == nil {
		return nil, fmt.Errorf("%w client: must not be nil without Options.For", ErrInvalid)
	}
	return d, nil
}

func checkTable(name string) error {
	if !regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`).MatchString(name) {
		return fmt.Errorf("%w table name %q: must be 3 to 255 letters, digits and _ . -", ErrInvalid, name)
	}
	return nil
}

func (d *Driver) chooseClient(ctx context.Context, k table.Key) (Client, error) {
	if k.Partition() == "" {
		return nil, fmt.Errorf("dynamo: %w: the zero Key", scope.ErrDenied)
	}
	if s, ok := k.Scope(); ok && d.choose != nil {
		c, err := d.choose(ctx, s)
		if err == nil && c == nil {
			err = fmt.Errorf("%w client: Options.For returned nil", ErrInvalid)
		}
		return c, err
	}
	if d.c == nil {
		return nil, fmt.Errorf("%w client: a System uses the client of New, which is nil", ErrInvalid)
	}
	return d.c, nil
}

// Get implements [table.Driver] with a strongly consistent GetItem.
func (d *Driver) Get(ctx context.Context, k table.Key) (table.Row, error) {
	c, err := d.chooseClient(ctx, k)
	if err != nil {
		return table.Row{}, err
	}
	out, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: &d.table, Key: encodeKey(k.Partition(), k.Sort()),
		ConsistentRead: aws.Bool(true)})
	if err != nil {
		return table.Row{}, mapError(err)
	}
	if len(out.Item) == 0 {
		return table.Row{}, table.ErrNotFound
	}
	return decodeRow(out.Item)
}

// Put implements [table.Driver] with a conditional PutItem.
func (d *Driver) Put(ctx context.Context, k table.Key, r table.Row, cond table.Cond) error {
	c, err := d.chooseClient(ctx, k)
	if err != nil {
		return err
	}
	r.Partition, r.Sort = k.Partition(), k.Sort()
	item, err := encodeRow(r)
	if err != nil {
		return err
	}
	e := newCondition(cond, time.Now())
	_, err = c.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           &d.table,
		Item:                                item,
		ConditionExpression:                 &e.text,
		ExpressionAttributeNames:            e.names,
		ExpressionAttributeValues:           e.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	return mapWriteError(err)
}

// Delete implements [table.Driver] with a conditional DeleteItem.
func (d *Driver) Delete(ctx context.Context, k table.Key, cond table.Cond) error {
	c, err := d.chooseClient(ctx, k)
	if err != nil {
		return err
	}
	e := newCondition(cond, time.Now())
	_, err = c.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName:                           &d.table,
		Key:                                 encodeKey(k.Partition(), k.Sort()),
		ConditionExpression:                 &e.text,
		ExpressionAttributeNames:            e.names,
		ExpressionAttributeValues:           e.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	return mapWriteError(err)
}

// expression is a DynamoDB expression with its names and values. It uses placeholders for
// all names, because some are reserved words.
type expression struct {
	text   string
	names  map[string]string
	values map[string]types.AttributeValue
}

// newCondition returns the expression for [table.Cond.Holds].
func newCondition(c table.Cond, now time.Time) expression {
	if c.Absent() {
		return expression{
			text:   "attribute_not_exists(#pk) OR #ttl <= :now",
			names:  map[string]string{"#pk": partitionName, "#ttl": ttlName},
			values: map[string]types.AttributeValue{":now": encodeInt(now.Unix())},
		}
	}
	return expression{
		text:   "#v = :v AND " + liveText,
		names:  map[string]string{"#v": versionName, "#ttl": ttlName},
		values: map[string]types.AttributeValue{":v": encodeInt(c.Version()), ":now": encodeInt(now.Unix())},
	}
}

// liveText is the condition that an item has not expired.
const liveText = "(attribute_not_exists(#ttl) OR #ttl > :now)"

func encodeInt(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}
