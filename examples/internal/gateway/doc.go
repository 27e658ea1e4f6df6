// Package gateway runs an S3 server inside the process, so that the example
// needs nothing installed: versitygw on a directory, which really verifies
// signatures, presigned URLs and preconditions.
//
//	g, err := gateway.Start(ctx, dir, access, secret, nil)
//	defer g.Close()
//	client := s3.New(s3.Options{BaseEndpoint: aws.String(g.Endpoint()), UsePathStyle: true, …})
//	err = gateway.EnsureBucket(ctx, client, "carrel-landing")
//	err = gateway.AllowUploads(ctx, client, "carrel-landing", []string{"http://127.0.0.1:8080"})
//
// [EnsureBucket] and [AllowUploads] speak S3 and work on any endpoint.
//
// Of each object that comes to be, [Options.Events] is told, in the form that
// S3 gives such notifications.
//
// While a [Gateway] runs, the process's working directory is the gateway's: the
// server reaches its files by relative paths. Make every path of your own
// absolute before Start; when the gateway has ended, the old working directory
// is back. A process can run one gateway at a time.
//
// [Options] bound what a client can cost: the size of an object, and the connections of an address; slow and silent
// connections are closed. What has not arrived whole is never stored. The process's own requests go through
// [Gateway.Client], which none of that can keep out.
//
// What the package does not do: it listens on loopback only, knows one
// account, speaks no TLS, and is not meant to serve anybody but its process
// and that person's browser.
package gateway
