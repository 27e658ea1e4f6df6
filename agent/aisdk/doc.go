// Package aisdk serves runs to front ends that use the AI SDK: its chat hooks, and every other client of its UI message
// stream.
//
// A [Handler] answers the requests of the SDK's DefaultChatTransport. A Chat of package runner does what they ask for:
//
//	h, err := aisdk.New(func(r *http.Request, id string) (aisdk.Chat, error) {
//		user, err := authenticate(r)
//		if err != nil {
//			return nil, err
//		}
//		return runs.Chat(runner.Conversation{User: user, Dialect: "aisdk", ID: id, Agent: "chat"})
//	}, nil)
//	mux.Handle("POST /api/chat", h)
//	mux.Handle("GET /api/chat/{id}/stream", h)
//
// A service that starts its runs in another way implements [Chat] itself.
//
// # The stream
//
// The stream is one message of the assistant, translated from a run's log. The message of a run and of the runs that
// continue it is one, and its id is the id of the first of them. A step is a turn of the model.
//
//	text_delta, reasoning_delta   text-start, text-delta, text-end, and the same for reasoning
//	citation                      source-url if it has a URL, otherwise source-document
//	tool_call                     tool-input-available
//	tool_progress                 tool-output-available with preliminary
//	tool_result                   tool-output-available, -error, or -denied if the call was declined
//	approval_requested, -decided  tool-approval-request, -response
//	partial                       data-partial, one part in each step
//	custom                        data-NAME, a part for each event
//	usage                         message metadata {"usage":{…},"model":"…"}, in the form of the SDK's LanguageModelUsage
//	finished                      finish, with the reason other if the model did not end its answer in a usual way;
//	                              before it data-output with a typed answer, and abort if the run was stopped
//	failed                        error
//
// The output of a call is the text or the JSON value that its tool returned. Of several blocks it is
// {"summary":…,"blocks":[…]}, and of a result that the log does not have {"summary":…,"truncated":true}. If a run ends
// before a call was made, its part becomes an error. Quotes and places of citations are in their providerMetadata,
// under "carrel".
//
// The SDK rejects objects with a member "__proto__", and ends the stream. Such a value is sent as a string of its JSON.
//
// # Requests
//
// Of a POST, the id, the trigger, and the last message of the user or the answers to approvals are read. The history is
// on the server: other messages, results of tools and texts of the system change nothing. A message is text; a file or
// any other part is rejected.
//
// The id of the user's message is its idempotency key. The same message again continues its stream, also after the
// answer is complete. A message with the same id and another text is rejected, so a sent message cannot be edited.
//
// A request to regenerate asks the text of the last message again, as a new message. The model sees the answer before,
// if that was complete.
//
// # Resuming
//
// The SDK cannot continue in the middle of a message, so every stream begins with its first event. A GET streams the
// newest message again, also when it is complete, and answers 204 only for a chat without a run. If a process dies,
// another one repeats the turn of the model from its last checkpoint. A client that is connected then receives
// reset-step and the part of the step that remains. A stream that cannot reach its end is broken and not closed,
// because the SDK takes a closed stream for a complete one; the client then resumes.
//
// # Not included
//
// The package does not return the earlier messages of a chat. It does not know who may read a chat: its function Chat
// does. It does not execute tools in the browser. The SDK's stop disconnects and does not stop the run; a service
// offers another route for that.
package aisdk
