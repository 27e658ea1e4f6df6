// Package presigntest is an S3 server for development and tests: versitygw on a directory. It verifies signatures,
// presigned URLs, forms and preconditions as S3 does. Never use it in production.
//
// The server changes its process's working directory, so it does not run in yours. It is a child process of the same
// program: [Start] runs the program's file again, and [Main], as the first statement of main or TestMain, becomes the
// server in that child.
//
//	func TestMain(m *testing.M) {
//		presigntest.Main()
//		m.Run()
//	}
//
//	server, err := presigntest.Start(ctx, dir, nil)
//	defer server.Close()
//	err = presigntest.EnsureBucket(ctx, server.Client(), "landing")
//	err = presigntest.AllowUploads(ctx, server.Client(), "landing", []string{"http://127.0.0.1:8080"})
//
// The child ends with its parent, also if that is killed. A process may run many servers, each on another directory.
// [EnsureBucket] and [AllowUploads] work with any S3 server.
//
// Options.Events receives a notification of each new object, in the format of S3's notifications.
//
// [Options] limits the size of an object and the connections of an address. Slow and silent connections are closed.
// Incomplete uploads are never stored. The program's own requests use [Server.Client], which none of these limits can
// block.
//
// The server listens on loopback only, has one account, and does not support TLS. It is meant only for its program and
// a browser on the same machine.
package presigntest
