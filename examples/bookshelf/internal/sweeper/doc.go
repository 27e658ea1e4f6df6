// Package sweeper lets time do its work on the records of uploads: it runs [tracking.Tracker.Sweep] over and over.
//
//	s := sweeper.New(tracker, system, desk.Look, &sweeper.Options{Log: log})
//	err := s.Recover(ctx) // once, where no other process works on the table
//	s.Run(ctx)            // until ctx ends
//
// Several processes may sweep one table at once. What one sweep could not do, the next one tries again.
package sweeper
