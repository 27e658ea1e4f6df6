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

// CreateTable makes the table unless it is there, waits until it and its
// indexes are active, and turns on its TTL. It may be called by several
// programs at once and again at every start. ctx bounds the wait, which on AWS
// takes half a minute.
//
// A table of that name with other keys, indexes or projections is [ErrLayout],
// and is left as it is. The table is paid for by request; who wants it
// otherwise, or with deletion protection, backups or tags, makes it with
// table.template.json.
func CreateTable(ctx context.Context, c TableClient, name string, o *TableOptions) error {
	want, err := layout(name, o)
	if err != nil {
		return fmt.Errorf("dynamo: create table: %w", err)
	}
	got, err := describe(ctx, c, name)
	if errors.Is(err, ErrNoTable) {
		if _, err := c.CreateTable(ctx, want); err != nil {
			if _, other := errors.AsType[*types.ResourceInUseException](err); !other { // else somebody was quicker
				return fmt.Errorf("dynamo: create table %q: %w", name, mapError(err))
			}
		}
		got, err = nil, nil
	}
	if err == nil {
		got, err = active(ctx, c, name, got)
	}
	if err == nil {
		err = checkLayout(want, got)
	}
	if err == nil {
		err = enableTTL(ctx, c, name)
	}
	if err != nil {
		return fmt.Errorf("dynamo: create table %q: %w", name, err)
	}
	return nil
}

func describe(ctx context.Context, c TableClient, name string) (*types.TableDescription, error) {
	out, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		return nil, mapError(err)
	}
	if out.Table == nil {
		return nil, fmt.Errorf("%w: an answer without a table", ErrNoTable)
	}
	return out.Table, nil
}

// active waits until the table and its indexes are. got is what is known; nil
// where the table has just been made, which a description may not show yet.
func active(ctx context.Context, c TableClient, name string, got *types.TableDescription) (*types.TableDescription, error) {
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
		if got, err = describe(ctx, c, name); err != nil && !errors.Is(err, ErrNoTable) {
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
		return false, fmt.Errorf("the table is %s", t.TableStatus)
	}
	for _, i := range t.GlobalSecondaryIndexes {
		switch i.IndexStatus {
		case types.IndexStatusActive:
		case types.IndexStatusCreating, types.IndexStatusUpdating:
			return false, nil
		default:
			return false, fmt.Errorf("%s is %s", aws.ToString(i.IndexName), i.IndexStatus)
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
	if on, again := hasTTL(ctx, c, name); on && again == nil { // somebody was quicker
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
	if d == nil || d.TimeToLiveStatus != types.TimeToLiveStatusEnabled && d.TimeToLiveStatus != types.TimeToLiveStatusEnabling {
		return false, nil
	}
	if got := aws.ToString(d.AttributeName); got != ttlName {
		return false, fmt.Errorf("%w: its TTL attribute is %q", ErrLayout, got)
	}
	return true, nil
}
