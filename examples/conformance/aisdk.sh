#!/usr/bin/env bash
# aisdk.sh [install]: the unmodified chat client of npm's ai against the conformance server and the bookshelf, and
# together with the client of AG-UI and a browser. Needs Go, Linux on amd64, and Node 20 or later with npm. Versions and
# digests are in aisdk/package-lock.json and agui/package-lock.json. The browser is a package too, with the libraries
# that it needs.
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
  build "$work/bookshelf" ./bookshelf
  rm -rf "$dir/aisdk" "$(suite_dir agui)/agui"
  cp -r "$here"/*.mjs "$here/aisdk" "$dir/"
  cp -r "$here"/*.mjs "$here/agui" "$(suite_dir agui)/"
  # The variable makes the browser's package unpack its libraries, below TMPDIR.
  TMPDIR=$work AWS_LAMBDA_JS_RUNTIME=nodejs20.x \
    CONFORMANCE_SERVER=$work/server CONFORMANCE_BOOKSHELF=$work/bookshelf node --test \
    --test-concurrency=1 --test-timeout=300000 \
    "$dir"/aisdk/*.test.mjs
}

case ${1:-run} in
  run) install && run ;;
  install) install ;;
  *) echo "usage: $0 [install]" >&2; exit 2 ;;
esac
