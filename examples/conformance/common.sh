# shellcheck shell=bash
# What the suites share. Each installs its client from a lock file into a directory of its own below $CARREL_CONFORMANCE
# (default: the user's cache), and installs anew if the lock file has changed.

suite_dir() { # NAME
  echo "${CARREL_CONFORMANCE:-${XDG_CACHE_HOME:-$HOME/.cache}/carrel/conformance}/$1"
}

# is_installed STAMP FILE...: whether the files are those of the last installation.
is_installed() { [ "$(cat "$1" 2>/dev/null)" = "$(digest "${@:2}")" ]; }

digest() { cat "$@" | sha256sum | cut -c1-16; }

# install_npm DIR SOURCE: the packages of SOURCE's lock file, in DIR/node_modules. Scripts of packages do not run.
install_npm() {
  local lock=$2/package-lock.json
  is_installed "$1/npm.stamp" "$lock" && return 0
  rm -rf "$1/node_modules"
  mkdir -p "$1"
  cp "$2/package.json" "$lock" "$1/"
  (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund >&2)
  digest "$lock" >"$1/npm.stamp"
}

# install_pip DIR REQUIREMENTS: the packages with these digests, in DIR/venv. Nothing is built from source.
install_pip() {
  is_installed "$1/pip.stamp" "$2" && return 0
  rm -rf "$1/venv"
  "${PYTHON:-python3}" -m venv "$1/venv"
  "$1/venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r "$2" >&2
  digest "$2" >"$1/pip.stamp"
}

# build FILE PACKAGE: a program of the examples.
build() { (cd "$(dirname "${BASH_SOURCE[0]}")/.." && go build -o "$1" "$2"); }

# build_server FILE: the conformance server.
build_server() { build "$1" ./conformance/server; }
