package backend

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/carrel-go/carrel/scope/table/dynamo"
)

// NewTable creates a table with a unique name and returns a function that deletes it.
func (b *Backend) NewTable(
	ctx context.Context, o *dynamo.TableOptions,
) (name string, remove func(context.Context) error, err error) {
	name = newName()
	remove = func(ctx context.Context) error {
		if _, err := b.DynamoDB.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
			return fmt.Errorf("backend: delete table %q: %w", name, err)
		}
		return nil
	}
	return name, remove, dynamo.CreateTable(ctx, b.DynamoDB, name, o)
}
