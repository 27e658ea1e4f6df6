// What the operations page shows, as it stands in the URL: the filter, the
// search, whose uploads, and the opened ones. All functions are pure.

const classes = ["waiting", "active", "failed", "success"];
const maxOpen = 10;
const isID = (text) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

/**
 * parseView returns the view of a URL. What it does not know is ignored. The hash
 * is the id of an opened upload, as in links of the desk.
 * @returns {{status: string, q: string, owner: string, open: string[]}}
 */
export function parseView(search, hash = "") {
  const params = new URLSearchParams(search);
  const open = [...(params.get("open") ?? "").split(","), hash.replace(/^#/, "")].filter(isID);
  return {
    status: classes.includes(params.get("status")) ? params.get("status") : "",
    q: (params.get("q") ?? "").trim().slice(0, 200),
    owner: params.get("owner") === "me" ? "me" : "",
    open: [...new Set(open)].slice(0, maxOpen),
  };
}

/** formatView returns the path of a view. */
export function formatView({ status = "", q = "", owner = "", open = [] }) {
  const params = new URLSearchParams();
  if (status) params.set("status", status);
  if (q) params.set("q", q);
  if (owner) params.set("owner", owner);
  const tail = open.length > 0 ? `open=${open.slice(-maxOpen).join(",")}` : "";
  const query = [params.toString(), tail].filter(Boolean).join("&");
  return query ? `/ops?${query}` : "/ops";
}

/** isSameList reports whether two views list the same uploads. */
export const isSameList = (a, b) => a.status === b.status && a.q === b.q && a.owner === b.owner;
