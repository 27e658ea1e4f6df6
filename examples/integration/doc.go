// Package integration runs the library's conformance suites, and other tests
// that need a server, against real servers. It contains only tests.
//
// CARREL_BACKEND names the servers: see package backend. Without it, the tests
// run that need no installation. docs/backends.md describes what each backend
// checks.
package integration
