# shellcheck shell=bash
# Debian's packages, and the Go programs that Debian has not or has too old.

declare -A PACKAGES=(
  [openstack]="keystone cinder-api cinder-scheduler cinder-volume python3-openstackclient python3-openstacksdk
    mariadb-server python3-pymysql rabbitmq-server uwsgi-core uwsgi-plugin-python3
    ceph-mon ceph-mgr ceph-osd ceph-common python3-rbd python3-rados"
  [gnocchi]="gnocchi-api gnocchi-metricd"
  [prometheus]="prometheus"
  # not the daemons' packages: they pull in libvirt and QEMU
  [nova]="python3-nova nova-common placement-api"
)

install_packages() { # install_packages PART...
  local part want=() missing=()
  [[ " $* " != *" packages "* ]] || set -- openstack gnocchi prometheus nova
  for part; do
    case $part in gnocchi | nova) want+=(${PACKAGES[openstack]}) ;; esac
    want+=(${PACKAGES[$part]:-})
  done
  for part in curl openssl "${want[@]}"; do
    [ "$(dpkg-query -Wf '${Status}' "$part" 2>/dev/null)" = "install ok installed" ] || missing+=("$part")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  without_starting_services apt_install "${missing[@]}" >"$LOGS/apt.log" 2>&1 </dev/null || die "apt-get failed, see $LOGS/apt.log"
  say "packages installed"
}
apt_install() {
  local apt=(apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "$@"
}
# 101 tells a package not to start its service: the lab starts its own, on loopback, from its own directory
without_starting_services() {
  local policy=/usr/sbin/policy-rc.d rc=0
  [ ! -e $policy ] || { "$@"; return; }
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod 755 $policy
  "$@" || rc=$?
  rm -f $policy
  return $rc
}

# One module for all programs, so that they share compiled packages; rebuilt when go.mod or go.sum changes
build() {
  local stamp; stamp=$(cat "$LAB/go/go.mod" "$LAB/go/go.sum" | sha256sum | cut -c1-16)
  [ "$(cat "$BIN/.stamp" 2>/dev/null)" != "$stamp" ] || [ ! -d "$CACHE/manifests" ] || return 0
  command -v go >/dev/null || die "Go 1.26 is needed to build the Kubernetes part"
  say "building Kubernetes, etcd and the Cinder CSI driver (once; minutes)"
  (cd "$LAB/go" && export GOFLAGS="-buildvcs=false -mod=readonly" GOTOOLCHAIN=local && build_programs && copy_manifests) || die "build failed"
  echo "$stamp" >"$BIN/.stamp"
}
build_programs() {
  local kube cpo main name from v=k8s.io/component-base/version
  kube=$(go list -m -f '{{.Version}}' k8s.io/kubernetes) || return 1
  cpo=$(go list -m -f '{{.Version}}' k8s.io/cloud-provider-openstack) || return 1
  local ld="-s -w -X $v.gitVersion=$kube -X $v.gitMajor=1 -X $v.gitMinor=$(cut -d. -f2 <<<"$kube") -X k8s.io/cloud-provider-openstack/pkg/version.Version=$cpo"
  for main in $(go list tool); do
    name=${main##*/} from=$SECONDS
    [ "$main" != go.etcd.io/etcd/server/v3 ] || name=etcd
    go build -trimpath -ldflags "$ld" -o "$BIN/$name" "$main" || return 1
    say "  $name $((SECONDS - from)) s, $(($(stat -c %s "$BIN/$name") >> 20)) MiB"
  done
}
# the drivers' own RBAC and CRDs, from the very module versions that were built
copy_manifests() {
  local cpo snapshotter
  cpo=$(go list -m -f '{{.Dir}}' k8s.io/cloud-provider-openstack)/manifests/cinder-csi-plugin || return 1
  snapshotter=$(go list -m -f '{{.Dir}}' github.com/kubernetes-csi/external-snapshotter/client/v8)/config/crd || return 1
  rm -rf "$CACHE/manifests"
  mkdir -p "$CACHE/manifests"
  install -m 644 "$cpo/cinder-csi-controllerplugin-rbac.yaml" "$cpo/csi-cinder-driver.yaml" \
    "$snapshotter"/snapshot.storage.k8s.io_*.yaml "$CACHE/manifests/"
}
