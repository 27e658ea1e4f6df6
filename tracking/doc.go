// Package tracking says at every moment where each upload stands: one record a
// session, taken through the stages of a declared pipeline.
//
// A [Tracker] keeps the records of one [Pipeline] in a table. [Tracker.Create]
// makes a [Record]; proof from outside, such as an object that has arrived,
// comes with [Tracker.Observe]; a worker takes a stage with [Tracker.Start],
// or [Tracker.Resume] after a person has looked at it, and gets an [Attempt]:
//
//	a, err := tr.Start(ctx, session, tracking.Enrichment, &tracking.StartOptions{
//		Key:      runID,
//		Observed: &tracking.Observation{Stage: tracking.UserUpload, Dest: ref},
//	})
//	work, stop := a.Keep(ctx)      // renews the lease while we work
//	err = read(work)
//	stop()
//	if err != nil {
//		return a.Fail(ctx, err)    // retryable, unless err is a permanent *tracking.Error
//	}
//	return a.Park(ctx, 0)          // and Complete, once a person accepts
//
// # Transitions
//
//	Create    nothing → record
//	Observe   an External stage whose After have succeeded → success
//	Start     queued, failed with attempts left, running under a dead lease → running, attempt+1, fence+1
//	Resume    parked, released; once parked: failed, running under a dead lease → running, fence+1
//	          with TakeOver: running or released under the same key → running, fence+1
//	Heartbeat running → running, with a new lease
//	Park      running → parked
//	Release   running → released
//	Complete  running → success; the last required stage makes the record a SUCCESS
//	Fail      running → failed
//	Cancel    anything not terminal → cancelled
//	Sweep     overdue, and: running under a dead lease → failed, "lost"
//	          an External stage whose object is there → success
//	          an optional External stage whose object is not → failed
//	          nobody at work → abandoned
//
// An External stage runs, without a worker, from the moment that the stages in
// its After have succeeded: the transition that completes the last of them
// begins it. Proof that arrives earlier is refused with [ErrDependencies] and
// reported again later.
//
// A record is terminal once every required stage has succeeded, when it was
// cancelled or abandoned, and when a required stage failed for good or at its
// last attempt.
// Once a stage has been parked no failure is for good: a person's work is
// never lost to a throttled model.
//
// Each transition is one conditional write of one item, so a crash leaves a
// record before it or after it, and never in between. A key says on whose
// behalf a stage is held; a fence, raised whenever the stage changes hands,
// keeps a worker that was replaced from changing anything. A lease says when
// it may be replaced, by the clock of whoever replaces it: clocks that differ
// by more than a lease make for needless replacements, not for lost or doubled
// work. A repeated operation is recognised and done once.
//
// A one-shot stage is done by [Tracker.Track] in one call: start, heartbeat,
// complete or fail. A retry that nobody asked for keeps to a back-off.
//
// A program calls [Tracker.Sweep] every minute or so, in one process or in all,
// and goes on from [SweepResult.Next] while there is more:
// so every record comes to an end, whatever has crashed. A server first ends
// what a process before it has left, where it knows that one to be dead
// ([SweepOptions.Orphans]). [Options.Retention] bounds how long records are kept.
//
// [Tracker.Get], [Tracker.Find], [Tracker.List] and [Tracker.Count] read.
//
// What the package does not do: it starts no goroutine but the one that renews
// a lease, watches no queue and reads no objects. It stores where an object is,
// not what is in it.
package tracking
