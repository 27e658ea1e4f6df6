// Who the person is. The token that goes with each request is in memory only: a
// load of the page gets a new one from the server.

import { Problem } from "./problem.js";

const early = 60_000; // milliseconds before its expiry in which a token is replaced
const choiceKey = "identity"; // of the choice for this tab in sessionStorage
const ownerKey = "owner"; // of the name of the person to whom everything in sessionStorage belongs

/**
 * formatIdentity returns the short name of a person, for example "acme/ann". A name is easier to read than a user's
 * id.
 */
export const formatIdentity = ({ tenant, user, name }) => `${tenant}/${name || user}`;

const formatID = ({ tenant, user }) => `${tenant}/${user}`;

const isSame = (a, b) => formatID(a) === formatID(b) && String(a.roles ?? []) === String(b.roles ?? []);

/**
 * Session knows the person and gets their tokens. The server says how:
 * "choice": anybody may act as anybody, as chosen for this tab. "issuer": a
 * person signs in there, and the server renews the token. "fixed": all are one
 * person.
 */
export class Session {
  /** who is {tenant, user, name, roles}, once the session is ready. */
  who;
  /** kind is "choice", "issuer" or "fixed", once the session is ready. */
  kind;
  /** issuer is the URL of the issuer, if there is one. */
  issuer;
  /**
   * onLost is called when requests need another sign-in: with "expired", "stranger" (somebody else is signed in) or
   * "none" (nobody was, since the page was loaded).
   */
  onLost = () => {};

  #ask;
  #storage;
  #lock;
  #now;
  #token;
  #expires = 0;
  #loading; // the promise of ready
  #renewing; // the promise of a token in flight

  /**
   * @param ask sends a request: (path, body) returns the JSON of the answer to a POST of body, or to a GET without
   *   body. It throws a Problem.
   * @param options has storage (of this tab), lock (runs one function at a time in all tabs) and now.
   */
  constructor(ask, { storage, lock = (f) => f(), now = Date.now } = {}) {
    this.#ask = ask;
    this.#storage = storage;
    this.#lock = lock;
    this.#now = now;
    const choice = this.#readChoice();
    if (choice) this.#own(choice);
  }

  /** ready waits until the person is known. If that fails, the next call tries again. */
  ready() {
    this.#loading ??= this.#load().catch((err) => {
      this.#loading = undefined;
      throw err;
    });
    return this.#loading;
  }

  /** headers returns the headers of a request. A token that is about to expire is replaced first. */
  async headers() {
    await this.ready();
    if (this.#token && this.#now() > this.#expires - early) await this.renew();
    return this.#token ? { Authorization: `Bearer ${this.#token}` } : {};
  }

  /** renew gets a new token, also if the old one has not expired. */
  renew() {
    this.#renewing ??= this.#get().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  /** isOver reports whether the person has signed out, or their sign-in has ended. Otherwise they have a new token. */
  async isOver() {
    try {
      const { session } = await this.#ask("/api/sign-in");
      if (session) await this.renew();
      return !session;
    } catch (err) {
      return err.status === 401;
    }
  }

  /** canRenew reports whether another token can be tried when one was rejected. */
  get canRenew() {
    return Boolean(this.#token);
  }

  /** choose remembers somebody for this tab. The page must be loaded again. */
  choose(who) {
    this.#storage.clear();
    this.#storage.setItem(choiceKey, JSON.stringify(who));
  }

  /** hasChanged reports whether the choice for this tab is not the person of this page. */
  hasChanged() {
    return this.kind === "choice" && this.who !== undefined && !isSame(this.#readChoice() ?? this.#base, this.who);
  }

  #base; // the person without a token

  async #load() {
    const { kind, issuer, tenant, user, session } = await this.#ask("/api/sign-in");
    this.kind = kind;
    this.issuer = issuer;
    if (kind === "issuer") {
      await (session ? this.renew() : this.#leave());
      return;
    }
    this.#base = { tenant, user, roles: [] };
    const choice = kind === "choice" ? this.#readChoice() : undefined;
    if (!choice) {
      this.#become(this.#base);
      return;
    }
    this.#become(choice);
    try {
      await this.renew();
    } catch (err) {
      if (err.status !== 400) throw err;
      this.#storage.clear(); // not a name that the server accepts
      this.#become(this.#base);
    }
  }

  async #get() {
    if (this.kind === "choice") {
      const { tenant, user, roles } = this.who;
      this.#keep(await this.#ask("/api/dev/token", { tenant, user, roles }));
      return;
    }
    const before = this.who;
    let answer;
    try {
      answer = await this.#lock(() => this.#ask("/api/sign-in/token", {}));
    } catch (err) {
      if (err.status !== 401) throw err;
      if (!before) return this.#leave();
      this.onLost("expired");
      throw err;
    }
    const who = { tenant: answer.tenant, user: answer.user, name: answer.name, roles: answer.roles ?? [] };
    if (before && !isSame(before, who)) {
      this.onLost("stranger", who);
      throw new Problem(`Somebody else is signed in now: ${formatIdentity(who)}.`, 401);
    }
    this.#become(who);
    this.#keep(answer);
  }

  #become(who) {
    this.#own(who);
    this.who = who;
  }

  // Removes what the pages keep in this tab for another person.
  #own(who) {
    const name = formatID(who);
    if (this.#storage.getItem(ownerKey) === name) return;
    const choice = this.#storage.getItem(choiceKey);
    this.#storage.clear();
    if (choice !== null) this.#storage.setItem(choiceKey, choice);
    this.#storage.setItem(ownerKey, name);
  }

  /** #leave never returns, since the page is left to sign in. */
  #leave() {
    this.onLost("none");
    return new Promise(() => {});
  }

  #keep({ token, expires_at }) {
    this.#token = token;
    this.#expires = Date.parse(expires_at);
  }

  #readChoice() {
    try {
      const { tenant, user, roles } = JSON.parse(this.#storage.getItem(choiceKey) ?? "");
      if (typeof tenant !== "string" || typeof user !== "string" || !Array.isArray(roles)) return undefined;
      return { tenant, user, roles: roles.map(String) };
    } catch {
      return undefined;
    }
  }
}

/** explainAbsence is the message for what does not exist for a person, whether or not it is somebody else's. */
export function explainAbsence(who) {
  return `Nothing here for ${formatIdentity(who)}. The same link works for the person who owns it.`;
}
