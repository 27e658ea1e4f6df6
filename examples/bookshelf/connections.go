package main

import (
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
)

const (
	// modelConnections is the largest number of idle connections to the model's service.
	modelConnections = 512
	// connectionBuffer is the size in bytes of the two buffers of such a connection.
	connectionBuffer = 1 << 10
)

// keepConnections makes a client keep its connections between the turns of its runs. The SDK keeps ten to a host, so
// most runs would connect again for each turn. The buffers fit the small messages of an answer, since a process has a
// connection for each run.
func keepConnections(o *bedrockruntime.Options) {
	c, ok := o.HTTPClient.(*awshttp.BuildableClient)
	if !ok {
		return
	}
	o.HTTPClient = c.WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost = modelConnections, modelConnections
		t.ReadBufferSize, t.WriteBufferSize = connectionBuffer, connectionBuffer
	})
}
