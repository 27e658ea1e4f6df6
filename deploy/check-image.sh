#!/usr/bin/env bash
# check-image.sh: makes the image and runs it as a stranger would: read-only, as its own user, without privileges. It must
# answer, and end within its time when it is asked to. Needs docker.
set -euo pipefail
cd "$(dirname "$0")"
case $(uname -m) in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; *) echo "no image for $(uname -m)" >&2; exit 1 ;; esac
./build.sh carrel-bookshelf "$arch"
[ "$(docker image inspect -f '{{.Config.User}}' "carrel-bookshelf-$arch")" = 65532:65532 ]
container=$(docker run -d --network host --read-only --tmpfs /tmp:mode=1777 --cap-drop ALL --security-opt no-new-privileges \
  "carrel-bookshelf-$arch" -addr 127.0.0.1:18474)
trap 'docker rm -f "$container" >/dev/null' EXIT
answer=$(curl -fsS --retry 50 --retry-connrefused --retry-delay 1 --retry-max-time 30 http://127.0.0.1:18474/health) ||
  { docker logs "$container"; exit 1; }
echo "$answer, $(docker image inspect -f '{{.Size}}' "carrel-bookshelf-$arch") bytes"
docker stop -t 15 "$container" >/dev/null
[ "$(docker inspect -f '{{.State.ExitCode}}' "$container")" = 0 ] || { docker logs "$container"; exit 1; }
