package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// CreateTable creates the table if it does not exist, waits until the table and its
// indexes are active (about half a minute on AWS), and enables TTL. It is safe to call at
// every start and from several programs at once.
//
// It returns [ErrLayout] for a table with other keys, indexes or projections and does not
// change it. The table is billed per request. For other billing, deletion protection,
// backups or tags, use table.template.json.
func CreateTable(ctx context.Context, c TableClient, name string, o *TableOptions) error {
	if c == nil {
		return fmt.Errorf("%w client: must not be nil", ErrInvalid)
	}
	want, err := newLayout(name, o)
	if err != nil {
		return err
	}
	if err := ensureTable(ctx, c, want); err != nil {
		return fmt.Errorf("dynamo: create table %q: %w", name, err)
	}
	return nil
}

func ensureTable(ctx context.Context, c TableClient, want *dynamodb.CreateTableInput) error {
	name := *want.TableName
	got, err := describeTable(ctx, c, name)
	if errors.Is(err, ErrNoTable) {
		_, err = c.CreateTable(ctx, want)
		if _, exists := errors.AsType[*types.ResourceInUseException](err); err != nil && !exists {
			return mapError(err)
		}
		got, err = nil, nil
	}
	if err != nil {
		return err
	}
	if got, err = waitUntilActive(ctx, c, name, got); err != nil {
		return err
	}
	if err := checkLayout(want, got); err != nil {
		return err
	}
	return enableTTL(ctx, c, name)
}

func describeTable(ctx context.Context, c TableClient, name string) (*types.TableDescription, error) {
	out, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		return nil, mapError(err)
	}
	if out.Table == nil {
		return nil, fmt.Errorf("%w: the answer does not contain a table", ErrNoTable)
	}
	return out.Table, nil
}

// waitUntilActive waits until the table and its indexes are active. got is the last
// description, or nil for a new table, which may not have a description yet.
func waitUntilActive(ctx context.Context, c TableClient, name string,
	got *types.TableDescription) (*types.TableDescription, error) {
	const first, longest = 100 * time.Millisecond, 5 * time.Second
	for wait := first; ; wait = min(2*wait, longest) {
		if got != nil {
			ready, err := isActive(got)
			if ready || err != nil {
				return got, err
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
		var err error
		if got, err = describeTable(ctx, c, name); err != nil && !errors.Is(err, ErrNoTable) {
			return nil, err
		}
	}
}

func isActive(t *types.TableDescription) (bool, error) {
	switch t.TableStatus {
	case types.TableStatusActive:
	case types.TableStatusCreating, types.TableStatusUpdating:
		return false, nil
	default:
		return false, fmt.Errorf("the table has the status %s", t.TableStatus)
	}
	for _, i := range t.GlobalSecondaryIndexes {
		switch i.IndexStatus {
		case types.IndexStatusActive:
		case types.IndexStatusCreating, types.IndexStatusUpdating:
			return false, nil
		default:
			return false, fmt.Errorf("%s has the status %s", aws.ToString(i.IndexName), i.IndexStatus)
		}
	}
	return true, nil
}

func enableTTL(ctx context.Context, c TableClient, name string) error {
	if on, err := hasTTL(ctx, c, name); on || err != nil {
		return err
	}
	_, err := c.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName:               &name,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(ttlName), Enabled: aws.Bool(true)},
	})
	if err == nil {
		return nil
	}
	if on, again := hasTTL(ctx, c, name); on && again == nil { // another program enabled it
		return nil
	}
	return mapError(err)
}

func hasTTL(ctx context.Context, c TableClient, name string) (bool, error) {
	out, err := c.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &name})
	if err != nil {
		return false, mapError(err)
	}
	d := out.TimeToLiveDescription
	if d == nil || d.TimeToLiveStatus != types.TimeToLiveStatusEnabled &&
		d.TimeToLiveStatus != types.TimeToLiveStatusEnabling {
		return false, nil
	}
	if got := aws.ToString(d.AttributeName); got != ttlName {
		return false, fmt.Errorf("%w: the TTL attribute is %q: must be %q", ErrLayout, got, ttlName)
	}
	return true, nil
}
