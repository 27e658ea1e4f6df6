// Package sweeper sweeps the records of a tracker about every minute, so that
// every record ends, whatever has crashed.
//
//	s, err := sweeper.New(tracker, t.System(), &sweeper.Options{Look: look, Log: log})
//	if err != nil {
//		return err
//	}
//	s.Run(ctx) // until ctx ends
//
// Use it in every service that creates records: it is the loop around
// [tracking.Tracker.Sweep], with a time limit for each sweep and for each look at
// the storage. Any number of processes may sweep one table at once. A sweep tries
// again what an earlier one could not do.
//
// A process that is the only user of its table calls [Sweeper.Recover] when it
// starts, so that stages of its killed predecessor do not wait for their leases to
// expire.
//
// The package does not find uploads and does not know runs: [Options.Look] and
// [Options.Live] do. Package presign/arrivals has a Look.
package sweeper
