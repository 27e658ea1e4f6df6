# shellcheck shell=bash
# What the scripts of this directory share. Each is called with up, down or install, prints the endpoint of a server
# that answers, and keeps what it installs, its log and its process id in a directory of its own below $CARREL_BACKENDS
# (default: the user's cache). A second `up` finds the first one's server.

backends_dir() { # NAME
  echo "${CARREL_BACKENDS:-${XDG_CACHE_HOME:-$HOME/.cache}/carrel/backends}/$1"
}

# fingerprint FILE...: a digest of these files of this directory. What was installed by others is installed anew.
fingerprint() { (cd "$(dirname "${BASH_SOURCE[0]}")" && cat "$@" | sha256sum | cut -c1-16); }

# running DIR: whether the server that this directory's `up` started still runs. Process ids are used again, so its
# command line must name the directory.
running() {
  local pid
  pid=$(cat "$1/pid" 2>/dev/null) && grep -qsF "$1" "/proc/$pid/cmdline"
}

# start DIR URL COMMAND...: starts the server in a session of its own and waits until `answers URL` holds.
start() {
  local dir=$1 url=$2
  shift 2
  if running "$dir" && [ "$(cat "$dir/url")" = "$url" ]; then
    echo "$url"
    return 0
  fi
  if answers "$url"; then
    echo "$url is served by somebody else" >&2
    return 1
  fi
  setsid "$@" >"$dir/log" 2>&1 </dev/null &
  echo $! >"$dir/pid"
  echo "$url" >"$dir/url"
  for _ in $(seq 1200); do
    kill -0 "$!" 2>/dev/null || break # by id: its command line is not there at once
    answers "$url" && { echo "$url"; return 0; }
    sleep 0.1
  done
  echo "no answer from $url; the end of $dir/log:" >&2
  tail -20 "$dir/log" >&2
  stop "$dir"
  return 1
}

# stop DIR: ends the server that `up` started, if there is one.
stop() {
  local pid
  if running "$1"; then
    pid=$(cat "$1/pid")
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 50); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
  fi
  rm -f "$1/pid" "$1/url"
}

# answers URL: whether a server accepts a connection and speaks HTTP.
answers() { curl -s -m 2 -o /dev/null "$1/"; }
