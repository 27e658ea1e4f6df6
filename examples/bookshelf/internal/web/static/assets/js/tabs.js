// The other tabs of this browser. They learn at once that a card has changed, and
// ask the server what it is now: the messages have nothing but ids.

/** Tabs sends messages to the other tabs and receives theirs. */
export class Tabs {
  #channel;

  /**
   * onChange is called with the id of the upload that another tab has changed, and whether only its draft was edited.
   */
  constructor(onChange) {
    if (!("BroadcastChannel" in globalThis)) return; // then a card is looked at again when its tab is
    this.#channel = new BroadcastChannel("bookshelf.desk");
    this.#channel.addEventListener("message", ({ data }) => {
      if (typeof data?.id === "string") onChange(data.id, data.isEdit === true);
    });
  }

  /** notify says that this tab has changed an upload: its runs or its end, or only its draft. */
  notify(id, isEdit = false) {
    this.#channel?.postMessage({ id, isEdit });
  }
}
