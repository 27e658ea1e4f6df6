#!/usr/bin/env bash
# dynoxide.sh [up|down|install]: dynoxide, a DynamoDB in one small binary from npm. Needs npm, on Linux with an x64 CPU.
# Its rows are in memory and go with the process. DYNOXIDE_PORT: the port, 8000 if unset. The version and its digest are
# in dynoxide/package-lock.json; no script of a package runs.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

lock=$(cd "$(dirname "$0")/dynoxide" && pwd)
dir=$(backends_dir "dynoxide-$(fingerprint dynoxide/package.json dynoxide/package-lock.json)")
url=http://127.0.0.1:${DYNOXIDE_PORT:-8000}
binary=$dir/node_modules/@dynoxide/linux-x64/dynoxide

install() {
  [ -x "$binary" ] && return 0
  mkdir -p "$dir"
  cp "$lock/package.json" "$lock/package-lock.json" "$lock/.npmrc" "$dir"
  (cd "$dir" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >&2
  chmod +x "$binary"
}

case ${1:-up} in
  up) install && start "$dir" "$url" "$binary" serve --host 127.0.0.1 --port "${DYNOXIDE_PORT:-8000}" ;;
  down) stop "$dir" ;;
  install) install ;;
  *) echo "usage: $0 [up|down|install]" >&2; exit 2 ;;
esac
