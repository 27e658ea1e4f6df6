// A text that was not sent is kept for this tab. It is forgotten when somebody else takes over, like all that the tab
// stores.

/** Unsent keeps the text of a box below a key, in a storage that the browser may not allow. */
export class Unsent {
  #storage;

  /** storage returns the storage of the tab. It may throw. */
  constructor(storage = () => sessionStorage) {
    this.#storage = storage;
  }

  /** keep stores a text for a chat, whose id is "" before its first message. */
  keep(chat, text) {
    this.#try((storage) => storage.setItem(key(chat), text));
  }

  /** forget removes the text of a chat. */
  forget(chat) {
    this.#try((storage) => storage.removeItem(key(chat)));
  }

  /** restore returns the text of a chat, or "". */
  restore(chat) {
    return this.#try((storage) => storage.getItem(key(chat))) ?? "";
  }

  #try(use) {
    try {
      return use(this.#storage());
    } catch {
      return undefined; // the browser does not allow storage
    }
  }
}

const key = (chat) => `unsent:${chat}`;
