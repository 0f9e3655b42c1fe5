#!/usr/bin/env bash
# build.sh STORE CONTEXT TAG [buildah flag...]: builds the Dockerfile of the directory CONTEXT without a container engine and without an
# image registry, by Debian's buildah. The base it would pull, Node on Debian, is made here by debootstrap and this
# project's own Node, once per cache. STORE is where images go; the caller removes it.
set -Eeuo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
store=$1 context=$2 tag=$3; shift 3
base=${COUCHESTOR_LAB_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/couchestor-lab}/node-image
buildah=(buildah --storage-driver vfs --root "$store/images" --runroot "$store/run")
die() { echo "build.sh: $*" >&2; exit 1; }

command -v buildah debootstrap >/dev/null || {
  apt=(apt-get -q -o DPkg::Lock::Timeout=300)
  { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends buildah debootstrap; } >/dev/null ||
    die "cannot install buildah and debootstrap"
}

if [ ! -e "$base/rootfs.done" ]; then
  rm -rf "$base"; mkdir -p "$base"
  debootstrap --variant=minbase bookworm "$base/rootfs" >"$base/log" 2>&1 || die "debootstrap: $(tail -n 2 "$base/log")"
  rm -rf "$base"/rootfs/var/{lib/apt/lists,cache,log}/*
  mkdir -p "$base/rootfs/usr/local/lib/node_modules" "$base/rootfs/etc/ssl/certs"
  npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
  cp -rL "$npm" "$base/rootfs/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$base/rootfs/usr/local/bin/npm"
  touch "$base/rootfs.done"
fi
# what can change while the cache lives: this checkout's Node, and the authorities that the machine trusts
install -m 755 "$here/node_modules/node/bin/node" "$base/rootfs/usr/local/bin/node"
cp -L /etc/ssl/certs/ca-certificates.crt "$base/rootfs/etc/ssl/certs/"

# what npm has fetched for this checkout it need not fetch again
cache=$(npm config get cache)
mkdir -p "$store" "$cache"
"${buildah[@]}" bud --isolation chroot --layers=false --timestamp 0 -t node-base -f - "$base" >"$store/base.log" 2>&1 <<'BASE' ||
FROM scratch
ADD rootfs /
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
ENV npm_config_cache=/npm-cache npm_config_prefer_offline=true
ENV PATH=/usr/local/bin:/usr/bin:/bin
BASE
  die "the base: $(tail -n 3 "$store/base.log")"

"${buildah[@]}" bud --isolation chroot --layers=false --timestamp 0 --build-arg NODE_IMAGE=localhost/node-base \
  --volume "$cache:/npm-cache" "$@" \
  -t "$tag" "$context" >"$store/$tag.log" 2>&1 || die "$tag: $(tail -n 5 "$store/$tag.log")"
