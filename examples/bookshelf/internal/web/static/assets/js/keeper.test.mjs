import assert from "node:assert/strict";
import { test } from "node:test";
import { describeKeeping, Keeper } from "./keeper.js";

/** desk is a card with one field beside a server that keeps its draft. */
function desk({ before = async () => {} } = {}) {
  const server = { title: "Emma", texts: {}, version: 1, requests: 0, busy: 0 };
  const view = () => ({
    metadata: { title: server.title },
    texts: server.texts,
    sources: {},
    version: String(server.version),
  });
  const card = {
    text: "Emma",
    edits: 0,
    saved: 0,
    read() {
      const { text, edits } = this;
      const isValid = !text.endsWith("?") && text !== this.refused;
      return {
        metadata: isValid ? { title: text } : {},
        texts: isValid ? {} : { title: text },
        commit: () => (this.saved = edits),
      };
    },
    refuse(field, reason) {
      this.refused = this.text;
      this.reason = `${field}: ${reason}`;
      return true;
    },
    show(draft) {
      if (this.edits === this.saved) this.text = draft.texts.title ?? draft.metadata.title;
    },
  };
  const store = {
    load: async () => view(),
    save: async ({ metadata, texts }, version) => {
      assert.equal(server.busy++, 0, "one request at a time");
      try {
        await before(++server.requests, metadata);
        if (version !== String(server.version))
          throw Object.assign(new Error("changed"), { status: 409, draft: view() });
        Object.assign(server, { title: metadata.title, texts });
        server.version++;
        return view();
      } finally {
        server.busy--;
      }
    },
  };
  const states = [];
  const keeper = new Keeper(card, store, (state) => states.push(state), { delay: 5 });
  keeper.showDraft(view());
  const type = (text) => {
    card.text = text;
    card.edits++;
    keeper.touch();
  };
  return { server, card, keeper, states, type };
}

/** until waits for a condition. */
async function until(holds) {
  for (let i = 0; i < 1000 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(holds());
}

test("edits are saved together after a pause", async () => {
  const d = desk();
  d.type("Emma,");
  d.type("Emma, a novel");
  assert.equal(d.server.requests, 0);
  assert.ok(d.keeper.unsaved);
  await until(() => d.states.at(-1) === "saved");
  assert.deepEqual([d.server.title, d.server.requests], ["Emma, a novel", 1]);
  await until(() => !d.keeper.unsaved);
  assert.equal(await d.keeper.flush(), true);
  assert.equal(d.server.requests, 1, "nothing to save");
});

test("an edit during a request is saved by the next one", async () => {
  let release;
  const d = desk({ before: (n) => (n === 1 ? new Promise((r) => (release = r)) : undefined) });
  d.type("A");
  const flushed = d.keeper.flush();
  d.type("AB");
  const again = d.keeper.flush();
  release();
  assert.deepEqual(await Promise.all([flushed, again]), [true, true]);
  assert.deepEqual([d.server.title, d.card.text, d.server.requests], ["AB", "AB", 2]);
});

test("an old version is merged with the present draft, and the person's edit wins", async () => {
  const d = desk();
  d.server.title = "Of another tab";
  d.server.version = 7;
  d.type("Mine");
  assert.equal(await d.keeper.flush(), true);
  assert.deepEqual([d.server.title, d.card.text, d.server.version], ["Mine", "Mine", 8]);
});

test("conflicts without end are given up until later", async () => {
  const d = desk({ before: () => void d.server.version++ });
  d.type("Mine");
  assert.equal(await d.keeper.flush(), false);
  assert.deepEqual([d.states.at(-1), d.server.requests, d.card.text], ["waiting", 5, "Mine"]);
  d.keeper.close();
});

test("a failed request is repeated, and keeps the edit", async () => {
  let fails = true;
  const d = desk({ before: async () => { if (fails) throw Object.assign(new Error("down"), { status: 503 }); } });
  d.type("Mine");
  assert.equal(await d.keeper.flush(), false);
  assert.equal(d.states.at(-1), "waiting");
  assert.ok(d.keeper.unsaved);
  fails = false;
  assert.equal(await d.keeper.flush(), true);
  assert.deepEqual([d.server.title, d.states.at(-1)], ["Mine", "saved"]);
});

test("a refused card waits for the next edit", async () => {
  const d = desk({
    before: async (n) => {
      if (n === 1) throw Object.assign(new Error("too long"), { status: 400 });
    },
  });
  d.type("Mi");
  assert.equal(await d.keeper.flush(), false);
  assert.equal(d.states.at(-1), "refused");
  d.type("Mine");
  await until(() => d.server.title === "Mine");
});

test("a card that was accepted elsewhere is not saved again", async () => {
  const d = desk({ before: async () => { throw Object.assign(new Error("ended"), { status: 409 }); } });
  d.type("Mine");
  assert.equal(await d.keeper.flush(), false);
  assert.equal(d.states.at(-1), "closed");
  d.type("More");
  assert.equal(await d.keeper.flush(), true);
  assert.equal(d.server.requests, 1);
  assert.ok(!d.keeper.unsaved);
});

test("a card that is left is saved as it was", async () => {
  let release;
  const d = desk({ before: (n) => (n === 1 ? new Promise((r) => (release = r)) : undefined) });
  d.type("A");
  const flushed = d.keeper.flush();
  d.type("AB");
  d.keeper.leave();
  d.card.text = "Another book";
  release();
  assert.equal(await flushed, true);
  assert.deepEqual([d.server.title, d.card.text, d.states.at(-1)], ["AB", "Another book", "pending"]);
});

test("a card that is left does not replace newer values", async () => {
  const d = desk();
  d.type("Mine");
  d.server.title = "Of another tab";
  d.server.version = 7;
  d.keeper.leave();
  await until(() => d.server.requests === 1 && !d.keeper.unsaved);
  assert.equal(d.server.title, "Of another tab");
});

test("without a draft of the server, the first save asks for one", async () => {
  const d = desk();
  d.keeper.forget();
  d.type("Mine");
  assert.equal(await d.keeper.flush(), true);
  assert.equal(d.server.title, "Mine");
});

test("a text that is not valid yet is saved, and told apart", async () => {
  const d = desk();
  d.type("Mine?");
  assert.equal(await d.keeper.flush(), true);
  assert.deepEqual([d.server.title, d.server.texts, d.states.at(-1)], [undefined, { title: "Mine?" }, "invalid"]);
  await until(() => !d.keeper.unsaved); // the page may be left
  d.type("Mine");
  await d.keeper.flush();
  assert.deepEqual([d.server.title, d.server.texts, d.states.at(-1)], ["Mine", {}, "saved"]);
});

test("a value that the server refuses is saved as a text, with the other edits", async () => {
  const d = desk({
    before: async (_, { title }) => {
      if (title === "too long") throw Object.assign(new Error("must be shorter"), { status: 400, field: "title" });
    },
  });
  d.type("too long");
  assert.equal(await d.keeper.flush(), true);
  assert.deepEqual(
    [d.server.texts, d.states.at(-1), d.card.reason],
    [{ title: "too long" }, "invalid", "title: must be shorter"],
  );
});

test("a server that refuses a text too is not asked without end", async () => {
  const d = desk({ before: async () => { throw Object.assign(new Error("no"), { status: 400, field: "title" }); } });
  d.type("Mine");
  assert.equal(await d.keeper.flush(), false);
  assert.deepEqual([d.server.requests, d.states.at(-1)], [2, "refused"]);
});

test("the states have words", () => {
  assert.match(describeKeeping("invalid"), /not valid/);
  assert.match(describeKeeping("refused", "Too long."), /Too long\.$/);
  assert.match(describeKeeping(""), /every field/);
});
