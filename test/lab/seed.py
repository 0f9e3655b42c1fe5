#!/usr/bin/env python3
"""Creates what the lab needs inside OpenStack; safe to repeat.  seed.py STATE keystone|cinder|gnocchi|nova"""
import os
import sys
import time

from keystoneauth1 import session
from keystoneauth1.identity import v3

STATE, STEP = sys.argv[1:3]
with open(f"{STATE}/secret") as f:
    SECRET = f.read().strip()
AUTH = "http://127.0.0.1:5000/v3"
CINDER = "http://127.0.0.1:8776/v3"
NOVA = "http://127.0.0.1:8774/v2.1"
GNOCCHI = "http://127.0.0.1:8041/v1"
TIERS = ("hot", "warm", "cold")


def login(user):
    """A session of the user in the project of the same name."""
    return session.Session(v3.Password(auth_url=AUTH, username=user, password=SECRET, project_name=user,
                                       user_domain_name="Default", project_domain_name="Default"))


def call(s, url, method="GET", body=None, ok=(), **more):
    r = s.request(url, method, json=body, raise_exc=False, **more)
    if r.status_code >= 400 and r.status_code not in ok:
        sys.exit(f"{method} {url}: {r.status_code} {r.text[:500]}")
    return r.json() if r.ok and r.content else {}


def until(what, check):
    """The first truthy answer of check, asked for a minute."""
    for _ in range(120):
        answer = check()
        if answer:
            return answer
        time.sleep(0.5)
    sys.exit(f"{what}: not within a minute")


def private(path, text):
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)


def named(kind, name, **more):
    """The Keystone object of that name, created when missing."""
    found = call(admin, f"{AUTH}/{kind}s?name={name}")[f"{kind}s"]
    return found[0] if found else call(admin, f"{AUTH}/{kind}s", "POST", {kind: {"name": name, **more}})[kind]


def users():
    role = {r["name"]: r["id"] for r in call(admin, f"{AUTH}/roles")["roles"]}
    services = [(user, "service", "admin") for user in ("cinder", "gnocchi", "nova", "placement")]
    tenants = [(user, user, "member") for user in ("couchestor", "other")]
    for user, project, r in services + tenants:
        p = named("project", project, domain_id="default")["id"]
        u = named("user", user, domain_id="default", password=SECRET, default_project_id=p)["id"]
        call(admin, f"{AUTH}/projects/{p}/users/{u}/roles/{role[r]}", "PUT")


def catalog():
    # the CSI driver refuses to start when the catalog has no compute service, whether or not Nova runs
    for name, kind, url in (("cinderv3", "volumev3", f"{CINDER}/%(project_id)s"), ("gnocchi", "metric", "http://127.0.0.1:8041"),
                            ("nova", "compute", NOVA), ("placement", "placement", "http://127.0.0.1:8778"),
                            ("neutron", "network", "http://127.0.0.1:9696"), ("glance", "image", "http://127.0.0.1:9696/image")):
        service = named("service", name, type=kind)["id"]
        have = {e["interface"] for e in call(admin, f"{AUTH}/endpoints?service_id={service}")["endpoints"]}
        for interface in {"public", "internal", "admin"} - have:
            call(admin, f"{AUTH}/endpoints", "POST", {"endpoint": {
                "service_id": service, "interface": interface, "url": url, "region_id": "RegionOne"}})


def credentials():
    """clouds.yaml for people and tests, cloud.conf for the CSI driver, openstack.env for `lab env`."""
    if os.path.exists(f"{STATE}/openstack.env"):
        return
    member = login("couchestor")
    url = f"{AUTH}/users/{member.get_user_id()}/application_credentials"

    def credential(name):
        body = {"application_credential": {"name": name, "roles": [{"name": "member"}]}}
        return call(member, url, "POST", body)["application_credential"]

    operator, csi = credential("operator"), credential("csi")
    clouds = "clouds:\n"
    for name in ("admin", "couchestor", "other"):
        clouds += (f"  {name}:\n    region_name: RegionOne\n    auth: {{auth_url: '{AUTH}', username: {name}, password: '{SECRET}', "
                   f"project_name: {name}, user_domain_name: Default, project_domain_name: Default}}\n")
    clouds += (f"  operator:\n    region_name: RegionOne\n    auth_type: v3applicationcredential\n    auth: {{auth_url: '{AUTH}', "
               f"application_credential_id: '{operator['id']}', application_credential_secret: '{operator['secret']}'}}\n")
    private(f"{STATE}/clouds.yaml", clouds)
    private(f"{STATE}/cloud.conf", f"[Global]\nauth-url={AUTH}\nregion=RegionOne\napplication-credential-id={csi['id']}\n"
                                   f"application-credential-secret={csi['secret']}\n[BlockStorage]\nignore-volume-az=true\n")
    env = {"AUTH_URL": AUTH, "REGION_NAME": "RegionOne", "IDENTITY_API_VERSION": 3, "AUTH_TYPE": "v3applicationcredential",
           "APPLICATION_CREDENTIAL_ID": operator["id"], "APPLICATION_CREDENTIAL_SECRET": operator["secret"]}
    private(f"{STATE}/openstack.env", "".join(f"export OS_{k}={v}\n" for k, v in env.items()))


def keystone():
    users()
    catalog()
    credentials()


def cinder():
    base = f"{CINDER}/{admin.get_project_id()}"
    have = {t["name"] for t in call(admin, f"{base}/types?is_public=None")["volume_types"]}
    types = {f"couchestor-{t}": {"volume_backend_name": t} for t in TIERS}
    # A scoped extra spec that differs sends Cinder down the generic path, which is the safe one for attached volumes.
    # The plain types deliberately lack it, so that the dangerous case can be tested.
    types |= {f"couchestor-live-{t}": {"volume_backend_name": t, "couchestor:tier": t} for t in TIERS}
    for name in types.keys() - have:
        call(admin, f"{base}/types", "POST", {"volume_type": {
            "name": name, "description": f"CoucheStor lab: {name}", "extra_specs": types[name]}})
    for name in ("couchestor", "other"):  # Cinder's default is 10 of each a project
        quota = {"volumes": 1000, "snapshots": 1000, "gigabytes": 10000, "backups": 1000, "backup_gigabytes": 10000}
        call(admin, f"{base}/os-quota-sets/{named('project', name)['id']}", "PUT", {"quota_set": quota})
    # the scheduler learns of a backend from its first report
    until("Cinder's three pools", lambda: len(call(admin, f"{base}/scheduler-stats/get_pools")["pools"]) == len(TIERS))


def gnocchi():
    # the resource type Ceilometer uses for a disk of an instance, with its attributes
    call(admin, f"{GNOCCHI}/resource_type", "POST", {"name": "instance_disk", "attributes": {
        "name": {"type": "string", "required": True, "min_length": 0, "max_length": 255},
        "instance_id": {"type": "uuid", "required": True}}}, ok=(409,))
    # Ceilometer's cumulative counters are read as rates
    call(admin, f"{GNOCCHI}/archive_policy", "POST", {
        "name": "ceilometer-low-rate", "back_window": 0, "aggregation_methods": ["mean", "last", "rate:mean", "rate:last"],
        "definition": [{"granularity": "60s", "timespan": "1 day"}, {"granularity": "300s", "timespan": "7 days"}]}, ok=(409,))


def compute_is_up():
    services = call(admin, f"{NOVA}/os-services?binary=nova-compute")["services"]
    return any(s["state"] == "up" for s in services) and call(admin, f"{NOVA}/os-hypervisors")["hypervisors"]


def nova():
    """One server, lab-node, that volumes get attached to."""
    call(admin, f"{NOVA}/flavors", "POST", {"flavor": {"id": "lab", "name": "lab", "vcpus": 1, "ram": 64, "disk": 0}}, ok=(409,))
    until("nova-compute", compute_is_up)
    if os.path.exists(f"{STATE}/nova/server"):
        return
    member = login("couchestor")
    volumes = f"{CINDER}/{member.get_project_id()}/volumes"
    volume = call(member, volumes, "POST", {"volume": {"size": 1, "name": "lab-node-root", "volume_type": "couchestor-hot"}})["volume"]["id"]
    until("the server's volume", lambda: call(member, f"{volumes}/{volume}")["volume"]["status"] == "available")
    call(member, f"{volumes}/{volume}/action", "POST", {"os-set_bootable": {"bootable": True}})
    server = call(member, f"{NOVA}/servers", "POST", {"server": {
        "name": "lab-node", "flavorRef": "lab", "networks": "none", "block_device_mapping_v2": [
            {"boot_index": 0, "uuid": volume, "source_type": "volume", "destination_type": "volume"}]}},
        headers={"OpenStack-API-Version": "compute 2.60"})["server"]["id"]

    def settled():
        s = call(member, f"{NOVA}/servers/{server}")["server"]
        return s if s["status"] in ("ACTIVE", "ERROR") else None

    s = until("server lab-node", settled)
    if s["status"] != "ACTIVE":
        sys.exit(f"server lab-node: {s['status']} {s.get('fault')}")
    private(f"{STATE}/nova/server", server)


admin = login("admin")
{"keystone": keystone, "cinder": cinder, "gnocchi": gnocchi, "nova": nova}[STEP]()
