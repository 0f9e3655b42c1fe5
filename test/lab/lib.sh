# shellcheck shell=bash
# What every verb of `lab` shares: paths, and how a background process is started, awaited, restarted and stopped.
set -Eeuo pipefail
trap 'printf "[lab] failed at %s line %s: %s\n" "${BASH_SOURCE[0]##*/}" "$LINENO" "$BASH_COMMAND" >&2' ERR

LAB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
STATE=${COUCHESTOR_LAB_DIR:-/tmp/couchestor-lab}                                       # thrown away by `down`
CACHE=${COUCHESTOR_LAB_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/couchestor-lab} # kept: Go binaries, manifests
BIN=$CACHE/bin
LOGS=$STATE/logs
IP=127.0.0.1
TIERS=(hot warm cold)

# the system's own python3 comes first: Debian's OpenStack packages need it
export HOME=${HOME:-/root} PATH=$BIN:/usr/sbin:/usr/bin:/sbin:/bin:${PATH:-}:/usr/local/go/bin
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive no_proxy=localhost,$IP NO_PROXY=localhost,$IP
# a caller's own cloud or cluster must never be touched
unset ${!OS_*} KUBECONFIG PYTHONPATH NODE_OPTIONS

say() { printf '[lab %4ds] %s\n' "$SECONDS" "$*"; }
die() { say "ERROR: $*" >&2; exit 1; }
ok() { curl -fsS -m 5 --noproxy '*' "$@"; }

# A pid file holds pid, start time (pids are reused) and the size of the log when the process began.
# nothing for a zombie: it has ended, only nobody has fetched its exit code
started_at() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" { print $20 }'; }
alive() {
  local pid start
  read -r pid start _ 2>/dev/null <"$STATE/pids/$1" || return 1
  [ -n "$start" ] && [ "$(started_at "$pid")" = "$start" ]
}
suspended() { local pid; read -r pid _ <"$STATE/pids/$1"; grep -q '^State:[[:space:]]*T' "/proc/$pid/status" 2>/dev/null; }

# bg NAME CMD...: starts CMD in a session of its own, so that its whole group can be signalled; remembers CMD for `restart`
bg() {
  local name=$1 log=$LOGS/$1.log pid; shift
  ! alive "$name" || return 0
  printf '%q ' "$@" >"$STATE/cmd/$name"
  touch "$log"
  local size; size=$(stat -c %s "$log")
  # nothing else of the caller's stays open: a lock that it holds would be held for the daemon's life
  setsid "$@" </dev/null >>"$log" 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
  pid=$!
  disown "$pid"
  printf '%s %s %s\n' "$pid" "$(started_at "$pid")" "$size" >"$STATE/pids/$name"
}

# await NAME SECONDS CHECK...: polls CHECK until it succeeds; a process that died meanwhile is reported at once
await() {
  local name=$1 end=$((SECONDS + $2)); shift
  printf '%q ' "$@" >"$STATE/cmd/$name.ready"; shift
  until "$@" >/dev/null 2>&1; do
    [ ! -e "$STATE/pids/$name" ] || alive "$name" || die "$name ended: $(tail -n 3 "$LOGS/$name.log")"
    [ "$SECONDS" -lt "$end" ] || die "$name is not ready in time, see $LOGS"
    sleep 0.3
  done
  say "$name ready"
}
# logged NAME TIMES TEXT: has the process written TEXT so often since it was started?
logged() { [ "$(log_of "$1" | grep -c "$3")" -ge "$2" ]; }
log_of() { local size; read -r _ _ size <"$STATE/pids/$1" && tail -c "+$((size + 1))" "$LOGS/$1.log"; }

# restart NAME: by the command line and the check that brought it up
restart() {
  local name=$1 cmd check side_car
  [ -s "$STATE/cmd/$name" ] || die "no process \"$name\" was started; there are: $(names)"
  case $name in ceph-osd-*) die "$name keeps its data in memory: a restart would lose it" ;; esac
  stop "$name"
  eval "cmd=($(cat "$STATE/cmd/$name"))"
  bg "$name" "${cmd[@]}"
  if [ -s "$STATE/cmd/$name.ready" ]; then
    eval "check=($(cat "$STATE/cmd/$name.ready"))"
    await "$name" "${check[@]}"
  else
    sleep 1
    alive "$name" || die "$name ended: $(tail -n 3 "$LOGS/$name.log")"
    say "$name started"
  fi
  # a side-car ends when it loses its driver; in a cluster the kubelet starts it again
  [ "$name" != cinder-csi-plugin ] || for side_car in csi-provisioner csi-snapshotter csi-attacher; do
    [ ! -s "$STATE/cmd/$side_car" ] || restart "$side_car"
  done
}
names() { (cd "$STATE/pids" 2>/dev/null && echo *); }

# stop NAME...: TERM to every process group (and CONT, for one that is suspended), KILL after 5 s to what is left
stop() {
  local name pid groups=()
  for name; do
    alive "$name" || continue
    read -r pid _ <"$STATE/pids/$name"
    groups+=("$pid")
    kill -TERM -- "-$pid" 2>/dev/null || true
    kill -CONT -- "-$pid" 2>/dev/null || true
  done
  for _ in $(seq 50); do
    running "${groups[@]}" || break
    sleep 0.1
  done
  for pid in "${groups[@]}"; do ! running "$pid" || kill -KILL -- "-$pid" 2>/dev/null || true; done
  for name; do rm -f "$STATE/pids/$name"; done
}
# is anything of these process groups left, zombies aside?
running() { [ $# -gt 0 ] && pgrep -g "$(IFS=,; echo "$*")" -r D,I,R,S,T,t >/dev/null; }

# render TEMPLATE DEST: fills in @STATE@, @SECRET@, @FSID@, @RBD_CONF@; "@LOGIN user@" is a service's Keystone login
render() {
  sed -e "s|^@LOGIN \(.*\)@$|auth_url = http://$IP:5000\nauth_type = password\nproject_domain_name = Default\nuser_domain_name = Default\nproject_name = service\nusername = \1\npassword = @SECRET@|" \
    -e "s|^@BACKEND \(.*\)@$|[\1]\nvolume_driver = cinder.volume.drivers.rbd.RBDDriver\nvolume_backend_name = \1\nrbd_pool = \1-pool\nrbd_user = admin\nrbd_ceph_conf = @RBD_CONF@\nrbd_exclusive_cinder_pool = true|" \
    "$LAB/etc/$1" \
    | sed -e "s|@STATE@|$STATE|g" -e "s|@SECRET@|${SECRET:-}|g" -e "s|@FSID@|${FSID:-}|g" -e "s|@RBD_CONF@|${RBD_CONF:-}|g" >"$2"
}
seed() { /usr/bin/python3 "$LAB/seed.py" "$STATE" "$1" || die "seed.py $1 failed"; }
# a Debian WSGI program under uwsgi; without "Connection: close" uwsgi resets the connection after a POST
wsgi() { # wsgi PORT UWSGI-OPTIONS...
  local port=$1; shift
  printf '%s\n' uwsgi --plugin python3 --http-socket "$IP:$port" --master --lazy-apps --die-on-term --buffer-size 65535 \
    --add-header "Connection: close" --disable-logging --need-app "$@"
}
