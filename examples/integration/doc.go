// Package integration runs the library's conformance suites, and what else
// needs a server, against real ones. It has no code besides its tests.
//
// CARREL_BACKEND says against which: see package backend below. Without it
// everything runs that needs nothing installed. docs/backends.md has what each
// backend checks and what it does not.
package integration
