// The server's interface for operations on uploads: one function for each path.

import { encodeQuery, json, jsonIfChanged } from "./api.js";

/**
 * listUploads returns {tag, body}: a page of the uploads of a view, {files, next,
 * capped}. The body is undefined if the page still has the tag.
 */
export function listUploads({ status, owner, q }, { limit, cursor, tag }, signal) {
  return jsonIfChanged(`/api/ops/files?${encodeQuery({ status, owner, q, limit, cursor })}`, tag, signal);
}

/** countUploads returns {tag, body}: the numbers by class, {all, active, waiting, failed, success, capped}. */
export function countUploads({ owner }, tag, signal) {
  const query = encodeQuery({ owner });
  return jsonIfChanged(query ? `/api/ops/counts?${query}` : "/api/ops/counts", tag, signal);
}

/** retryUpload starts the reader again on an upload that has failed. */
export const retryUpload = (id) => act(id, "retry");

/** cancelUpload ends an upload, and returns its record. */
export const cancelUpload = async (id) => (await act(id, "cancel")).file;

function act(id, verb) {
  return json(`/api/ops/files/${encodeURIComponent(id)}/${verb}`, { method: "POST" });
}
