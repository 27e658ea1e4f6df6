package arrivals_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/arrivals"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// Invalid messages stay in the queue. S3's test messages are done.
func ExampleDesk_Message() {
	landing, _ := object.New(object.NewMemory(), "landing", nil)
	client := s3.New(s3.Options{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")})
	signer, err := presign.New(client, landing, nil)
	if err != nil {
		panic(err)
	}
	tb, _ := table.New(table.NewMemory(nil), nil)
	tracker, err := tracking.New(tb, tracking.Uploads(), nil)
	if err != nil {
		panic(err)
	}
	desk := arrivals.New(tb, landing, signer, tracker, nil)
	for _, message := range []string{`{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"landing"}`, `hello`} {
		err := desk.Message(context.Background(), []byte(message))
		fmt.Println(err == nil, errors.Is(err, presign.ErrEvent))
	}
	// Output:
	// true false
	// false true
}
