#!/usr/bin/env bash
# localstack-image.sh [up|down|changes]: LocalStack as an image made on this machine, where none can be pulled, and an engine to
# run it. The parts come from Debian's packages, PyPI and Maven Central. Needs root, and on another system than Debian
# an engine or dockerd, and debootstrap; on Debian they are installed. Needs Maven and a Python 3 as well.
#
# up prints what a shell has to export for testcontainers to find the engine and the image:
#
#	eval "$(localstack-image.sh up)"
#
# down ends the engine if up has started it. The image stays for the next time. changes prints what up would change on
# this system, and nothing if an engine answers that has the image; up prints it too. With CARREL_KEEP_SYSTEM set, up
# fails instead of changing it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"
# shellcheck source-path=SCRIPTDIR source=localstack-common.sh
. "$here/localstack-common.sh"

dir=$(backends_dir engine)
tag=localstack/localstack:$localstack_version-local
engine=unix://$dir/docker.sock

has_packages() { # the engine, and what makes the image
  command -v docker >/dev/null && command -v dockerd >/dev/null && command -v debootstrap >/dev/null &&
    command -v iptables >/dev/null
}

packages() {
  has_packages && return 0
  command -v apt-get >/dev/null || die "install docker, dockerd, iptables and debootstrap"
  mkdir -p "$dir"
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends docker.io iptables debootstrap; } \
    >"$dir/apt.log" 2>&1 || { tail -20 "$dir/apt.log" >&2; return 1; }
}

has_engine() { command -v docker >/dev/null && docker info >/dev/null 2>&1; }

stamp=$(fingerprint localstack-image.sh localstack-common.sh requirements-localstack.txt requirements-build.txt \
  pom.xml dynamodb-local.sha256)

has_image() {
  [ "$(docker image inspect -f '{{index .Config.Labels "carrel.made-of"}}' "$tag" 2>/dev/null || true)" = "$stamp" ]
}

changes() {
  ! has_engine || ! has_image || return 0
  has_packages || echo "- apt-get installs docker.io, iptables and debootstrap, with what they depend on"
  has_engine || echo "- dockerd is started in $dir, which mounts file systems and adds a network and rules of iptables until it ends"
}

# find_engine: DOCKER_HOST names an engine that answers: the user's, or one of our own, which is started.
find_engine() {
  has_engine && return 0
  export DOCKER_HOST=$engine
  [ "$(id -u)" = 0 ] || die "no engine answers, and only root can start one"
  packages
  mkdir -p "$dir"
  if ! running "$dir"; then
    setsid dockerd --data-root "$dir/data" --exec-root "$dir/exec" --pidfile "$dir/dockerd.pid" -H "$engine" \
      >"$dir/log" 2>&1 </dev/null &
    echo $! >"$dir/pid"
  fi
  for _ in $(seq 1200); do
    kill -0 "$(cat "$dir/pid")" 2>/dev/null || break
    docker info >/dev/null 2>&1 && return 0
    sleep 0.1
  done
  echo "no answer from the engine; the end of $dir/log:" >&2
  tail -20 "$dir/log" >&2
  down
  return 1
}

# clear ROOT: removes what is left of a root file system. A build that was ended half-way leaves mounts in it, which are
# this machine's own: they are unmounted, and nothing beyond the file system is touched.
clear() {
  local at
  awk -v root="$1/" 'index($2, root) == 1 { print $2 }' /proc/mounts | sort -r | while read -r at; do umount "$at"; done
  rm -rf --one-file-system "$1"
}

# build: Debian 13 with its own Python 3.13 and Java 21, LocalStack's packages beside Debian's, DynamoDB Local.
build() {
  local root=$dir/rootfs settings=() s image container ready=""
  packages
  clear "$root"
  mkdir -p "$root/etc/dpkg/dpkg.cfg.d" # no syncs: a half-made one is thrown away
  printf '%s\n' force-unsafe-io 'path-exclude /usr/share/doc/*' 'path-exclude /usr/share/man/*' 'path-exclude /usr/share/locale/*' \
    >"$root/etc/dpkg/dpkg.cfg.d/lean"
  debootstrap --variant=minbase --include=ca-certificates,python3,openjdk-21-jre-headless trixie "$root" >"$dir/debootstrap.log" ||
    { tail -20 "$dir/debootstrap.log" >&2; return 1; }
  rm -rf "$root"/var/cache/apt "$root"/var/lib/apt/lists
  localstack_packages --python-version 3.13 --python-platform linux --target "$root/usr/lib/python3/dist-packages"
  dynamodb_local "$root/usr/lib/localstack" /usr/bin/java
  for s in "${localstack_settings[@]}" OVERRIDE_IN_DOCKER=1 GATEWAY_LISTEN=0.0.0.0:4566; do
    settings+=(--change "ENV $s")
  done
  image=$(tar -C "$root" -c . | docker import "${settings[@]}" --change "LABEL carrel.made-of=$1" --change 'EXPOSE 4566' \
    --change 'CMD ["python3", "-m", "localstack.runtime.main"]' -)
  clear "$root"
  # Started once: what it compiles and indexes then, it would in each container.
  container=$(docker run -d "$image")
  for _ in $(seq 600); do
    [[ $(docker logs "$container" 2>/dev/null) == *Ready.* ]] && ready=yes && break
    sleep 0.5
  done
  if [ -z "$ready" ]; then
    docker logs "$container" 2>&1 | tail -20 >&2
  else
    docker commit "$container" "$tag" >&2
  fi
  docker rm -f "$container" >/dev/null
  [ -n "$ready" ]
}

up() {
  local what
  what=$(changes)
  if [ -n "$what" ]; then
    printf '%s: this changes the system:\n%s\n' "$(basename "$0")" "$what" >&2
    [ -z "${CARREL_KEEP_SYSTEM:-}" ] || die "CARREL_KEEP_SYSTEM is set"
  fi
  find_engine
  if ! has_image; then
    [ "$(id -u)" = 0 ] || die "only root can make the image"
    mkdir -p "$dir"
    docker image rm -f "$tag" >/dev/null 2>&1 || true # of other parts
    build "$stamp"
  fi
  [ -z "${DOCKER_HOST:-}" ] || echo "export DOCKER_HOST=$DOCKER_HOST"
  echo "export CARREL_LOCALSTACK_IMAGE=$tag"
  # No image of a helper can be pulled that would clean up after the tests; and a machine that looks like a container
  # itself would be taken for one, with its ports on another address.
  echo "export TESTCONTAINERS_RYUK_DISABLED=true TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1"
}

down() {
  running "$dir" || return 0
  export DOCKER_HOST=$engine
  docker ps -q | xargs -r docker kill >&2 || true # or the engine waits for them
  stop "$dir"
}

case ${1:-up} in
  up) up ;;
  down) down ;;
  changes) changes ;;
  *) echo "usage: $0 [up|down|changes]" >&2; exit 2 ;;
esac
