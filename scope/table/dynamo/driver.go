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

// Options configure a [Driver]. Nil is valid.
type Options struct {
	// For chooses the client, and with it the credentials, for a scope.
	// Default: the client given to New, for every scope. It must be safe for
	// concurrent use; its errors are returned as they are. What belongs to no
	// scope is always asked for through the client given to New.
	For func(context.Context, scope.Scope) (Client, error)
}

// Driver is a [table.Driver] on one DynamoDB table. It holds nothing that
// would have to be closed.
type Driver struct {
	c      Client // nil where there is only choose
	table  string
	choose func(context.Context, scope.Scope) (Client, error)
}

var _ table.Driver = (*Driver)(nil)

// New returns the driver of the table with that name: 3 to 255 letters,
// digits, "_", "-" and ".". An ARN, which could name another account's table,
// is [ErrInvalid], and so is no client at all.
func New(c Client, table string, o *Options) (*Driver, error) {
	if err := checkTable(table); err != nil {
		return nil, fmt.Errorf("dynamo: new: %w", err)
	}
	d := &Driver{c: c, table: table}
	if o != nil {
		d.choose = o.For
	}
	if d.c == nil && d.choose == nil {
		return nil, fmt.Errorf("dynamo: new: %w: neither a client nor Options.For", ErrInvalid)
	}
	return d, nil
}

func checkTable(name string) error {
	if !regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`).MatchString(name) {
		return fmt.Errorf("%w: table name %q", ErrInvalid, name)
	}
	return nil
}

func (d *Driver) client(ctx context.Context, k table.Key) (Client, error) {
	if k.Partition() == "" {
		return nil, fmt.Errorf("%w: the zero Key", scope.ErrDenied)
	}
	if s, ok := k.Scope(); ok && d.choose != nil {
		return d.choose(ctx, s)
	}
	if d.c == nil {
		return nil, fmt.Errorf("%w: no client for what belongs to no scope", ErrInvalid)
	}
	return d.c, nil
}

// Get implements [table.Driver] by a strongly consistent GetItem.
func (d *Driver) Get(ctx context.Context, k table.Key) (table.Row, error) {
	c, err := d.client(ctx, k)
	if err != nil {
		return table.Row{}, err
	}
	out, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: &d.table, Key: baseKey(k.Partition(), k.Sort()), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return table.Row{}, mapError(err)
	}
	if len(out.Item) == 0 {
		return table.Row{}, table.ErrNotFound
	}
	return decodeRow(out.Item)
}

// Put implements [table.Driver] by a conditional PutItem.
func (d *Driver) Put(ctx context.Context, k table.Key, r table.Row, cond table.Cond) error {
	c, err := d.client(ctx, k)
	if err != nil {
		return err
	}
	r.Partition, r.Sort = k.Partition(), k.Sort()
	item, err := encodeRow(r)
	if err != nil {
		return err
	}
	e := conditionOf(cond, time.Now())
	_, err = c.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           &d.table,
		Item:                                item,
		ConditionExpression:                 &e.text,
		ExpressionAttributeNames:            e.names,
		ExpressionAttributeValues:           e.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if err != nil {
		return mapWrite(err)
	}
	return nil
}

// Delete implements [table.Driver] by a conditional DeleteItem.
func (d *Driver) Delete(ctx context.Context, k table.Key, cond table.Cond) error {
	c, err := d.client(ctx, k)
	if err != nil {
		return err
	}
	e := conditionOf(cond, time.Now())
	_, err = c.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName:                           &d.table,
		Key:                                 baseKey(k.Partition(), k.Sort()),
		ConditionExpression:                 &e.text,
		ExpressionAttributeNames:            e.names,
		ExpressionAttributeValues:           e.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if err != nil {
		return mapWrite(err)
	}
	return nil
}

// expression is one of DynamoDB's, with the names and values that it uses.
// Every name goes through a placeholder: some are reserved words.
type expression struct {
	text   string
	names  map[string]string
	values map[string]types.AttributeValue
}

// conditionOf says what [table.Cond.Holds] says.
func conditionOf(c table.Cond, now time.Time) expression {
	if c.Absent() {
		return expression{
			text:   "attribute_not_exists(#pk) OR #ttl <= :now",
			names:  map[string]string{"#pk": partitionName, "#ttl": ttlName},
			values: map[string]types.AttributeValue{":now": number(now.Unix())},
		}
	}
	return expression{
		text:   "#v = :v AND " + liveText,
		names:  map[string]string{"#v": versionName, "#ttl": ttlName},
		values: map[string]types.AttributeValue{":v": number(c.Version()), ":now": number(now.Unix())},
	}
}

// liveText holds for what has not expired: whole seconds, as package table has them.
const liveText = "(attribute_not_exists(#ttl) OR #ttl > :now)"

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}
