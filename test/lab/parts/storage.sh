# shellcheck shell=bash
# What OpenStack stands on: MariaDB, RabbitMQ, Ceph.

sql() { mariadb --no-defaults -S "$STATE/mariadb/sock" -uroot -N <<<"$1"; }
mariadb_up() {
  local d=$STATE/mariadb db
  if [ ! -d "$d/data" ]; then
    mkdir -p "$d"
    chown mysql:mysql "$d"
    mariadb-install-db --no-defaults --user=mysql --datadir="$d/data" --auth-root-authentication-method=normal --skip-test-db >"$LOGS/mariadb-install.log" 2>&1
  fi
  # a unix socket only; durability is worth nothing here, and fsync costs seconds
  bg mariadb mariadbd --no-defaults --user=mysql --datadir="$d/data" --socket="$d/sock" --pid-file="$d/pid" --skip-networking \
    --skip-name-resolve --innodb-flush-log-at-trx-commit=0 --innodb-flush-method=nosync --innodb-buffer-pool-size=128M \
    --max-connections=400 --character-set-server=utf8 --performance-schema=OFF
  await mariadb 60 sql 'select 1'
  [ ! -e "$d/.ready" ] || return 0
  for db in keystone cinder gnocchi nova nova_api nova_cell0 placement; do sql "create database if not exists $db character set utf8"; done
  sql "create user if not exists lab@localhost identified by '$SECRET'; grant all on *.* to lab@localhost"
  touch "$d/.ready"
}

amqp_answers() { exec 3<>/dev/tcp/$IP/5672 && printf 'AMQP\0\0\11\1' >&3 && timeout 3 head -c1 <&3 | grep -q .; }
rabbit_up() {
  local d=$STATE/rabbitmq
  mkdir -p "$d"
  render rabbitmq.conf "$d/rabbitmq.conf"
  printf 'NODENAME=rabbit@localhost\n' >"$d/env.conf"
  echo '[].' >"$d/plugins"
  # an epmd of our own in the foreground: else Erlang leaves a daemon behind
  bg epmd env ERL_EPMD_ADDRESS=$IP epmd -relaxed_command_check
  bg rabbitmq env HOME="$d" RABBITMQ_NODENAME=rabbit@localhost RABBITMQ_CONF_ENV_FILE="$d/env.conf" RABBITMQ_CONFIG_FILE="$d/rabbitmq.conf" \
    RABBITMQ_MNESIA_BASE="$d/mnesia" RABBITMQ_LOG_BASE="$d/log" RABBITMQ_ENABLED_PLUGINS_FILE="$d/plugins" RABBITMQ_PID_FILE="$d/pid" \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none" ERL_EPMD_ADDRESS=$IP \
    /usr/lib/rabbitmq/bin/rabbitmq-server
  await rabbitmq 90 amqp_answers
}

# Ceph: 1 monitor, 1 manager, 3 OSDs in memory; one OSD and one pool per tier
ceph_once() { timeout 20 ceph -c "$STATE/ceph/ceph.conf" "$@"; }
# again, because a monitor that has just formed its quorum may still refuse
ceph_retry() {
  local i
  for i in 1 2 3 4 5; do ceph_once "$@" 2>>"$LOGS/ceph-cli.log" && return 0; sleep 1; done
  return 1
}
ceph_answers() { ceph_once -s; }
ceph_clean() { ceph_once pg stat -f json | grep -q '"name":"active+clean"'; }
# In a fresh cluster every other time one OSD dies at once ("mon_cmd_maybe_osd_create fail: 'wrong fsid'"); started again, it lives
osds_up() {
  local i
  for i in 0 1 2; do bg "ceph-osd-${TIERS[i]}" ceph-osd -c "$STATE/ceph/ceph.conf" -f -i $i; done
  ceph_once osd stat -f json | grep -q '"num_up_osds":3'
}
ceph_up() {
  local d=$STATE/ceph i
  mkdir -p "$d/run" "$d/mgr-a"
  if [ -e "$d/.ready" ]; then
    for i in "${TIERS[@]}"; do alive "ceph-osd-$i" || die "ceph-osd-$i ended and its data, in memory, is gone: run \"down\" first"; done
  fi
  [ -e "$d/fsid" ] || cat /proc/sys/kernel/random/uuid >"$d/fsid"
  FSID=$(cat "$d/fsid")
  render ceph.conf "$d/ceph.conf"
  # os-brick opens this file even when authentication is off; without it every retype ends in status "error"
  mkdir -p /etc/ceph
  [ -e /etc/ceph/ceph.client.admin.keyring ] \
    || printf '[client.admin]\n\tkey = %s\n' "$(ceph-authtool --gen-print-key)" >/etc/ceph/ceph.client.admin.keyring
  if [ ! -d "$d/mon-a" ]; then
    monmaptool --create --add a $IP:6789 --fsid "$FSID" "$d/monmap" >/dev/null
    ceph-mon -c "$d/ceph.conf" --mkfs -i a --monmap "$d/monmap" >/dev/null 2>&1
  fi
  bg ceph-mon ceph-mon -c "$d/ceph.conf" -f -i a
  await ceph-mon 60 ceph_answers
  bg ceph-mgr ceph-mgr -c "$d/ceph.conf" -f -i a
  for i in 0 1 2; do make_osd $i; done
  await ceph-osds 60 osds_up
  [ -e "$d/.ready" ] || make_pools
  await ceph 60 ceph_clean
  touch "$d/.ready"
}
make_osd() {
  local d=$STATE/ceph/osd-$1 uuid
  [ ! -e "$d/.made" ] || return 0
  uuid=$(cat /proc/sys/kernel/random/uuid)
  ceph_retry osd new "$uuid" "$1" >/dev/null
  mkdir -p "$d"
  ceph-osd -c "$STATE/ceph/ceph.conf" -i "$1" --mkfs --osd-uuid "$uuid" >/dev/null 2>&1
  touch "$d/.made"
}
make_pools() {
  local i tier
  for i in 0 1 2; do
    tier=${TIERS[i]}
    # the device class is the tier, so that a pool really lives on its own OSD
    ceph_retry osd crush rm-device-class "osd.$i"
    ceph_retry osd crush set-device-class "$tier" "osd.$i"
    ceph_retry osd crush rule create-replicated "$tier" default osd "$tier"
    ceph_retry osd pool create "$tier-pool" 8 8 replicated "$tier" --size 1
    ceph_retry osd pool application enable "$tier-pool" rbd
  done
  # per-image I/O counters: the real source of "IOPS per volume"
  ceph_retry config set mgr mgr/prometheus/server_addr $IP
  ceph_retry config set mgr mgr/prometheus/rbd_stats_pools hot-pool,warm-pool,cold-pool
  ceph_retry config set mgr mgr/prometheus/scrape_interval 5
  ceph_retry mgr module enable prometheus --force
}
