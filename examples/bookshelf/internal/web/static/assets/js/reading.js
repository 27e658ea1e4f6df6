// Follows a run of the reader: its events change the notes, the card and the line below the photo.

import { announce } from "./announce.js";
import { events as readEvents } from "./api.js";
import { byId, setText } from "./dom.js";
import { isOffline, onNudge } from "./network.js";
import { tellEvents } from "./run.js";
import { describePulse, humanizeName } from "./words.js";

/**
 * followReading follows a run up to its end and returns its events. It rejects if
 * the run cannot be followed any more; the run itself continues.
 * @param book has notes, card, cover, and title(title), as an OpenBook does.
 */
export async function followReading(run, book, signal) {
  const { notes, card, cover } = book;
  notes.begin(run);
  const before = card.save();
  const waiting = (isLost) => setText(byId("pulse-words"), describePulse({ isLost, isOffline: isOffline() }));
  const view = {
    show: (event) => showEvent(event, book),
    rewind() {
      notes.rewind();
      card.restore(before);
    },
  };
  try {
    return await tellEvents(readEvents(run, { signal, waiting, onNudge }), view);
  } finally {
    if (!signal.aborted) {
      notes.finish();
      cover.now("");
      setText(byId("pulse-words"), "working");
    }
  }
}

function showEvent(event, book) {
  const { notes, card, cover } = book;
  notes.show(event);
  switch (event.type) {
    case "run_queued":
      cover.now("Waiting for a place…");
      setText(byId("pulse-words"), "in the queue");
      announce("The reader is busy with other books. This one waits for its place.");
      break;
    case "run_started":
      cover.now("The reader is working…");
      setText(byId("pulse-words"), "working");
      break;
    case "tool_call":
      cover.now(`${humanizeName(event.name)}…`);
      break;
    case "metadata_update": {
      const label = card.set(event.field, event.value, event.source, event.origin);
      if (label) {
        const words = `${label}: ${event.value ?? "none"}`;
        announce(words);
        cover.now(words);
      }
      if (event.field === "title") book.title(event.value);
      break;
    }
    case "complete":
      card.settle(event.metadata);
      book.title(card.value("title"));
      break;
  }
}
