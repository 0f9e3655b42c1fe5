# shellcheck shell=bash
# etcd, kube-apiserver, controller-manager, scheduler, and the Cinder CSI driver with its side-cars.

K=$STATE/kubernetes
kube() { kubectl --kubeconfig "$K/admin.kubeconfig" "$@"; }
key() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "$@" 2>/dev/null; }
authority() {
  [ ! -s "$K/ca.crt" ] || return 0
  key -x509 -days 365 -keyout "$K/ca.key" -out "$K/ca.crt" -subj /CN=couchestor-lab \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
  openssl genrsa -out "$K/sa.key" 2048 2>/dev/null
  openssl rsa -in "$K/sa.key" -pubout -out "$K/sa.pub" 2>/dev/null
}
cert() { # cert NAME CN ORGANISATION EXTENSIONS
  [ ! -s "$K/$1.crt" ] || return 0
  key -keyout "$K/$1.key" -subj "/O=$3/CN=$2" -out "$K/$1.csr"
  openssl x509 -req -in "$K/$1.csr" -CA "$K/ca.crt" -CAkey "$K/ca.key" -days 365 -out "$K/$1.crt" -extfile <(printf '%b' "$4") 2>/dev/null
}
kubeconfig() { # kubeconfig NAME USER
  cat >"$K/$1.kubeconfig" <<YAML
apiVersion: v1
kind: Config
current-context: lab
clusters: [{name: lab, cluster: {server: "https://$IP:6443", certificate-authority: $K/ca.crt}}]
contexts: [{name: lab, context: {cluster: lab, user: lab}}]
users: [{name: lab, user: {$2}}]
YAML
}

kubernetes_up() {
  local name url=http://$IP
  mkdir -p "$K"
  chmod 700 "$K"
  authority
  cert apiserver kube-apiserver lab "extendedKeyUsage=serverAuth\nsubjectAltName=IP:$IP,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,IP:10.96.0.1"
  cert admin lab-admin system:masters extendedKeyUsage=clientAuth
  for name in kube-controller-manager kube-scheduler; do cert $name system:$name system:$name extendedKeyUsage=clientAuth; done
  for name in admin kube-controller-manager kube-scheduler; do kubeconfig $name "client-certificate: $K/$name.crt, client-key: $K/$name.key"; done

  bg etcd etcd --data-dir "$K/etcd" --listen-client-urls $url:2379 --advertise-client-urls $url:2379 --listen-peer-urls $url:2380 \
    --initial-advertise-peer-urls $url:2380 --initial-cluster default=$url:2380 --unsafe-no-fsync --logger zap --log-level warn
  await etcd 30 ok $url:2379/health
  # no endpoint reconciler: it refuses a loopback address in Endpoints
  bg kube-apiserver kube-apiserver --etcd-servers=$url:2379 --bind-address=$IP --advertise-address=$IP --secure-port=6443 \
    --endpoint-reconciler-type=none --service-cluster-ip-range=10.96.0.0/24 --authorization-mode=Node,RBAC --allow-privileged=true \
    --client-ca-file="$K/ca.crt" --tls-cert-file="$K/apiserver.crt" --tls-private-key-file="$K/apiserver.key" \
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$K/sa.pub" \
    --service-account-signing-key-file="$K/sa.key" --cert-dir="$K" --profiling=false
  await kube-apiserver 90 ok --cacert "$K/ca.crt" https://$IP:6443/readyz
  # no node lifecycle: a node without a kubelet would be tainted and its pods evicted
  client_of_apiserver kube-controller-manager --use-service-account-credentials=true --controllers='*,-node-lifecycle-controller' \
    --root-ca-file="$K/ca.crt" --service-account-private-key-file="$K/sa.key"
  client_of_apiserver kube-scheduler
  await kube-controller-manager 60 kube -n default get serviceaccount default
  manifests >"$LOGS/kubectl-apply.log" 2>&1 || die "kubectl apply failed, see $LOGS/kubectl-apply.log"
}
client_of_apiserver() { # client_of_apiserver NAME OPTIONS...
  local name=$1 config=$K/$1.kubeconfig; shift
  bg "$name" "$name" --kubeconfig="$config" --authentication-kubeconfig="$config" --authorization-kubeconfig="$config" \
    --bind-address=$IP --leader-elect=false --cert-dir="$K" --profiling=false "$@"
}
# definitions first, then what uses them
manifests() {
  local tier
  kube apply -f "$CACHE/manifests" && kube wait --for=condition=established --timeout=30s crd --all && kube apply -f "$LAB/k8s" || return 1
  for tier in "${TIERS[@]}" "${TIERS[@]/#/live-}"; do
    sed "s/@NAME@/couchestor-$tier/" "$LAB/etc/storage-class.yaml"
  done | kube apply -f -
}

# The CSI driver joins both sides, so it starts only when both are there
csi_up() {
  local csi=$STATE/run/csi.sock name
  alive kube-apiserver && alive cinder-api || return 0
  # the side-cars act as the service account that the driver's own RBAC manifest is written for
  [ -s "$K/csi.kubeconfig" ] || kubeconfig csi "token: $(kube -n kube-system create token csi-cinder-controller-sa --duration=720h)"
  # --with-topology and the node service would ask a metadata service that is not there
  bg cinder-csi-plugin bash -c 'rm -f "$0"; exec "$@"' "$csi" cinder-csi-plugin --endpoint="unix://$csi" --cloud-config="$STATE/cloud.conf" \
    --cluster=lab --provide-controller-service=true --provide-node-service=false --with-topology=false -v=4
  await cinder-csi-plugin 30 test -S "$csi"
  local common=(--kubeconfig="$K/csi.kubeconfig" --leader-election=false -v=2) driver=(--csi-address="unix://$csi")
  bg csi-provisioner csi-provisioner "${common[@]}" "${driver[@]}" --default-fstype=ext4 --extra-create-metadata --feature-gates=Topology=false --timeout=3m
  bg snapshot-controller snapshot-controller "${common[@]}"
  bg csi-snapshotter csi-snapshotter "${common[@]}" "${driver[@]}" --extra-create-metadata --timeout=3m
  # With Nova there is a "node": its server. A pod placed there gets its volume attached by the real attacher.
  if [ -s "$STATE/nova/server" ]; then
    bg csi-attacher csi-attacher "${common[@]}" "${driver[@]}" --timeout=2m
    sed "s/@SERVER@/$(cat "$STATE/nova/server")/" "$LAB/etc/node.yaml" | kube apply -f - >>"$LOGS/kubectl-apply.log" 2>&1
  fi
  sleep 0.5
  for name in csi-provisioner snapshot-controller csi-snapshotter; do
    alive $name || die "$name ended: $(tail -n 3 "$LOGS/$name.log")"
  done
  say "csi started"
}

# What a test or a developer sources
env_file() {
  (
    umask 077
    {
      echo "# . this file; the OS_ variables are an application credential of a plain member of project couchestor"
      ! alive kube-apiserver || echo "export KUBECONFIG=$K/admin.kubeconfig"
      [ ! -s "$STATE/openstack.env" ] || cat "$STATE/openstack.env"
      [ ! -s "$STATE/clouds.yaml" ] || echo "export OS_CLIENT_CONFIG_FILE=$STATE/clouds.yaml"
      ! alive gnocchi-api || echo "export GNOCCHI_URL=http://$IP:8041"
      ! alive prometheus || echo "export PROMETHEUS_URL=http://$IP:9090"
      echo "export CEPH_CONF=$STATE/ceph/ceph.conf"
      echo "export PATH=$BIN:\$PATH"
    } >"$STATE/env"
  )
}
