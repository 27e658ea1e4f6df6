#!/usr/bin/env bash
# build.sh [IMAGE [ARCHITECTURE...]]: compiles the bookshelf for amd64 and arm64, static and without paths of this
# machine, into deploy/dist. With IMAGE it makes the images IMAGE-amd64 and IMAGE-arm64, or those that are named. That needs
# docker, with BuildKit for the processor of another machine, and no network.
set -euo pipefail
cd "$(dirname "$0")"
for arch in amd64 arm64; do
  (cd ../examples && CGO_ENABLED=0 GOOS=linux GOARCH=$arch go build -trimpath -ldflags='-s -w' -o "../deploy/dist/bookshelf-$arch" ./bookshelf)
done
[ $# != 0 ] || exit 0
image=$1
shift
export BUILDX_NO_DEFAULT_ATTESTATIONS=1 # AWS Lambda does not take an image whose manifest is an index
[ $# != 0 ] || set -- amd64 arm64
for arch; do
  docker build -q --platform "linux/$arch" --build-arg "TARGETARCH=$arch" -t "$image-$arch" .
done
