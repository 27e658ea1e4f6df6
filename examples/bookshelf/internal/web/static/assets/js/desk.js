// The desk: the way in, the tray, and the book on the desk. The fragment of the
// URL is the id of that book's upload, so that a reload, Back and Forward and a
// link find it again.

import * as api from "./api.js";
import { announce } from "./announce.js";
import { byId, setText } from "./dom.js";
import { guardFocus } from "./focus.js";
import { Intake } from "./intake.js";
import { onNudge } from "./network.js";
import { preparePhoto } from "./prepare.js";
import { Queue } from "./queue.js";
import { firstKey, Review } from "./review.js";
import { Tabs } from "./tabs.js";
import { Tray } from "./tray.js";
import { requestGrant, putFile } from "./upload.js";

let shown; // the upload of this page that is on the desk and has not reached the reader

const queue = new Queue(
  {
    prepare: (file, signal) => preparePhoto(file, { signal }),
    grant: requestGrant,
    put: (grant, photo, progress, signal) => putFile(grant, photo.blob, progress, signal),
    start: askReader,
    discard: (id) => api.cancelUpload(id).then(() => tray.look(), () => {}), // else its record ends with the grant
  },
  (upload) => {
    tray.refresh();
    if (upload.state === "started") tray.look();
    if (upload === shown) showUpload(upload);
  },
);

const tabs = new Tabs((id, isEdit) => {
  if (!isEdit) tray.look();
  if (id === review.session) review.catchUp();
});

const review = new Review({
  closed: () => leaveTo(""),
  changed: (id) => {
    tabs.notify(id);
    tray.look();
  },
  edited: (id, title) => {
    tabs.notify(id, true);
    tray.checkTitle(id, title);
  },
  next: () => {
    const book = tray.next();
    return book ? `Next card: ${book.title}` : "Upload another book";
  },
  openNext: () => leaveTo(tray.next()?.id ?? ""),
  retry: () => queue.retry(shown),
  cancel: () => queue.cancel(shown),
});

const intake = new Intake((files) => {
  const added = files.map((file) => queue.add(file));
  if (intake.isOpen) open(added[0].key);
  else announce(added.length === 1 ? `${added[0].name} is in the tray.` : `${added.length} photos are in the tray.`);
});

const tray = new Tray(queue, {
  onRow: (row) => row.upload_id === review.session && review.catchUp(),
  onChange: () => review.refreshNext(),
});

/** askReader starts the first run of an upload. A run that another tab has started is as good. */
async function askReader(id, signal) {
  try {
    await api.startRun(id, "", { key: firstKey(id), signal });
  } catch (err) {
    if (!err.run) throw err;
  }
  tabs.notify(id);
}

/** open shows the book with that id, or the way in for "". */
function open(id) {
  const upload = queue.find(id);
  shown = upload && upload.state !== "started" ? upload : undefined;
  if (id !== "" && id.startsWith("upload-") && !upload) {
    history.replaceState(null, "", location.pathname);
    id = "";
  }
  intake.show(id === "");
  if (id === "") {
    review.leave();
  } else if (shown) {
    review.await(shown);
    showUpload(shown);
  } else {
    review.resume(upload?.session || id);
  }
  tray.select(shown ? shown.key : upload?.session || id);
  setText(byId("skip"), id === "" ? "Skip to the desk" : "Skip to the card");
}

/** leaveTo goes to a book, or to the way in, as a link does. */
function leaveTo(id) {
  history.pushState(null, "", id ? `#${id}` : location.pathname);
  open(id);
  if (id === "") byId("file").focus();
}

function showUpload(upload) {
  if (upload.state === "cancelled") {
    shown = undefined;
    leaveTo("");
    return;
  }
  setAddress(upload);
  review.showUpload(upload);
  if (upload.state !== "started") return;
  shown = undefined;
  tray.select(upload.session);
  review.resume(upload.session, true);
}

// The address is that of the upload on the server as soon as it has one. A book that was opened from the way in leaves
// the way in behind it, for Back.
function setAddress({ key, session }) {
  const now = location.hash.slice(1);
  if (session === "" || now === session) return;
  if (now === "") history.pushState(null, "", `#${session}`);
  else if (now === key || queue.find(now)?.key === key || !queue.find(now))
    history.replaceState(null, "", `#${session}`);
}

function followAddress() {
  const id = location.hash.slice(1);
  const isShown = id !== "" && (id === review.session || (shown && (id === shown.key || id === shown.session)));
  const isWayIn = id === "" && intake.isOpen;
  if (!isShown && !isWayIn) open(id);
}

addEventListener("popstate", followAddress);
addEventListener("hashchange", followAddress);
addEventListener("beforeunload", (e) => {
  if (review.isUnsaved || queue.isUnsent) e.preventDefault();
});
onNudge(() => {
  review.saveNow();
  queue.retryLost();
  tray.look();
  review.catchUp();
});
guardFocus(byId("main"), [
  [".correct, .notes", "#transcript"],
  [".card-foot", "#accept", "#next-book"],
  ["#review", "#review-title"],
  ["#tray", "#tray-list li:last-child a"],
  ["#main", "#main"],
]);
if (location.hash !== "") open(location.hash.slice(1));
intake.takeEarly();

// The fragment of the URL is the upload's id, so the skip link only moves the focus.
byId("skip").addEventListener("click", (e) => {
  e.preventDefault();
  byId("main").focus();
});
