# shellcheck shell=bash
# A kubelet that runs this project's images, and no others, as processes: what waits for ready pods can be tried.

kubelet_up() {
  local d=$STATE/kubelet root=$LAB/../..
  alive kube-apiserver || die "the kubelet needs the part kubernetes"
  [ -x "$root/node_modules/.bin/node" ] || die "the kubelet needs the project's Node: npm ci"
  mkdir -p "$d"
  cert kubelet kubelet lab "extendedKeyUsage=serverAuth\nsubjectAltName=IP:$IP"
  kube apply -f "$LAB/etc/kubelet.yaml" >>"$LOGS/kubectl-apply.log" 2>&1 || die "kubectl apply failed, see $LOGS/kubectl-apply.log"
  # two nodes, since the controllers' anti-affinity wants two; Nova's server is the one that volumes attach to
  bg kubelet "$root/node_modules/.bin/node" "$LAB/kubelet/main.ts" --kubeconfig="$K/admin.kubeconfig" --folder="$d" \
    --nodes=lab-node,lab-kubelet --bundle="$root/dist/couchestor.js" --log-port=10250 --tls-cert="$K/kubelet.crt" --tls-key="$K/kubelet.key"
  await kubelet 30 logged kubelet 1 'ready: '
}
