# shellcheck shell=bash

prometheus_up() {
  local d=$STATE/prometheus
  mkdir -p "$d/targets" "$d/data"
  render prometheus.yml "$d/prometheus.yml"
  # remote-write and the admin API let a test push or delete samples itself; retention keeps a back-filled month
  bg prometheus prometheus --config.file="$d/prometheus.yml" --storage.tsdb.path="$d/data" --storage.tsdb.retention.time=30d \
    --web.listen-address=$IP:9090 --web.enable-lifecycle --web.enable-admin-api --web.enable-remote-write-receiver
  await prometheus 30 ok http://$IP:9090/-/ready
}
