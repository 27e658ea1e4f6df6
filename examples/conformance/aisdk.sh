#!/usr/bin/env bash
# aisdk.sh [install]: the unmodified chat client of npm's ai against the conformance server, and together with the
# client of AG-UI. Needs Go, and Node 20 or later with npm. Versions and digests are in the two files package-lock.json.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

here=$(cd "$(dirname "$0")" && pwd)
dir=$(suite_dir aisdk)

install() {
  install_npm "$dir" "$here/aisdk"
  install_npm "$(suite_dir agui)" "$here/agui"
}

run() {
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  build_server "$work/server"
  cp -r "$here/server.mjs" "$here/aisdk" "$dir/"
  cp -r "$here/server.mjs" "$here/agui" "$(suite_dir agui)/"
  CONFORMANCE_SERVER=$work/server node --test --test-concurrency=1 \
    "$dir/aisdk/client.test.mjs" "$dir/aisdk/together.test.mjs"
}

case ${1:-run} in
  run) install && run ;;
  install) install ;;
  *) echo "usage: $0 [install]" >&2; exit 2 ;;
esac
