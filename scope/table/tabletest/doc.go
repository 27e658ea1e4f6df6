// Package tabletest is the conformance suite for implementations of [table.Driver], in
// this module and outside it.
//
//	func TestDriver(t *testing.T) {
//		tabletest.Test(t, func(t *testing.T) table.Driver {
//			d, err := bolt.Open(t.TempDir())
//			require.NoError(t, err)
//			return d
//		}, nil)
//	}
//
// Each check is a parallel subtest that can be selected with -run. It works under
// tenants with new names and deletes its items, so the store may be shared and may
// contain other rows.
//
// The suite does not test speed, throttling, crashes, or when a store that is not a
// [table.Purger] removes expired rows.
package tabletest
