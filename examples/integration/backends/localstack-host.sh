#!/usr/bin/env bash
# localstack-host.sh [up|down|install]: LocalStack on this machine, without a container engine, from PyPI and Maven
# Central. Needs Linux, Python 3.13, Java 17 or later, Maven and curl. What it stores is in memory and goes with the
# process. LOCALSTACK_PORT: the port, 4566 where unset.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"
# shellcheck source-path=SCRIPTDIR source=localstack-common.sh
. "$here/localstack-common.sh"

dir=$(backends_dir "localstack-$localstack_version")
port=${LOCALSTACK_PORT:-4566}
url=http://127.0.0.1:$port

# find_python: the path of a Python 3.13 that has what is needed. The DynamoDB of LocalStack fails on older ones.
find_python() {
  local python version
  {
    printf '%s\n' "${PYTHON:-}"
    command -v python3.13 || true
    if command -v pyenv >/dev/null; then
      for version in $(pyenv versions --bare | grep '^3\.13' | sort -rV); do
        printf '%s\n' "$(pyenv prefix "$version")/bin/python3.13"
      done
    fi
  } | while read -r python; do
    if "$python" -c 'import sys, sqlite3, venv; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; then
      printf '%s\n' "$python"
      break
    fi
  done
}

install() {
  local stamp python java
  stamp=$(fingerprint localstack-common.sh requirements-localstack.txt requirements-build.txt \
    pom.xml dynamodb-local.sha256)
  [ "$(cat "$dir/stamp" 2>/dev/null || true)" = "$stamp" ] && return 0
  python=$(find_python)
  [ -n "$python" ] || die "LocalStack $localstack_version needs Python 3.13 with venv and sqlite3, and there is none: not in \$PYTHON, not as python3.13 on the PATH, not in pyenv (there, pyenv install 3.13)"
  need java "run DynamoDB Local"
  java=$(readlink -f "$(command -v java)")
  rm -rf "$dir"
  mkdir -p "$dir"
  "$python" -m venv --without-pip "$dir/venv" >&2
  localstack_packages --python "$dir/venv/bin/python"
  dynamodb_local "$dir/fs/var/lib/localstack/lib" "$java"
  echo "$stamp" >"$dir/stamp"
}

# ready: every service has been loaded, not the gateway alone, and DynamoDB does answer: its health is "running" after
# a failed start too.
ready() {
  local health
  health=$(curl -fs -m 2 "$url/_localstack/health") || return 1
  [[ $health == *"\"version\": \"$localstack_version\""* ]] || return 1
  ! grep -Eq '"(s3|sqs|dynamodb|sts|iam|cloudformation)": "(available|initialized|starting|error)"' <<<"$health" || return 1
  curl -fs -m 10 -o /dev/null --data '{}' "$url/" \
    -H 'Content-Type: application/x-amz-json-1.0' -H 'X-Amz-Target: DynamoDB_20120810.ListTables' \
    -H 'Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00'
}

up() {
  local deadline
  need curl "see whether LocalStack answers"
  if ready; then
    echo "$url"
    return 0
  fi
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    die "port $port is taken, and not by LocalStack $localstack_version with the services that are needed"
  fi
  install
  # Without GATEWAY_SERVER it listens on all addresses. Without OVERRIDE_IN_DOCKER it may take the machine for a container.
  env "${localstack_settings[@]}" FILESYSTEM_ROOT="$dir/fs" OVERRIDE_IN_DOCKER=0 LS_LOG="${LS_LOG:-warning}" \
    GATEWAY_SERVER=hypercorn GATEWAY_LISTEN="127.0.0.1:$port" LOCALSTACK_HOST="127.0.0.1:$port" \
    setsid "$dir/venv/bin/python" -m localstack.runtime.main >"$dir/log" 2>&1 </dev/null &
  echo $! >"$dir/pid"
  deadline=$((SECONDS + 300)) # the first start of an installation compiles it
  until ready; do
    if ! kill -0 "$!" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
      echo "no answer from $url; the end of $dir/log:" >&2
      tail -20 "$dir/log" >&2
      down
      return 1
    fi
    sleep 0.2
  done
  echo "$url"
}

down() {
  local children=() child
  running "$dir" || return 0
  mapfile -t children < <(pgrep -P "$(cat "$dir/pid")") # DynamoDB Local, which outlives a LocalStack that is killed
  stop "$dir"
  for child in "${children[@]}"; do
    ! grep -qsF "$dir" "/proc/$child/cmdline" || kill "$child" 2>/dev/null || true
  done
}

case ${1:-up} in
  up) up ;;
  down) down ;;
  install) install ;;
  *) echo "usage: $0 [up|down|install]" >&2; exit 2 ;;
esac
