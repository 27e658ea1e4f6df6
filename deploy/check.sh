#!/usr/bin/env bash
# check.sh: cfn-lint on the templates and hadolint on the Dockerfile. Installs both below the user's cache; needs Python.
set -euo pipefail
cd "$(dirname "$0")"
venv=${XDG_CACHE_HOME:-$HOME/.cache}/carrel/tools/deploy-$(sha256sum requirements.txt | cut -c1-16)
if [ ! -e "$venv/complete" ]; then
  rm -rf "$venv"
  "${PYTHON:-python3}" -m venv "$venv"
  "$venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.txt
  touch "$venv/complete"
fi
"$venv/bin/cfn-lint" ./*.yaml
"$venv/bin/hadolint" Dockerfile
