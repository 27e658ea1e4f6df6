// Package server is the bookshelf's HTTP interface: uploads, extraction as a stream, acceptance, the accepted books, a
// chat about them, and the operators' view.
//
// A [Server] combines carrel's packages. It gets its table, buckets, signer, agent and pages from [Options], keeps no
// state between requests except the runs in flight, which another process can take over, and serves
//
//	GET  /health
//	GET  /api/upload/presigned?filename=   a grant to upload one file, and the session that it belongs to;
//	                                       content_type, size and sha256 (base64) are pinned if given; display_name is
//	                                       the name as the person knows it
//	POST /api/metadata/extract             starts a run on the upload, or refines it; answers with its events (SSE)
//	GET  /api/metadata/{session}           the draft: {metadata, texts, sources, origins, version, transcript, runs,
//	                                       photo_url, and run_id of the run in flight}
//	PUT  /api/metadata/{session}/draft     keeps what a person has typed: {metadata, texts?, version}
//	POST /api/metadata/accept              writes metadata.json and ends the session's record
//	GET  /api/runs/{run}/events            the events after Last-Event-ID or ?last_event_id= (SSE)
//	POST /api/runs/{run}/stop              stops the run
//	GET  /api/runs/{run}/results/{call}    the whole result of a tool call
//	POST /api/runs/{run}/approvals/{id}    decides on a call that waits: {approved, reason?}; answers with the
//	                                       Location of the run that continues
//	GET  /api/bookshelf/overview           {own, shared, capped, recent}: numbers of books, and the newest ones
//	GET  /api/bookshelf/catalogue          {books, count, next}, newest first; limit, cursor
//	GET  /api/bookshelf/search?query=      the same for the books that match; field is title, author or isbn
//	GET  /api/bookshelf/{id}               {book, versions, rights}; version selects the metadata of one of them
//	PUT  /api/bookshelf/{id}               corrects a book: {metadata, version}; 409 unless version is the current one
//	GET  /api/bookshelf/{id}/thumbnail     a small JPEG of the photo; photo selects it, see thumbnail_url
//	POST /api/bookshelf/{id}/share         shares a version with the tenant: {version?}; role librarian
//	POST /api/chat                         answers a message about the books, as a stream: {chat_id?, message}
//	GET  /api/chat                         {chats, count, next, rights}: the caller's chats, newest first; limit, cursor
//	GET  /api/chat/{id}                    {turns, next, run_id, status, follow, rights}: the transcript; limit,
//	                                       cursor
//	POST /api/chat/agui                    the same chats for clients of AG-UI, see package agui
//	POST /api/chat/aisdk                   and for the AI SDK's chat transport, see package aisdk
//	GET  /api/chat/aisdk/{id}/stream       the newest message of such a chat; 204 only if it does not have a run
//	POST /mcp                              the tools of the chat and the caller's files over MCP, see package mcp; only
//	                                       librarians have the tool that shares, and they approve its calls
//	GET  /api/ops/files, /api/ops/files/{id}, /api/ops/counts; with owner=me, the list has the caller's uploads only
//	GET  /samples, /samples/{name}.png     covers to try it with, and {name}-small.jpg
//	POST /api/dev/token, GET /issuer/…     only with an issuer in the options
//	GET  /api/sign-in, /sign-in/…          how the pages get their tokens, see package signin
//
// and the pages. Errors are application/problem+json (RFC 9457). Each request is confined to the caller's tenant and
// user, except that the ops paths show the whole tenant to a caller with that role. Resources of others answer 404, as
// if they did not exist.
//
// # Runs
//
// The answer to extract names the run's events in Location. A second extract of an upload answers 409 while a run is in
// flight, with the Location of that run, before the upload has arrived, and after the record has ended. With an
// Idempotency-Key, the same request is answered with the events of the run that it started, and another one with 422.
//
// A run continues if its browser disconnects. If its process ends, another process takes it over from its last
// checkpoint ([Server.Watch]): at once after [Server.Close] or if the table is [Options.Exclusive], and otherwise when
// [Options.Lease] has expired. The stage of the record is updated before the last event is sent. A stopped run leaves
// what it has found to be reviewed; if it has found nothing, its record is FAILED and can be retried. While it can be
// retried, a person can also type the card and accept it (see Drafts). An accept answers 409 before the first run has
// ended, and during a run.
//
// # Drafts
//
// The draft of a card combines the findings of the runs with the edits of the person. Its sources say which of them the
// value of each field is: found (the agent has found it on the photo or looked it up), told (the person's message has
// the value) or typed. The origins name the look-up source that has a found value, for example "Open Library". A field
// that the person has cleared is typed, and is missing in the metadata. The photo_url is a download grant that is valid
// for five minutes; it is missing if the photo has not arrived or has been deleted. The runs are the ids of the
// session's runs, oldest first, at most the newest hundred: their events tell what happened. The transcript is the
// conversation that the model sees, which is kept longer than the events.
//
// A PUT sends the whole card with the version of the draft from which it was made, and is answered with the new
// {metadata, texts, sources, origins, version}. Fields that differ from the agent's values are typed. The metadata is
// checked as an accept checks it, but it may be empty. If it is rejected because of a field, the problem has its name
// as the member field. Text that a person has typed and that is not valid yet, such as the year "18l3", is one of the
// texts: it is kept unchanged, and the metadata does not have that field. An accept does not have texts. If a run or
// another request has changed the draft since that version, the answer is 409 with the present draft as its member
// draft. The answer is 409 without it once the record has ended.
//
// A run keeps typed values: the agent receives them in its prompt, and set_field fails for them unless the person's
// message names the field or contains the new value. The edits are the item "draft" in the partition of the session,
// see package draft. After an accept, the metadata is that of the book on the shelf, as it was last corrected.
//
// In metadata, an empty string equals an absent field, published_year and confidence may be numbers in strings, and an
// ISBN may be as printed ("ISBN 0-8044-2957-X", see book.ParseISBN). It is stored without hyphens. The message about a
// wrong check digit says which one would be right. A search with field=isbn treats an ISBN in the same way.
//
// # Books
//
// An accepted book is on the shelf of its user, see package library. A row has id, metadata, version, owner ("you" or
// "tenant"), shared_version, shared_by, accepted_at, changed_at, photo_url, which is valid for some minutes, and
// thumbnail_url, the path of a JPEG whose longer side has at most 320 pixels. The path changes with the photo, so the
// JPEG may be cached forever, privately, by requests with the same token. It is made by the first request for it, and
// stored in the raw bucket under the scope of the book. It answers 404 if the photo cannot be decoded.
// Everybody in a tenant sees the books that its librarians share; shared_by is the id of the librarian. They can be
// corrected and shared by their owner only: rights has can_correct and can_share, as the caller may. Each of the
// versions has version, at and, if it was shared by a colleague, by.
//
// # Chats
//
// Without a chat_id, a message begins a chat. Its id is in the header Chat-Id and in the event chat. Runs of a chat are
// like those of an extraction: they are resumed, stopped and repeated with an Idempotency-Key in the same way, and
// there is one at a time. The agent has the tools of package librarytools. A run keeps the role of the caller who began
// it. If a librarian's run wants to share a book, it ends with the event pending, and its approval_requested has the
// ids to decide. The run that continues after the decision is a new one. To approve needs the role librarian again.
//
// The transcript is paged: each page has its turns in their order, and next is the cursor of the page with older ones.
// A turn has a number and entries: a role and a text, or a call with its id, name, input, summary, is_error and
// output, the JSON of its result up to 16 KB. The run_id and the status are those of the newest run; the results of
// all calls of the chat can be read below its run. If that run is in flight or waits for an approval, follow has its
// id, after the ids of the runs that it continues: their events are the rest. These events contain also the turns
// whose number is greater than that in their first chat event. A message overtakes a request for an approval: its turn
// then has a failed result for the call. The list has the chats that POST /api/chat began, in order of their
// beginnings: chat_id, title (the beginning of the first message) and started_at. The rights of both have can_approve.
//
// A chat of a front end of another protocol has the id that its client chose, of up to 256 characters. Its runs are
// like all others.
//
// A chat is deleted some time after its last message, see package history and [Server.ForgetChat]. A message to it is
// then answered with 404, or begins a new conversation if the client chose the id or a run of the chat has not expired.
// The conversation about an upload is deleted with its record.
//
// # Events
//
// Each event of a stream is an id and a JSON object with a type: run_queued if the run waits for its place,
// run_started, user_message {text}, text_delta {delta}, tool_call {id, name, input}, tool_result {id, name, summary,
// is_error, duration_ms, and unavailable if the tool does not exist on this machine}, metadata_update {field, value,
// source, origin}, usage {input_tokens, output_tokens}, and at the end complete {metadata, and stop_reason if the model
// did not end its answer in a usual way, such as refusal: the text may not be an answer} or error {code, message}.
// The codes of errors are those of [agent.Code], and not_an_image, image_too_large, upload_differs, budget, stopped and
// conflict.
//
// A chat also has chat {chat_id, turns: the number of turns before the run}, approval_requested {approval_id, id, tool,
// input, reason, expires_at} and approval_decided {approval_id, approved, reason}, and may end with pending instead of
// complete.
//
// The ids grow as strings. The event retract {after} takes back the events before it whose id is greater than after,
// all of them if it is empty; a run that is taken over sends it and continues from there. The event reset says that the
// client's last id is unknown and that all events follow. A stream without complete, error or pending is not finished:
// a client asks again with the last id. A client that has the last event gets 204, and events are kept for a week (410
// afterwards).
//
// # Operations
//
// A caller lists their own uploads, and those of the whole tenant with the role ops; owner=me lists only their own. The
// status active, waiting, failed or success selects a class. The classes are disjoint. A row has upload_id, user_id,
// own, filename, display_name (if it differs), title, class, current_status, stage, state, created_at and changed_at,
// and reason and retryable if it has failed. The title is that of the draft, and after the accept that of the book on
// the shelf. With q, a row is listed if its title, file name, display name or id
// contain each word of the text; accents do not matter. Such a list has capped: if it is true, the search stopped at a
// number of rows and continues at next. The counting of a class stops at 1,000. Answers have an ETag, so a page that
// polls gets 304 if nothing has changed.
//
// A retry or a cancel that the state does not allow is answered with 409 and the current record as its member file. A
// repeated retry gets the same run until the upload fails again. A cancelled upload is FAILED for ever, and its file is
// deleted. The write that ends the record decides between a cancel and an accept or the end of a run at the same time.
// The grant of a cancelled upload stays open until it expires, because its URL cannot be revoked.
//
// # Limits
//
// A user holds at most as many open grants as [Options.Admission] allows; above that the answer is 429 with
// Retry-After. A grant is open until its upload arrives or it expires. Runs beyond the limits wait in the queue of
// their tenant: their stream begins with run_queued and continues with run_started. If the queue is full, the answer is
// 429 with Retry-After.
//
// If Admission has a token budget and [Options.StepTokens] is set, a run whose tenant has used its tokens up ends with
// the code budget, and can be tried again in the next period. Its message says when.
//
// Tenants take turns at decoding photos and reading them, so one tenant does not delay the runs of another: see package
// photo. They also take turns at searching their uploads.
//
// A file name that cannot end a key is rejected: a client asks for another one and sends the original as display_name.
// The pages do so.
//
// An upload has at most [MaxUpload] bytes and must match its announcement exactly. If it does not match, or is not a
// JPEG, PNG or WebP that can be decoded within 256 MB of memory, its record ends with image_too_large, upload_differs
// or not_an_image, and the upload is deleted. Uploads are also deleted if their record ends otherwise without success.
// The content decides, not the name or the announced type.
//
// # Arrivals
//
// An arrival is recorded by the first to find it: the storage's event (package arrivals), the first extract, or the
// sweep (package sweeper). The sweep ends records whose upload has not arrived by the end of its grant plus
// [Options.Grace]. Until then the record is IN_PROGRESS. Afterwards it is FAILED with the reason "abandoned", and
// extract and accept answer 409. The server itself runs neither the events nor the sweep.
package server
