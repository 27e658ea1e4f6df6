// Package objecttest is what every [object.Driver] has to pass, this module's
// and other people's.
//
// [Test] runs a list of checks against a driver and returns what failed, so it
// needs no testing.T and works in a start-up probe as well:
//
//	func TestDriver(t *testing.T) {
//		require.NoError(t, objecttest.Test(t.Context(), driver, "my-bucket"))
//	}
//
// It works under tenants with fresh names and deletes what it stored, so the
// bucket may be shared. What it does not test: speed, what the store does
// under throttling, and how long a deleted object can still be read where a
// store keeps versions.
package objecttest
