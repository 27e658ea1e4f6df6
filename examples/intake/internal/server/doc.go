// Package server is intake's HTTP interface: uploads of any size, a chat that takes them in and answers questions, and
// the person's decision about each file.
//
// A [Server] combines carrel's packages. It keeps no state between requests except the runs in flight, which another
// process can take over, and serves
//
//	GET  /health
//	GET  /api/me                        {tenant, user, is_steward, max_upload}
//	POST /api/uploads                   {name, size, type?}: {id, grant}, or {id, part_size, parts} for a large file
//	POST /api/uploads/{id}/parts/{n}    the grant of a part
//	POST /api/uploads/{id}/complete     {etags}: makes the file of its parts
//	POST /api/uploads/{id}/abort        gives an upload up
//	GET  /api/files?cursor=             {files, shared, next}, newest first, without the columns of reports
//	GET  /api/files/{id}                one file with its report
//	POST /api/files/{id}/confirm        {version, kind?, columns?}: confirms the report, with corrections
//	POST /api/files/{id}/share          shares a confirmed file with the tenant; role steward
//	POST /api/files/{id}/delete         deletes a file that is not confirmed, and its report
//	POST /api/chat                      {message?, file_id?, chat_id?}: answers with the events of a run (SSE)
//	GET  /api/chat?cursor=              {chats, next}: the caller's chats, with titles, newest first
//	GET  /api/chat/{id}                 {chat_id, runs, running}: the ids of the chat's last runs
//	GET  /api/runs/{run}/events         the events after Last-Event-ID or ?last_event_id= (SSE)
//	POST /api/runs/{run}/stop           stops the run: {status}, "stopping", or "ended" if it had ended
//	GET  /api/runs/{run}/results/{call} the whole result of a tool call
//	GET  /samples/{name}?rows=          a made-up file, such as shipments.csv
//	POST /api/dev/token                 only with an issuer in the options
//
// and the page. Errors are application/problem+json (RFC 9457). A file, a chat or a run of another user or tenant
// answers 404, as if it did not exist.
//
// # Uploads
//
// A file of at most [MaxPut] bytes is sent by one PUT. A larger one is sent in parts of part_size bytes, each by the
// PUT of a grant; the ETags that S3 answers are the argument of complete. The size is signed, so S3 rejects every other
// one. A file has at most [MaxUpload] bytes. The number of open uploads is limited for each user (429).
//
// # Runs
//
// With a file_id, a chat takes in that file: the run claims the stage "profiled" of the file's record, and ends it
// with success once the report is recorded. While another run does so, the answer is 409 with its Location. If the
// file is not a table, such as an archive, it cannot be taken in again: its can_take_in is false, its failure is the
// reason, and further attempts answer 409. Without a chat_id, a message begins a chat, whose id is in the header Chat-
// Id. A chat is on the list of its user as soon as its first run has begun. Its title is the name of the file or the
// first message.
//
// The answer is the stream of the run; its path is in the header Location. A run continues if its browser disconnects,
// and another process takes it over if its process ends. Its events are those of package runner, unchanged:
// text_delta, tool_call, tool_progress, tool_result, finished, failed and the others. A run that takes in a file has
// an event custom with the name "file" and the value {id} as its first step begins. A chat has one run at a time (409
// with the Location of that run). With an Idempotency-Key, a repeated request gets the same run.
//
// The tools of a run have the scope of its user, and read-only that of the tenant's shared data.
//
// # Confirmation
//
// A person confirms the version of the report that they saw: 409 if it has changed, and for a correction of a report
// that was confirmed, and 400 if the meanings do not fit the report, which has at most 390 KiB. The kind and
// the meanings of columns in the request replace those of the agent. A confirmed report does not change any more.
//
// # Retention
//
// A file that is not confirmed within [Review] is abandoned and deleted. Its person can delete it before. A confirmed
// file is kept. A chat is deleted [ChatRetention] after its last message.
package server
