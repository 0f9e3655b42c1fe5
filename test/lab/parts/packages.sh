# shellcheck shell=bash
# Debian's packages, and the Go programs that Debian has not or has too old.

declare -A PACKAGES=(
  [openstack]="keystone cinder-api cinder-scheduler cinder-volume python3-openstackclient python3-openstacksdk
    mariadb-server python3-pymysql rabbitmq-server uwsgi-core uwsgi-plugin-python3
    ceph-mon ceph-mgr ceph-osd ceph-common python3-rbd python3-rados"
  [backup]="cinder-backup"
  [gnocchi]="gnocchi-api gnocchi-metricd"
  [prometheus]="prometheus"
  [kubelet]="iproute2 nftables"
  # not the daemons' packages: they pull in libvirt and QEMU
  [nova]="python3-nova nova-common placement-api"
)

install_packages() { # install_packages PART...
  local part want=() missing=()
  [[ " $* " != *" packages "* ]] || set -- openstack backup gnocchi prometheus nova kubelet
  for part; do
    case $part in backup | gnocchi | nova) want+=(${PACKAGES[openstack]}) ;; esac
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
# 101 asks a package not to start its service: the lab starts its own, on loopback, from its own directory
without_starting_services() {
  local policy=/usr/sbin/policy-rc.d rc=0
  [ ! -e $policy ] || { "$@"; return; }
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod 755 $policy
  "$@" || rc=$?
  rm -f $policy
  return $rc
}

# One module for all programs of the cluster, so that they share compiled packages; rebuilt when go.mod or go.sum changes
build() {
  fresh kubernetes "$LAB/go" && [ -d "$CACHE/manifests" ] && return 0
  say "building Kubernetes, etcd and the Cinder CSI driver (once; minutes)"
  in_module "$LAB/go" build_kubernetes || die "build failed"
  built kubernetes "$LAB/go"
}
build_kubernetes() {
  local kube cpo v=k8s.io/component-base/version
  kube=$(go list -m -f '{{.Version}}' k8s.io/kubernetes) || return 1
  cpo=$(go list -m -f '{{.Version}}' k8s.io/cloud-provider-openstack) || return 1
  compile "-X $v.gitVersion=$kube -X $v.gitMajor=1 -X $v.gitMinor=$(cut -d. -f2 <<<"$kube") -X k8s.io/cloud-provider-openstack/pkg/version.Version=$cpo" \
    && copy_manifests
}

# Programs that tests call, each of a module of its own: a new one, or a newer one, does not rebuild the others
build_tools() {
  local tool module=$LAB/go-tools
  for tool in helm node-exporter prometheus; do
    ! fresh "$tool" "$module/$tool" || continue
    say "building $tool (once)"
    in_module "$module/$tool" "build_$tool" || die "build of $tool failed"
    built "$tool" "$module/$tool"
  done
}
build_helm() {
  local version kube chart=helm.sh/helm/v3/pkg
  version=$(go list -m -f '{{.Version}}' helm.sh/helm/v3) || return 1
  kube=$(go list -m -f '{{.Version}}' k8s.io/client-go | cut -d. -f2) || return 1
  # the cluster's version where there is no cluster to ask (`helm template`, `helm lint`); as Helm's own build does
  compile "-X helm.sh/helm/v3/internal/version.version=$version -X $chart/chartutil.k8sVersionMajor=1 -X $chart/chartutil.k8sVersionMinor=$kube \
    -X $chart/lint/rules.k8sVersionMajor=1 -X $chart/lint/rules.k8sVersionMinor=$kube"
}
build_node-exporter() { compile "$(prometheus_version github.com/prometheus/node_exporter)"; }
# beside Debian's own, which is 2.x
build_prometheus() { NAME_SUFFIX=3 compile "$(prometheus_version github.com/prometheus/prometheus)"; }
prometheus_version() { go list -m -f '-X github.com/prometheus/common/version.Version={{slice .Version 1}}' "$1"; }

# the stamp of what was built: a change of go.mod or go.sum builds again
stamp() { cat "$1/go.mod" "$1/go.sum" | sha256sum | cut -c1-16; }
fresh() { [ "$(cat "$BIN/.stamp-$1" 2>/dev/null)" = "$(stamp "$2")" ]; }
built() { stamp "$2" >"$BIN/.stamp-$1"; }
in_module() ( # in_module DIRECTORY COMMAND
  command -v go >/dev/null || die "Go 1.26 is needed to build $(basename "$1")"
  cd "$1"
  export GOFLAGS="-buildvcs=false -mod=readonly" GOTOOLCHAIN=local
  "$2"
)
# compile LDFLAGS: every tool of this module, into $BIN; written beside and moved, since the old one may be running.
# Compiling waits for whatever else the machine does: services come up meanwhile.
compile() {
  local tools main name from
  tools=$(go list tool) || return 1
  for main in $tools; do
    name=${main##*/} from=$SECONDS
    [ "$main" != go.etcd.io/etcd/server/v3 ] || name=etcd
    name+=${NAME_SUFFIX:-}
    nice -n 5 go build -trimpath -ldflags "-s -w $1" -o "$BIN/.$name" "$main" && mv "$BIN/.$name" "$BIN/$name" || return 1
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
