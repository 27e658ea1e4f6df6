// Package tracking is a state tracker, not a queue: it keeps one record for each
// upload, which moves through the stages of a declared pipeline.
//
// It does not deliver work or start workers. A queue, a request or a cron job
// decides that something should happen; the tracker decides whether it may
// happen now and who does it, and records the result for people to see.
//
// # A worker
//
// A [Tracker] keeps the records of one [Pipeline] in a table. [Tracker.Create]
// creates a [Record], and [Tracker.Observe] records that its upload has arrived.
// A worker claims a stage with [Tracker.Claim] and holds it as an [Attempt]:
//
//	a, err := tr.Claim(ctx, session, tracking.Enrichment, &tracking.ClaimOptions{Key: runID})
//	if err != nil {
//		return err                // for example ErrRunning: another worker holds it
//	}
//	work, stop := a.Keep(ctx)     // renews the lease
//	err = extract(work)
//	stop()
//	if err != nil {
//		return a.Fail(ctx, err)   // retryable, unless err is an *Error that says otherwise
//	}
//	return a.Park(ctx, 0)         // a person reviews the result
//
// If the whole stage is one function, [Tracker.Track] does all of this. Its
// error, a [TrackError], says whether the worker is done with its message,
// should retry after a given time, or should give up.
//
// # A human review
//
// A review is not a separate stage: the worker parks the stage with
// [Attempt.Park]. The record is then in [ClassWaiting], disjoint from
// [ClassActive], while its status stays IN_PROGRESS. A request of the reviewer
// claims the same stage and completes it, or works on it and parks it again.
// Automatic workers leave it alone. Once a stage was parked, every failure can
// be retried, so that a person's work is not lost to a throttled model.
//
// # Transitions
//
//	Create    none → record
//	Observe   External stage whose After have succeeded → success
//	Claim     queued, failed and retryable, running under an expired lease → running, attempt+1, fence+1
//	          waiting, released; if ever parked also failed, running under an expired lease → running, fence+1
//	          with TakeOver: running or released under the same key → running, fence+1
//	Heartbeat running → running, with a new lease
//	Park      running → waiting
//	Release   running → released
//	Complete  running → success; the last required stage ends the record
//	Fail      running → failed
//	Cancel    not terminal → cancelled
//	Sweep     if the record is overdue: running under an expired lease → failed, "lost"
//	          External stage whose object has arrived → success
//	          optional External stage whose object has not arrived → failed
//	          otherwise → abandoned
//	SetLabels any → the same, with other labels
//
// docs/tracking.md has the complete table of states and operations.
//
// An External stage runs without a worker once the stages in its After have
// succeeded. Proof that arrives earlier is rejected with [ErrDependencies].
//
// A record is terminal when all required stages have succeeded, when it was
// cancelled or abandoned, and when a required stage failed in its last attempt
// or with a failure that cannot be retried.
//
// # Guarantees
//
// Each transition is one conditional write of one item, so a crash leaves the
// record as it was before the transition or after it. The key of a claim
// identifies the work, so that repeated operations are done once. The fencing
// token increases whenever the stage changes hands, so that a replaced worker
// can change nothing. The lease says when another worker may take the stage, by
// the clock of that worker: clocks that differ by more than a lease cause
// needless replacements, but no lost or duplicate work.
//
// A program calls [Tracker.Sweep] about every minute, in one process or in all
// of them, so that every record ends, whatever has crashed. [Options.Retention]
// bounds how long records are kept. [Tracker.Get], [Tracker.Find],
// [Tracker.List] and [Tracker.Count] read.
//
// The package starts no goroutine but the one of [Attempt.Keep], watches no
// queue and reads no objects. It stores where an object is, not its content.
package tracking
