#!/usr/bin/env bash
# moto.sh [up|down|install]: moto's server, from PyPI: S3, DynamoDB, Cognito and more. Needs Python 3.10 or later.
# Its state is in memory and goes with the process. MOTO_PORT: the port, 5000 if unset. Versions and digests are in
# requirements-moto.txt; nothing is built from source.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

here=$(cd "$(dirname "$0")" && pwd)
port=${MOTO_PORT:-5000}
stamp=$(fingerprint requirements-moto.txt)
dir=$(backends_dir moto)

install() {
  [ "$(cat "$dir/stamp" 2>/dev/null)" = "$stamp" ] && return 0
  rm -rf "$dir"
  mkdir -p "$dir"
  "${PYTHON:-python3}" -m venv "$dir/venv"
  "$dir/venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: \
    -r "$here/requirements-moto.txt" >&2
  echo "$stamp" >"$dir/stamp"
}

case ${1:-up} in
  up) install && start "$dir" "http://127.0.0.1:$port" "$dir/venv/bin/python" "$(dirname "$0")/moto_serve.py" "$port" ;;
  down) stop "$dir" ;;
  install) install ;;
  *) echo "usage: $0 [up|down|install]" >&2; exit 2 ;;
esac
