#!/usr/bin/env bash
# moto.sh [up|down|install]: moto's server, from PyPI: S3, DynamoDB, Cognito and more. Needs Python 3.10 or later.
# Its state is in memory and goes with the process. MOTO_PORT: the port, 5000 where unset.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

version=5.2.1
waitress=3.0.2
port=${MOTO_PORT:-5000}
dir=$(backends_dir "moto-$version")

install() {
  [ "$(cat "$dir/installed" 2>/dev/null)" = "$version $waitress" ] && return 0
  rm -rf "$dir"
  mkdir -p "$dir"
  "${PYTHON:-python3}" -m venv "$dir/venv"
  "$dir/venv/bin/pip" install -q --disable-pip-version-check "moto[server]==$version" "waitress==$waitress" >&2
  echo "$version $waitress" >"$dir/installed"
}

case ${1:-up} in
  up) install && start "$dir" "http://127.0.0.1:$port" "$dir/venv/bin/python" "$(dirname "$0")/moto_serve.py" "$port" ;;
  down) stop "$dir" ;;
  install) install ;;
  *) echo "usage: $0 [up|down|install]" >&2; exit 2 ;;
esac
