// Package integration runs the library's conformance suites, and other tests
// that need a server, against real servers. It contains only tests.
//
// CARREL_BACKEND names the servers, see package backend. By default, only the
// tests that do not require an installation run. docs/backends.md describes what
// each backend checks.
package integration
