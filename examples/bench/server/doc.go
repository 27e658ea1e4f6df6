// Command server measures the whole bookshelf on one core, with everything on: scoped, tracked, persisted before it is
// emitted, resumable. It measures a server by hand (package floor) in the same run, which does nothing of that:
//
//	cd examples/bench && GOWORK=off go run ./server
//	cd examples/bench && GOWORK=off go run ./server -streams 50 -rounds 2
//
// It needs Linux and two cores. It starts each server as a process on core 0, with its embedded table. The model, the
// clients and the embedded S3 run on core 1. Everything listens on this machine.
//
//	-streams     numbers of concurrent streams; default 50,200,400,600
//	-rounds      streams of each client, one after the other; default: enough to make 600 in total, 3 to 12
//	-ramp        time within which the clients begin; default the ideal time of a stream
//	-only        name of the only server to measure, floor or bookshelf
//	-max-cpu, -max-rss  largest ratios of CPU time and memory to those of the floor; the command fails above them
//	-profiles    directory for profiles of each measurement while all streams are open: CPU, heap, goroutines, mappings
//	-limit       longest time of the whole run; default 10m
//	-procs       GOMAXPROCS of both servers; default 2
//
// In a container with a CPU limit of one core, on a machine with more, Go chooses GOMAXPROCS=2 (see runtime.GOMAXPROCS),
// and so does this command. With 1, a scheduler that always has work looks at the network only every 10 ms. The
// variable GOGC changes both servers. Without it, the floor has Go's default and the bookshelf its own.
//
// # A stream
//
// The model answers three times: 20 pieces of text and a call of set_field, the same again, 100 pieces of text. It
// sends a piece of 20 bytes each 20 ms and takes 300 ms to the first one. So a stream takes 3.64 s if nothing but the
// model takes time. Each piece holds the time at which it was sent. A client fails unless it receives each piece once,
// in order, and then the end.
//
// Each stream of the bookshelf is the extraction of a separate upload, a picture of 16 × 24 pixels. The streams are
// spread over 40 tenants with 5 users each. The uploads are made before the measured part, by another process on the
// same data.
//
// # Output
//
// For each number of streams and each server:
//
//   - lag: the time from the model to the client of each piece of text. The lag of the bookshelf includes its commit
//     interval of 250 ms; "beyond" is what the 99th percentile exceeds it by.
//   - first: the time from the request to the first piece of text.
//   - CPU: user and system time of the process for each stream, and its ratio to that of the floor.
//   - RSS: the memory that the process holds in addition while all streams are open, for each stream. All of it but the
//     anonymous part is pages of the table file and of the program. A server that has used much memory at its start
//     looks better than it is, because streams fill that again.
//   - total RSS: the whole process at that time.
//   - slope: by how much the total grows with each stream above the first number of streams, and its ratio to that of
//     the floor. Unlike RSS, it does not depend on how much memory a server has used at its start. It does depend on
//     the first number: 50 clients make 600 streams before the last sample.
//   - left: the increase of goroutines, open files and memory between the time before and the time after. Connections
//     to the model that the HTTP client has dialed and not used are counted until they are closed, after 90 s.
//   - late: how late the model sent its pieces, 99th percentile; busy: the use of core 1. If late is not small, the
//     machine is too busy for the figures to mean anything.
package main
