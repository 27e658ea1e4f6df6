// Package trackingtest tests whether package [tracking] keeps its promises on a
// [table.Driver]: twelve properties of records that many workers process,
// with clocks that differ and with writes and answers that get lost.
//
//	func TestTracking(t *testing.T) {
//		open := func(t *testing.T) table.Driver {
//			d, err := bolt.Open(t.TempDir())
//			require.NoError(t, err)
//			return d
//		}
//		trackingtest.Test(t, open, nil)
//	}
//
// Most properties are checked on histories. The suite wraps the driver so that
// every call of every worker waits for its turn. A seed determines who goes
// next, how far the clock moves, and which write or answer is lost. The suite
// keeps every row that was stored and reads it back through a separate tracker,
// so it does not depend on how a record is stored. Only the trackers' clocks
// move, so time costs nothing.
//
// The tables under test must hold nothing else, because a sweep covers the whole
// table by artificial clocks. Sessions belong to tenants with new names, and
// items are deleted at the end.
//
// The suite does not test what every driver promises to all packages, which
// package tabletest does, and it does not test costs.
package trackingtest
