// Package tabletest is what every [table.Driver] has to pass, this module's
// and other people's.
//
// [Test] runs a list of checks against a driver and returns what failed, each
// as a [CheckError], so it needs no testing.T and works as a probe of a real
// store as well:
//
//	func TestDriver(t *testing.T) {
//		open := func() (table.Driver, error) { return bolt.Open(t.TempDir()) }
//		require.NoError(t, tabletest.Test(t.Context(), open, nil))
//	}
//
// Each check works under tenants with fresh names and deletes what it stored,
// so the store may be shared and may hold other rows.
//
// What it does not test: speed, what the store does under throttling, whether
// a write outlives a crash, and when a store that is no [table.Purger] removes
// expired rows.
package tabletest
