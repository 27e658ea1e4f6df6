// The desk: the intake of a photo and the review of a book. The URL contains the
// id of the upload, so that a reload finds it again.

import { byId } from "./dom.js";
import { Intake } from "./intake.js";
import { Review } from "./review.js";

const review = new Review({
  opened: (id) => history.replaceState(null, "", `#${id}`),
  closed: () => {
    history.replaceState(null, "", location.pathname);
    intake.show(true);
    byId("file").focus();
  },
});

const intake = new Intake((file) => {
  intake.show(false);
  review.start(file);
});

function followAddress() {
  const id = location.hash.slice(1);
  if (id === review.session) return;
  if (id === "") {
    review.leave();
    return;
  }
  intake.show(false);
  review.resume(id);
}

addEventListener("hashchange", followAddress);
followAddress();

// The fragment of the URL is the upload's id, so the skip link only moves the focus.
document.querySelector(".skip").addEventListener("click", (e) => {
  e.preventDefault();
  byId("main").focus();
});
