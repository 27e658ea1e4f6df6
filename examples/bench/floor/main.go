// Command floor is the server that package carrel is compared with: net/http and bedrockruntime's ConverseStream by
// hand. It does not have a framework, does not store or track anything, and loses its runs with their connections.
//
// It answers POST /extract with the events of a conversation, one for each piece of text, as the bookshelf does. The
// variables FLOOR_ADDR and FLOOR_MODEL hold the address to listen on and the endpoint of the model. It prints its
// address. See package server for its use.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	_ "net/http/pprof" //nolint:gosec // it listens on this machine only
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func serve() error {
	client := bedrockruntime.NewFromConfig(aws.Config{
		HTTPClient: plainClient{awshttp.NewBuildableClient()},
		Region:     "us-east-1", BaseEndpoint: aws.String(os.Getenv("FLOOR_MODEL")),
		Credentials: credentials.NewStaticCredentialsProvider("floor", "secret", ""),
	})
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", os.Getenv("FLOOR_ADDR"))
	if err != nil {
		return err
	}
	fmt.Printf("The floor is open at http://%s\n", listener.Addr())
	http.Handle("POST /extract", extract{client})
	return (&http.Server{ReadHeaderTimeout: 10 * time.Second}).Serve(listener)
}

// plainClient hides the WriteTo method of request bodies. If the model answers at once, as on loopback, the SDK
// closes a body while the transport still reads it. WriteTo then fails, although Read would just end, and the transport
// drops the connection with the answer.
type plainClient struct{ next *awshttp.BuildableClient }

func (c plainClient) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return c.next.Do(r)
}
