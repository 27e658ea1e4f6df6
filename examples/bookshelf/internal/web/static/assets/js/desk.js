// The desk: a way in, and what lies on the desk once a book is there. The
// upload's id stands in the address, so that a reload finds it again.

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

// The address belongs to the upload: the skip link moves the focus alone.
document.querySelector(".skip").addEventListener("click", (e) => {
  e.preventDefault();
  byId("main").focus();
});
