// A user of the bookshelf, with the requests that its page makes.
export class User {
  constructor(server, token) {
    this.server = server;
    this.headers = { Authorization: `Bearer ${token}` };
  }

  // signIn returns a user of the tenant "acme".
  static async signIn(server, user, ...roles) {
    const response = await fetch(`${server.url}/api/dev/token`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ tenant: "acme", user, roles }),
    });
    return new User(server, (await response.json()).token);
  }

  async request(method, path, body) {
    const response = await fetch(`${this.server.url}${path}`, {
      method, headers: { ...this.headers, "Content-Type": "application/json" }, body: body && JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  async get(path) { return await (await this.request("GET", path)).json(); }

  // acceptBook uploads a cover, has its metadata extracted, and accepts them with a title.
  async acceptBook(title) {
    const grant = await this.get("/api/upload/presigned?filename=cover.png");
    const { samples: [sample] } = await this.get("/samples");
    const cover = await fetch(`${this.server.url}${sample.url}`);
    await fetch(grant.url, { method: grant.method, headers: grant.headers, body: await cover.arrayBuffer() });
    const extracted = await this.request("POST", "/api/metadata/extract", { session_id: grant.session_id });
    const last = (await extracted.text()).split("\n").filter((l) => l.startsWith("data: ")).at(-1);
    const { metadata } = JSON.parse(last.slice("data: ".length));
    await this.request("POST", "/api/metadata/accept", { session_id: grant.session_id, metadata: { ...metadata, title } });
  }
}
