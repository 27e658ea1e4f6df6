// A network between a page and its server that can fail.
import { once } from "node:events";
import { connect, createServer } from "node:net";

// openProxy opens a second address of the server. freeze stops all connections without closing them, thaw lets new ones
// through, and cut closes all.
export async function openProxy({ t, server }) {
  const pairs = new Set();
  let frozen = false;
  const proxy = createServer((client) => {
    if (frozen) client.pause();
    const upstream = connect(new URL(server.url).port, "127.0.0.1");
    const pair = { client, upstream };
    pairs.add(pair);
    for (const [from, to] of [[client, upstream], [upstream, client]]) {
      from.on("data", (data) => to.write(data));
      from.on("error", () => {});
      from.on("close", () => { to.destroy(); pairs.delete(pair); });
    }
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const cut = () => pairs.forEach(({ client, upstream }) => { client.destroy(); upstream.destroy(); });
  t.after(() => { cut(); proxy.close(); });
  return {
    url: `http://127.0.0.1:${proxy.address().port}`,
    freeze() {
      frozen = true;
      pairs.forEach(({ client, upstream }) => { client.pause(); upstream.pause(); });
    },
    thaw: () => (frozen = false),
    cut,
  };
}
