#!/usr/bin/env bash
# browser.sh [install | run [FILE...]]: the pages of the bookshelf and of intake in Chromium, Firefox and WebKitGTK, as
# their users see them.
# Needs Go, Node 20 or later with npm, and Linux with Debian's package registry. Nothing is installed on the system, see
# engines.sh. The tests drive Chromium and the stock Firefox (WebDriver BiDi) with npm's playwright-core, and WebKitGTK
# with its own WebDriver under Xvfb. Screenshots are kept in CARREL_ARTIFACTS/screenshots, or below the cache; the last line says where.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../conformance/common.sh
. "$here/../conformance/common.sh"
# shellcheck source-path=SCRIPTDIR source=engines.sh
. "$here/engines.sh"

dir=$(suite_dir browser)

install() {
  install_npm "$dir" "$here"
  install_engines "$dir/engines"
}

run() ( # FILE...
  work=$(mktemp -d /tmp/browser-XXXXXX) # in the one place that the browsers share with the system
  trap 'rm -rf "$work"' EXIT
  shots=${CARREL_ARTIFACTS:-$dir}/screenshots
  rm -rf "$shots"
  mkdir -p "$shots" "$work/browser" "$work/conformance" "$work/home"
  build "$work/bookshelf" ./bookshelf
  build "$work/intake" ./intake
  # Node finds the packages beside the tests.
  ln -s "$dir/node_modules" "$work/node_modules"
  cp "$here"/*.mjs "$work/browser/"
  cp "$here"/../conformance/*.mjs "$work/conformance/"
  export TMPDIR=$work HOME=$work/home CONFORMANCE_BOOKSHELF=$work/bookshelf CONFORMANCE_INTAKE=$work/intake
  export BROWSER_ENGINES=$dir/engines/bin BROWSER_SHOTS=$shots
  unset XDG_CACHE_HOME XDG_CONFIG_HOME XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS DISPLAY WAYLAND_DISPLAY
  cd "$work/browser"
  [ $# -gt 0 ] || set -- *.test.mjs
  node --test --test-reporter=spec --test-concurrency=2 --test-timeout=600000 "$@"
  echo "screenshots: $shots"
)

case ${1:-run} in
  run) shift $(($# > 0)) && install && run "$@" ;;
  install) install ;;
  *) echo "usage: $0 [install | run [FILE...]]" >&2; exit 2 ;;
esac
