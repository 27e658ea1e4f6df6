// Package server is the bookshelf's HTTP interface: uploads, extraction as a stream, acceptance, and the operators' view.
//
// It puts carrel's packages together and holds nothing between two requests but the runs under way: a [Server] is
// given its table, buckets, signer, agent and pages, and serves
//
//	GET  /health
//	GET  /api/upload/presigned?filename=   a grant to upload one file, and the session that it belongs to;
//	                                       content_type, size and sha256 (base64) are pinned if given
//	POST /api/metadata/extract             starts a run on the upload, or refines it; answers with its events (SSE)
//	POST /api/metadata/accept              writes metadata.json and ends the session's record
//	GET  /api/ops/files, /api/ops/files/{id}, /api/ops/counts
//	GET  /samples, /samples/{name}.png     covers to try it with
//	POST /api/dev/token, GET /issuer/…     where it is given an issuer of its own
//
// and the pages. Errors are application/problem+json (RFC 9457). Everything happens within the caller's tenant and
// user, but for the ops paths, which show the whole tenant to a caller whose identity has it; what belongs to another
// is 404, as if it did not exist.
//
// # Events
//
// Each event of a stream is an id and a JSON object with a type: text_delta {delta}, tool_call {id, name, input},
// tool_result {id, name, summary, is_error, duration_ms}, metadata_update {field, value}, usage {input_tokens,
// output_tokens}, and at the end either complete {metadata} or error {code, message}. The codes of errors are those
// of [agent.Code], and not_an_image, image_too_large, upload_differs, stopped, lost and store_failed.
//
// A run goes on when its browser leaves. Its stage in the record is changed before the last event is sent.
//
// # Limits
//
// A user holds at most as many open grants as [Options.Grants] allows; above that the answer is 429 with Retry-After.
// A grant is open until its upload arrives or it expires.
//
// An upload is at most [MaxUpload] bytes and exactly what was announced. One that is not, or is not an image that can
// be decoded within 256 MB of memory, ends its record with image_too_large, upload_differs or not_an_image, and is
// deleted. So is one whose record ends otherwise without success.
//
// # Arrivals
//
// That an upload has arrived is recorded by whoever finds out first: the storage's event (package arrivals), the first
// extract, or the sweep (package sweeper), which ends what has not arrived by the end of its grant and
// [Options.Grace]. Until then the record is IN_PROGRESS; afterwards FAILED, with the reason "abandoned", and extract
// and accept answer 409. None of that is the server's to run: it only reads what the record says by now.
package server
