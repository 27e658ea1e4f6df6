// Package runner runs agents in runs that outlive their request, their process and their container.
//
// A [Runner] starts a run detached from the request. The run writes its events to a log, from which any number of
// clients in any process read them, and its checkpoints to a table, from which another process continues it:
//
//	r, err := runner.New(t, runner.Host{
//		Agent: func(context.Context, *runner.Run) (*agent.Agent, error) { return a, nil },
//	}, nil)
//	go r.Watch(ctx, t.System())          // continues the runs of processes that have died
//	run, err := r.Start(ctx, runner.Request{Scope: session, Prompt: "Which book is this?"})
//	…
//	sse.Serve(w, req, r.Source(session, run.ID, replay.Plain()), nil) // in a handler of any process
//
// A run is identified by "<session>.<n>". A session has one run at a time. A client that disconnects does not stop it:
// [Runner.Stop] does. [Runner.Shutdown] hands the runs of a process over to others.
//
// # Events
//
// The log of a run has the events of [agent.MarshalEvent], and those of the runner:
//
//	{"type":"run_queued","run":"…","continues":"…"}
//	{"type":"run_started","run":"…","continues":"…"}
//	{"type":"user_message","text":"…","media":[{"format":"png","name":"cover.png"}]}
//	{"type":"approval_decided","approval_id":"…","approved":true,"reason":"…"}
//	{"type":"custom","name":"…","value":…}
//	{"type":"retract","after":"…"}
//	{"type":"finished","outcome":"complete","output":{…},"stop_reason":"refusal"}
//	{"type":"failed","code":"…","message":"…","retryable":false}
//
// The outcome is complete, pending, stopped or limit. The members continues, media, reason, output and stop_reason may
// be missing, output also because it does not fit the log. A run has a stop_reason if its model did not end its last
// answer in a usual way (end_turn, tool_use or stop_sequence): its text may not be an answer. The code of a failure is
// an [agent.Code], or "budget" (the tokens of the tenant are used up), "too_large" (the message does not fit the log),
// "lost" (the run was interrupted too often) or "unreadable" (its stored state cannot be read). A tool_result of more
// than 16 KB has "truncated":true and no output, see [Runner.ToolResult]. After "retract" the events with greater ids
// than after are void: another process repeats that part.
//
// # Conversations of other clients
//
// Clients of other protocols choose the id of a conversation. [Runner.Chat] maps it to a session, by an item
// "chat#<SHA-256 of the dialect and the id>" in the user's partition that is put with [table.Absent]. It expires
// if [Options].ChatRetention is set and the conversation is not used for so long.
//
// # Protocol
//
// The items of run n are in the partition of its session: HEAD "run#<n>", "checkpoint#<n>" and the log. HEAD has the
// request, the status, an epoch, the id of the Runner that holds the run, and its lease. Until the run has ended, HEAD
// is listed for [Runner.Recover] in an index across scopes.
//
// A run begins with the put of HEAD with [table.Absent], which decides between concurrent starts. At each
// [agent.Checkpointed], before any tool is called and at the end of each turn, its process writes in this order:
//
//   - (a) the events so far, to the log;
//   - (b) the checkpoint, with the position in the log and the ended turn or compaction;
//   - (c) the turn or compaction, to the history.
//
// If the run before waits for approvals and is not continued, the first (a) to (c) add its turn to the history, in
// which the calls that wait have failed results.
//
// A run ends with (a) to (c) of its result, unless its checkpoint implies it, then Host.End, the last event of the log,
// and the end in HEAD.
//
// A process takes over a run whose lease has expired:
//
//   - It puts HEAD with the next epoch. Processes that lose that race do nothing.
//   - It puts the checkpoint again. The next checkpoint of the process before conflicts, so it writes no other turn: it
//     writes (c) only after (b).
//   - It opens the log with {"type":"retract","after":position}, so the log rejects further events of the process
//     before.
//   - It repeats (c), which succeeds if the turn is there.
//   - It claims the stage, so that the process before cannot change it any more.
//   - It continues from the checkpoint: it makes the pending calls with their former idempotency keys, asks the model,
//     or ends the run.
//
// A run whose log has its last event is taken over without waiting for its lease if a process starts the next run of
// the session, or calls [Runner.Decide] or [Chat.Waiting]. Its result is in the history and in its stage, and only the
// end in HEAD is missing.
//
// A run whose stored request, checkpoint or history is lost, for example because its objects were deleted, is taken
// over too, and ends as failed with the code "unreadable". So does one whose process does not have the
// [Options].Objects in which they are. If its log cannot be opened, because it has an item that
// package replay cannot have written, the run ends in the same way after five takeovers, but without a last event:
// its readers receive the error of the log, or sse.ErrExpired.
//
// A process that is fenced by HEAD, the checkpoint or the log, or that could not renew its lease, writes nothing more
// for that run. If only the lease of the stage has expired, the process hands the run over. It also does so if a
// process that was frozen before its claim has taken the stage for the same run, which the key of the claim shows: the
// next process takes the stage back. If another worker has taken the stage, the run ends as stopped. A kill between any
// two writes leaves a state from which these steps continue; then nothing but the time of a lease is lost.
//
// The tokens of a step are reserved before the model is asked and settled after its answer, see [Options].StepTokens. A
// takeover settles the step that was interrupted at the estimate.
//
// A tool's effects happen once if the tool heeds its idempotency key; the calls themselves may be repeated. So may the
// functions of [Host].
//
// # HTTP
//
// [Problem] says for the errors of this package which status and which words a client may get.
//
// # Not included
//
// The package does not serve HTTP and does not know who may see a run: callers pass the scope that the request was
// authenticated for.
package runner
