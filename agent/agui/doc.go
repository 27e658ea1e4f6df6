// Package agui serves runs to clients of AG-UI 1.0, the Agent-User Interaction Protocol, such as HttpAgent of
// @ag-ui/client.
//
// A [Handler] answers a client's POST with the events of a run, told from the run's log:
//
//	h, err := agui.New(func(r *http.Request, thread string) (agui.Chat, error) {
//		user, err := authenticate(r)
//		if err != nil {
//			return nil, err
//		}
//		return runs.Chat(runner.Conversation{User: user, Dialect: "agui", ID: thread, Agent: "chat", Strict: true})
//	}, nil)
//	mux.Handle("POST /api/chat/agui", h)
//
// A service that starts its runs in another way parses requests with [parseRequest] and follows a log with
// [Request.Dialect].
//
// # Requests
//
// Of the body, threadId, runId, messages and resume are read. The last message must be the user's, and its text starts
// a run. The client's other messages are its own transcript: the model does not see them, and results of tools, states
// and texts of the system that a client sends change nothing. Content other than text is rejected. The agent calls
// neither the client's tools nor reads its context: both are ignored, like state and forwardedProps.
//
// runId is the idempotency key of a message. A client cannot reconnect, but it can send the request again: the response
// to the same runId is the same run, from its start. The client's transcript may have messages of the lost stream. The
// first event after RUN_STARTED is then a MESSAGES_SNAPSHOT without them. If the last message is not the user's but one
// of a run, the response is that run.
//
// # Events
//
// The events of a log become these:
//
//	run_queued, run_started     RUN_STARTED, whose metadata is {"carrel":{"run":"…"}}; then MESSAGES_SNAPSHOT if the
//	                            client has messages of the run, or if the run continues another one
//	step_started, -finished     STEP_STARTED, STEP_FINISHED, with the names "step 1", "step 2", …
//	text_delta                  TEXT_MESSAGE_START, -CONTENT, -END
//	reasoning_delta             REASONING_START, REASONING_MESSAGE_START, -CONTENT, -END, REASONING_END
//	tool_call                   TOOL_CALL_START, -ARGS, -END
//	tool_result                 TOOL_CALL_RESULT, whose metadata is
//	                            {"carrel":{"summary":"…","isError":true,"truncated":true}}
//	custom                      CUSTOM with the same name and value
//	citation, tool_progress,    CUSTOM with the names "carrel.citation", "carrel.tool_progress" and "carrel.partial"
//	partial
//	usage, compacted            the usage of RUN_FINISHED and RUN_ERROR
//	approval_requested          an interrupt of RUN_FINISHED, with the reason "tool_call"
//	finished                    RUN_FINISHED with the outcome success, interrupt or cancelled; RUN_ERROR with the code
//	                            "limit" after a limit, and with the stop reason as its code, such as "refusal", if the
//	                            model did not end its answer in a usual way
//	failed                      RUN_ERROR
//
// The id of a message begins with that of its run. Events of state are not sent, because the agent does not share any.
//
// If another process takes a run over, the events that it repeats are retracted: the open message is ended, and a
// MESSAGES_SNAPSHOT has all other messages. A call that is repeated appears in another snapshot, since its id may begin
// only once. A client that comes later does not receive retracted messages.
//
// # Interrupts
//
// A run that waits for approvals ends with the outcome interrupt, after a MESSAGES_SNAPSHOT. The id of an interrupt is
// that of the approval. The next request of the thread answers all of them in resume, with the payload
// {"approved":true} or {"approved":false,"reason":"…"}; an interrupt that is cancelled is declined. That run tells only
// the results of the calls. A resume may be sent again, until a later message has been sent.
//
// The response is RUN_ERROR with the code "interrupted" if interrupts are open and the request does not have a resume,
// "incomplete_resume" if it does not answer all of them, and "unknown_interrupt" if one of them has expired or was
// answered otherwise. If all have expired, they may be cancelled: the outcome is then cancelled, and the next message
// starts a run.
//
// # Broken streams
//
// A client takes any clean end of a stream for success. A stream that cannot be told to its end is therefore broken:
// when the log cannot be read, and when the server shuts down.
//
// # Not included
//
// The package does not know who may use a thread: the function that opens chats does. A client that disconnects does
// not stop its run; a service offers a route for that, and the stream then ends with the outcome cancelled.
package agui
