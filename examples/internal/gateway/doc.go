// Package gateway runs an S3 server inside the process, so that the examples
// need no installation: versitygw on a directory. It verifies signatures,
// presigned URLs and preconditions.
//
//	g, err := gateway.Start(ctx, dir, access, secret, nil)
//	defer g.Close()
//	client := s3.New(s3.Options{BaseEndpoint: aws.String(g.Endpoint()), UsePathStyle: true, …})
//	err = gateway.EnsureBucket(ctx, client, "carrel-landing")
//	err = gateway.AllowUploads(ctx, client, "carrel-landing", []string{"http://127.0.0.1:8080"})
//
// [EnsureBucket] and [AllowUploads] work on any S3 endpoint.
//
// [Options.Events] receives a notification of each new object, in the format of
// S3's notifications.
//
// While a [Gateway] runs, it changes the process's working directory, since the
// server uses relative paths. Make your own paths absolute before Start. The
// old working directory is restored when the gateway has ended. A process can
// run one gateway at a time.
//
// [Options] limits the size of an object and the connections of an address. Slow and silent connections are closed.
// Incomplete uploads are never stored. The process's own requests use [Gateway.Client], which none of these limits
// can block.
//
// The gateway listens on loopback only, has one account, and does not support
// TLS. It is meant only for its own process and a browser on the same machine.
package gateway
