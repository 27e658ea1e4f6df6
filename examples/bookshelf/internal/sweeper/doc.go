// Package sweeper updates the records of uploads as time passes: it runs [tracking.Tracker.Sweep] periodically.
//
//	s := sweeper.New(tracker, system, desk.Look, &sweeper.Options{Log: log})
//	err := s.Recover(ctx) // once, if no other process uses the table
//	s.Run(ctx)            // until ctx ends
//
// Several processes may sweep one table at once. Each sweep retries the failures of earlier ones.
package sweeper
