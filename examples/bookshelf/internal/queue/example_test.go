package queue_test

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/queue"
)

func ExampleConsumer_Run() {
	client := &fake{} // sqs.NewFromConfig(cfg)
	client.put(aws.String("a message"))

	ctx, cancel := context.WithCancel(context.Background())
	c, err := queue.New(client, "https://sqs.example/queue", func(_ context.Context, body []byte) error {
		fmt.Println(string(body))
		cancel()
		return nil // and it is deleted
	}, nil)
	if err != nil {
		panic(err)
	}
	c.Run(ctx)
	fmt.Println(client.left(), "left")
	// Output:
	// a message
	// 0 left
}
