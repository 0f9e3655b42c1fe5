# shellcheck shell=bash
# Nova with a fake hypervisor: attached volumes that Cinder can really retype.

nova() { env LAB_ETC="$LAB/etc" CEPH_CONF="$STATE/ceph/ceph.conf" /usr/bin/python3 "$LAB/etc/nova_main.py" "$@"; }
nova_up() {
  local d=$STATE/nova conf=$STATE/nova/nova.conf name
  [ -e "$STATE/ceph/.ready" ] || die "nova needs the part openstack: up openstack nova"
  mkdir -p "$d/lock" "$d/placement"
  render nova.conf "$conf"
  render placement.conf "$d/placement/placement.conf"
  [ -e "$d/.ready" ] || make_nova "$conf" >"$LOGS/nova-manage.log" 2>&1 || die "nova-manage failed, see $LOGS/nova-manage.log"
  mapfile -t run < <(wsgi 8778 --wsgi-file /usr/bin/placement-api --processes 1)
  bg placement env OS_PLACEMENT_CONFIG_DIR="$d/placement" "${run[@]}"
  await placement 60 ok http://$IP:8778/
  bg empty-services /usr/bin/python3 "$LAB/etc/empty_services.py"
  for name in conductor scheduler compute api_os_compute; do
    bg "nova-$name" env LAB_ETC="$LAB/etc" CEPH_CONF="$STATE/ceph/ceph.conf" /usr/bin/python3 "$LAB/etc/nova_main.py" $name --config-file "$conf"
  done
  await nova-api_os_compute 90 ok http://$IP:8774/
  seed nova
}
make_nova() {
  local manage=(nova manage --config-file "$1")
  "${manage[@]}" api_db sync \
    && "${manage[@]}" cell_v2 map_cell0 --database_connection "mysql+pymysql://lab:$SECRET@localhost/nova_cell0?unix_socket=$STATE/mariadb/sock" \
    && "${manage[@]}" db sync \
    && "${manage[@]}" cell_v2 create_cell --name cell1 \
    && touch "$STATE/nova/.ready"
}
