#!/usr/bin/env bash
# agui.sh [install]: the unmodified @ag-ui/client (npm) and ag-ui-validate (PyPI) against the conformance server and the
# bookshelf. Needs Go, Node 20 or later with npm, and Python 3.11 or later with venv. Versions and digests are in agui/package-lock.json and
# agui/requirements.txt.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

here=$(cd "$(dirname "$0")" && pwd)
dir=$(suite_dir agui)

install() {
  install_npm "$dir" "$here/agui"
  install_pip "$dir" "$here/agui/requirements.txt"
}

validator() { "$dir/venv/bin/ag-ui-validate" "$@" --max-warnings 0 >"$work/report" 2>&1; }

# validate TARGET...: each has neither errors nor warnings.
validate() {
  local target
  for target in "$@"; do
    validator "$target" || { echo "$target"; cat "$work/report"; return 1; }
  done
  echo "ag-ui-validate: $# streams without errors and warnings"
}

# validate_broken: a stream whose server is killed is not taken for a complete one.
validate_broken() {
  start server -dir "$work/data" -pace 100ms
  validator "$url/agui" &
  local validation=$!
  until [ "$(curl -fsS "$url/began")" != 0 ]; do kill -0 "$validation"; sleep 0.1; done
  sleep 0.5
  kill -KILL "$server"
  if wait "$validation" || ! grep -q AGUI508 "$work/report"; then
    cat "$work/report"
    return 1
  fi
  echo "ag-ui-validate: a killed server is noticed"
}

# start PROGRAM [FLAG...]: a server, whose id and address are then in $server and $url.
start() {
  local program=$1
  shift
  : >"$work/log"
  "$work/$program" -addr 127.0.0.1:0 "$@" >"$work/log" &
  server=$!
  until url=$(grep -om 1 'http://[0-9.:]*' "$work/log"); do kill -0 "$server"; sleep 0.1; done
}

run() {
  work=$(mktemp -d)
  trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
  build_server "$work/server"
  build "$work/bookshelf" ./bookshelf
  mkdir "$work/recordings" "$work/data"
  rm -rf "$dir/agui"
  cp -r "$here"/*.mjs "$here/agui" "$dir/"
  CONFORMANCE_SERVER=$work/server CONFORMANCE_BOOKSHELF=$work/bookshelf CONFORMANCE_RECORDINGS=$work/recordings \
    node --test --test-concurrency=1 "$dir"/agui/*.test.mjs
  validate "$work"/recordings/*.sse
  validate_broken
  start server -dir "$work/data"
  validate "$url/agui"
  kill "$server"
  start bookshelf -data "$work/shelf"
  validate "$url/api/chat/agui"
}

case ${1:-run} in
  run) install && run ;;
  install) install ;;
  *) echo "usage: $0 [install]" >&2; exit 2 ;;
esac
