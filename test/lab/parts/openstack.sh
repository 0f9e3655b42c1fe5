# shellcheck shell=bash
# Keystone, Cinder with its backup service, Gnocchi.

keystone_up() {
  local d=$STATE/keystone
  mkdir -p "$d"
  render keystone.conf "$d/keystone.conf"
  [ -e "$d/.ready" ] || make_keystone "$d" >"$LOGS/keystone-manage.log" 2>&1 || die "keystone-manage failed, see $LOGS/keystone-manage.log"
  mapfile -t run < <(wsgi 5000 --wsgi-file /usr/bin/keystone-wsgi-public --processes 2 --threads 1)
  bg keystone env OS_KEYSTONE_CONFIG_FILES="$d/keystone.conf" "${run[@]}"
  await keystone 60 ok http://$IP:5000/v3
}
make_keystone() {
  local d=$1 manage=(keystone-manage --config-file "$1/keystone.conf") url=http://$IP:5000/v3
  mkdir -p "$d/fernet" "$d/credential"
  chmod 700 "$d/fernet" "$d/credential"
  "${manage[@]}" fernet_setup --keystone-user root --keystone-group root \
    && "${manage[@]}" credential_setup --keystone-user root --keystone-group root \
    && "${manage[@]}" db_sync \
    && OS_BOOTSTRAP_PASSWORD=$SECRET "${manage[@]}" bootstrap --bootstrap-region-id RegionOne \
      --bootstrap-admin-url $url --bootstrap-internal-url $url --bootstrap-public-url $url \
    && touch "$d/.ready"
}

cinder_sync() {
  [ -e "$STATE/cinder/.ready" ] && return 0
  cinder-manage --config-file "$STATE/cinder/cinder.conf" db sync >"$LOGS/cinder-manage.log" 2>&1 && touch "$STATE/cinder/.ready"
}
openstack_up() {
  local sync ceph rabbit conf=$STATE/cinder/cinder.conf
  mkdir -p "$STATE/cinder/lock" "$STATE/ceph"
  mariadb_up
  # Between two pools of one Ceph cluster Cinder copies inside the driver. A ":" in the path of ceph.conf makes the driver refuse
  # that, and Cinder takes the generic path (a second, temporary volume; Nova for attached ones), as between unlike backends.
  ln -sf ceph.conf "$STATE/ceph/generic:ceph.conf"
  RBD_CONF=$STATE/ceph/ceph.conf
  [ "${COUCHESTOR_LAB_GENERIC_MIGRATION:-}" != 1 ] || RBD_CONF=$STATE/ceph/generic:ceph.conf
  render cinder.conf "$conf"
  # independent of one another: schema, storage and message bus come up side by side
  cinder_sync & sync=$!
  ceph_up & ceph=$!
  rabbit_up & rabbit=$!
  keystone_up
  seed keystone
  wait $sync || die "cinder-manage db sync failed, see $LOGS/cinder-manage.log"
  wait $ceph || die "Ceph failed"
  wait $rabbit || die "RabbitMQ failed"
  bg cinder-scheduler cinder-scheduler --config-file "$conf"
  bg cinder-volume env PATH="$LAB/etc/bin:$PATH" cinder-volume --config-file "$conf"
  bg cinder-api cinder-api --config-file "$conf"
  await cinder-api 90 ok http://$IP:8776/
  await cinder-volume 90 logged cinder-volume 3 'Driver post RPC initialization completed'
  seed cinder
}

backup_up() {
  local d=$STATE/cinder
  alive cinder-api || die "cinder-backup needs the part openstack"
  mkdir -p "$STATE/backups"
  render cinder-backup.conf "$d/cinder-backup.conf"
  bg cinder-backup env PATH="$LAB/etc/bin:$PATH" cinder-backup --config-file "$d/cinder.conf" --config-file "$d/cinder-backup.conf"
  await cinder-backup 90 reported_up cinder-backup
}
# reported_up NAME: does Cinder show the service as up, by a report of its own? Cinder does so from the moment the service has
# its row, or still from its last life; what is sent to it then is lost. It reports once it listens.
reported_up() {
  local at started
  started=$(log_of "$1" | sed -n "s/^\(.\{19\}\).*Starting $1 node.*/\1/p")
  at=$(admin_get "http://$IP:8776/v3/os-services?binary=$1" \
    | /usr/bin/python3 -c 'import json, sys; print(*(s["updated_at"] for s in json.load(sys.stdin)["services"] if s["state"] == "up"))') || return 1
  [ -n "$started" ] && [ -n "$at" ] && [ "$(date -ud "$at" +%s)" -gt "$(date -d "$started" +%s)" ]
}
admin_get() {
  local token body
  body=$(printf '{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"admin","domain":{"name":"Default"},"password":"%s"}}},
    "scope":{"project":{"name":"admin","domain":{"name":"Default"}}}}}' "$(cat "$STATE/secret")")
  token=$(ok -o /dev/null -D - -H 'Content-Type: application/json' -d "$body" http://$IP:5000/v3/auth/tokens \
    | sed -n 's/^X-Subject-Token: *\([^[:space:]]*\).*/\1/Ip') || return 1
  ok -H "X-Auth-Token: $token" -H 'OpenStack-API-Version: volume 3.67' "$1"
}

gnocchi_up() {
  local d=$STATE/gnocchi
  mkdir -p "$d/home/.gnocchi" "$d/storage"
  mariadb_up
  keystone_up
  seed keystone
  render gnocchi.conf "$d/gnocchi.conf"
  # the WSGI entry takes no arguments: it finds ~/.gnocchi/gnocchi.conf by itself
  cp "$d/gnocchi.conf" "$d/home/.gnocchi/gnocchi.conf"
  if [ ! -e "$d/.ready" ]; then
    gnocchi-upgrade --config-file "$d/gnocchi.conf" >"$LOGS/gnocchi-upgrade.log" 2>&1 || die "gnocchi-upgrade failed, see $LOGS/gnocchi-upgrade.log"
    touch "$d/.ready"
  fi
  bg gnocchi-metricd gnocchi-metricd --config-file "$d/gnocchi.conf"
  mapfile -t run < <(wsgi 8041 --wsgi gnocchi.rest.wsgi --processes 1 --threads 4 --enable-threads)
  bg gnocchi-api env HOME="$d/home" "${run[@]}"
  await gnocchi-api 60 ok http://$IP:8041/
  seed gnocchi
}
