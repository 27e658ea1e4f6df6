// Package trackingtest is what [tracking] promises on every [table.Driver],
// this module's and other people's: fourteen properties of records that many
// workers, with clocks that differ and answers that get lost, take through
// their pipelines.
//
// [Test] runs them against a driver and returns what failed, each as a
// [CheckError] with the property's name, so it needs no testing.T:
//
//	func TestTracking(t *testing.T) {
//		open := func() (table.Driver, error) { return bolt.Open(t.TempDir()) }
//		require.NoError(t, trackingtest.Test(t.Context(), open, nil))
//	}
//
// Most properties are looked for in histories. The driver is wrapped, so that
// every call of every worker waits for its turn: who goes next, how far the
// clock moves and which write or answer is lost is drawn from a seed. What was
// stored is noted, row by row, and each row is read again through a tracker of
// its own, so that nothing is known here of how a record is stored. Time is
// the trackers' alone and costs none.
//
// The tables that are tested must hold nothing else: the sweep is of a whole
// table, and what is overdue for it is decided by clocks that are made up.
// Sessions lie under tenants with fresh names, and what was stored is deleted.
//
// What it does not test: what every driver promises to any package, which is
// package tabletest's, and what the trackers cost.
package trackingtest
