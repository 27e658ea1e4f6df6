package dynamo_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/dynamo"
)

func ExampleNew() {
	client := exampleClient() // dynamodb.NewFromConfig(cfg)
	driver, err := dynamo.New(client, "carrel", nil)
	if err != nil {
		panic(err)
	}
	tenant, _ := scope.Tenant("acme")
	t, _ := table.New(driver, nil)
	v, _ := t.In(tenant)
	_, err = v.Get(context.Background(), "settings")
	fmt.Println(errors.Is(err, table.ErrNotFound))

	_, err = dynamo.New(client, "arn:aws:dynamodb:us-east-1:123456789012:table/carrel", nil)
	fmt.Println(err)
	// Output:
	// true
	// dynamo: invalid table name "arn:aws:dynamodb:us-east-1:123456789012:table/carrel": must be 3 to 255 letters, digits and _ . -
}

func ExampleCreateTable() {
	client := exampleClient() // dynamodb.NewFromConfig(cfg)
	err := dynamo.CreateTable(context.Background(), client, "carrel", &dynamo.TableOptions{
		Listed: []string{"filename", "pk"},
	})
	fmt.Println(err)
	// Output:
	// dynamo: invalid TableOptions.Listed: attribute "pk": must be unique, 1 to 255 bytes and not reserved
}
