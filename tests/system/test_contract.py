"""Every answer of the O2ims services is one that the OpenAPI files of others allow: Prism stands between and says so.

What it objects to, and what is not served, is in docs/o2ims.md with the reasons, and nothing else is."""

import fnmatch
import http.client
import json
import re
import subprocess
import uuid

import pytest
from appliance import wait_until
from mgmt_process import BIN, PORT, Management, Refused
from openapi_proxy import FILES, Deviation, Proxy, table_below, write_as_json
from smo import Smo

INVENTORY, MONITORING = "/o2ims-infrastructureInventory", "/o2ims-infrastructureMonitoring"
REQUESTS = "/o2ims-infrastructureProvisioning/v1/provisioningRequests"
TEMPLATES = "/o2ims-infrastructureArtifacts/v1/managedInfrastructureTemplates"
CALLBACK = f"http://127.0.0.1:{PORT + 20}/smo"  # nobody listens
RACK = ("127.0.0.1", PORT + 21)
MERGE = "application/merge-patch+json"
NOBODY = str(uuid.UUID(int=1))
# What is posted to subscribers, by where to: the file and its schema.
CALLBACKS = {"/inventory": ("redhat/resources", "InventoryChangeNotification"), "/alarms": ("redhat/alarms", "AlarmEventNotification")}
LISTS = {"resourceTypes": "resourceTypeId", "resourcePools": "resourcePoolId", "alarmDictionaries": "alarmDictionaryId",
         "locations": "globalLocationId", "oCloudSites": "oCloudSiteId", "deploymentManagers": "deploymentManagerId"}
HARDWARE = {"stage": "home", "kernel": "6.1.0", "cpu": {"model": "a processor", "cores": 8}, "memory_bytes": 1 << 34,
            "disks": [{"name": "sda", "size_bytes": 1 << 40, "model": "a disk", "rotational": False}],
            "interfaces": [{"name": "eth0", "mac": "52:54:00:80:00:01", "driver": "virtio_net", "speed_mbps": 10000}],
            "firmware": {"vendor": "a maker", "version": "1", "product": "a server", "serial": "S123"}, "boot_mode": "uefi"}


def fill(server):
    """A cluster with a server whose agent came home, one without cluster, a template, and pools that are used up."""
    server.request("POST", "/api/ip-pools/", {"cidr": "127.80.0.0/16", "gateway": "127.80.0.1"})
    for name in ("vmlinuz", "initrd.img"):
        server.raw("PUT", f"/api/images/{name}", b"not much")
    server.request("POST", "/api/boot-profiles/", {
        "name": "ramdisk", "loaders": {}, "kernel": "vmlinuz", "initrds": ["initrd.img"], "cmdline": "quiet"})
    cluster = server.request("POST", "/api/clusters/", {"name": "edge"})["id"]
    home = {"hostname": "n1", "mac": "52:54:00:80:00:01", "ip": "127.80.1.1", "boot_profile": "ramdisk", "cluster": cluster}
    server.request("POST", "/api/machines/", home)
    server.request("POST", "/api/machines/", {"hostname": "n2", "mac": "52:54:00:80:00:02", "ip": "127.80.1.2"})
    report_home(home["ip"])
    for network in (1, 2):
        pool = f"10.82.{network}"
        server.request("POST", "/api/ip-pools/", {"cidr": f"{pool}.0/24", "gateway": f"{pool}.1", "range_start": f"{pool}.2",
                                                  "range_end": f"{pool}.3"})
        for host in (2, 3):
            server.request("POST", "/api/machines/", {"hostname": f"full{network}-{host}", "mac": f"52:54:00:82:0{network}:0{host}",
                                                      "ip": f"{pool}.{host}"})


def report_home(ip):
    """As the machine's ramdisk does, from the machine's address."""
    def rack(method, path, body=None, **headers):
        connection = http.client.HTTPConnection(*RACK, timeout=30, source_address=(ip, 0))
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read().decode()
        assert answer.status < 300, f"{method} {path}: {answer.status}: {content}"
        return content

    token = re.search(r"rouse\.token=(\S+)", rack("GET", "/boot/boot.ipxe"))[1]
    rack("POST", "/agent/report", json.dumps(HARDWARE), **{"Authorization": f"Bearer {token}", "Content-Type": "application/json"})


def raise_alarms(server):
    """Both small pools are used up; one of them is free again, so that one alarm will be cleared in half a minute."""
    wait_until("alarms of both pools", lambda: len(server.get(f"{MONITORING}/v1/alarms?filter=(eq,perceivedSeverity,1)")) > 1, 20)
    for host in (2, 3):
        [machine] = server.get(f"/api/machines/?hostname=full2-{host}")
        server.request("DELETE", f"/api/machines/{machine['id']}/")


@pytest.fixture(scope="module")
def smo():
    smo = Smo()
    yield smo
    smo.stop()


@pytest.fixture(scope="module")
def server(smo, tmp_path_factory):
    server = Management(tmp_path_factory.mktemp("contract"), options=[
        "--rack.listen", f"{RACK[0]}:{RACK[1]}", "--o2ims.callback_http=true", "--o2ims.callback_loopback=true",
        "--o2ims.ocloud_id", str(uuid.UUID(int=7))])  # ids follow from it: lists have one order
    server.start()
    try:
        for subscriptions, path in ((f"{INVENTORY}/v1/subscriptions", "/inventory"), (f"{MONITORING}/v1/alarmSubscriptions", "/alarms")):
            server.request("POST", subscriptions, {"callback": smo.url(path), "consumerSubscriptionId": NOBODY})
        fill(server)
        server.request("POST", "/api/users/", {"username": "w", "password": "a long enough one", "role": "worker"})
        yield server
    finally:
        server.stop()
        print(server.log())


def drive_lists(api, base):
    """Lists, the objects in them, and every selector."""
    for name, key in LISTS.items():
        if not api.has("GET", f"{base}/{name}"):
            continue
        seen = api.get(f"{base}/{name}")
        assert seen or name == "deploymentManagers", name
        drive_list(api, f"{base}/{name}", key, "alarmDefinition" if name == "alarmDictionaries" else "extensions")
        for one in seen:
            for selector in ("", "?all_fields"):
                api.get(f"{base}/{name}/{one[key]}{selector}")
        api.get(f"{base}/{name}/{NOBODY}", status=404)
    for pool in api.get(f"{base}/resourcePools"):
        inside = f"{base}/resourcePools/{pool['resourcePoolId']}/resources"
        for one in api.get(inside):
            api.get(f"{inside}/{one['resourceId']}")
    [edge] = api.get(f"{base}/resourcePools?filter=(eq,name,edge)")
    inside = f"{base}/resourcePools/{edge['resourcePoolId']}/resources"
    [home] = api.get(f"{inside}?filter=(eq,globalAssetId,S123)")
    assert home["elements"], home
    drive_list(api, inside, "resourceId")
    api.get(f"{inside}/{NOBODY}", status=404)
    api.get(f"{base}/resourcePools/{NOBODY}/resources", status=404)


def drive_list(api, path, key, other="extensions"):
    """The selectors of O2IMS 1.3 on a list whose objects are named by KEY and have the attribute OTHER."""
    for selector in (f"fields={key}", f"fields={other}", f"exclude_fields={other}", "exclude_default=true", "all_fields&limit=1",
                     "nextpage_opaque_marker=1", f"filter=(neq,{key},{NOBODY});(cont,{key},-)"):
        api.get(f"{path}?{selector}")
    first = api.ask("GET", f"{path}?limit=1")
    if link := first.headers["Link"]:
        assert api.get(re.match("<(.*)>", link)[1]) != first.body
    for wrong in ("filter=(eq,nonsense,1)", f"filter=(is,{key},1)", "fields=nonsense", "nextpage_opaque_marker=x", "nonsense=1"):
        api.get(f"{path}?{wrong}", status=400)


def drive_subscriptions(api, path, key):
    made = api.ask("POST", path, {"callback": CALLBACK, "consumerSubscriptionId": "rack watch"}, status=201)
    assert made.headers["Location"] == f"{path}/{made.body[key]}"
    api.ask("POST", path, {"callback": CALLBACK}, status=400)
    plain = api.ask("POST", path, {"callback": CALLBACK + "/2", "consumerSubscriptionId": NOBODY}, status=201).body
    for wrong in ({}, {"callback": "nonsense"}, {"callback": 1}):
        api.ask("POST", path, wrong, status=400)
    api.ask("POST", path, "<callback/>", status=415, content_type="application/xml")
    drive_list(api, path, key, "callback")
    for one in (made.body, plain):
        api.get(f"{path}/{one[key]}")
        assert api.ask("DELETE", f"{path}/{one[key]}").body is None
        api.get(f"{path}/{one[key]}", status=404)
        api.ask("DELETE", f"{path}/{one[key]}", status=404)


def drive_versions(api, service, version):
    for place in (service, f"{service}/{version}"):
        if api.has("GET", f"{place}/api_versions"):
            api.get(f"{place}/api_versions")


def drive_inventory(api, version):
    drive_versions(api, INVENTORY, version)
    base = f"{INVENTORY}/{version}"
    for place in (base, base + "/"):
        if api.has("GET", place):
            for selector in ("", "?all_fields", "?exclude_fields=extensions", "?fields=name", "?exclude_default=true"):
                api.get(place + selector)
            api.get(place + "?fields=nonsense", status=400)
    api.get(base + "/resourceTypes", status=406, headers={"Version": "9.0.0"})
    drive_lists(api, base)
    if api.has("GET", f"{base}/resourceTypes/{NOBODY}/alarmDictionary"):
        with_alarms = [one for one in api.get(f"{base}/resourceTypes") if "alarmDictionaryId" in one]
        for one in with_alarms:
            dictionary = api.get(f"{base}/resourceTypes/{one['resourceTypeId']}/alarmDictionary")
            assert dictionary["alarmDictionaryId"] == one["alarmDictionaryId"]
        assert with_alarms
        api.get(f"{base}/resourceTypes/{NOBODY}/alarmDictionary", status=404)
    drive_subscriptions(api, f"{base}/subscriptions", "subscriptionId")


def drive_monitoring(api):
    base = f"{MONITORING}/v1"
    drive_versions(api, MONITORING, "v1")
    drive_subscriptions(api, f"{base}/alarmSubscriptions", "alarmSubscriptionId")
    [cleared] = wait_until("an alarm is cleared", lambda: api.get(f"{base}/alarms?filter=(eq,perceivedSeverity,5)"), 60)
    assert cleared["alarmClearedTime"]
    # One for each of the two files: a pool is used up, and nothing polls, since rouse-mgmt runs alone.
    raised = api.get(f"{base}/alarms?filter=(eq,alarmAcknowledged,false);(neq,perceivedSeverity,5)")[0]
    drive_list(api, f"{base}/alarms", "alarmEventRecordId")
    api.get(f"{base}/alarms/{NOBODY}", status=404)
    acknowledge = {"alarmAcknowledged": True}
    assert api.ask("PATCH", f"{base}/alarms/{raised['alarmEventRecordId']}", acknowledge, content_type=MERGE).body == acknowledge
    for one in (cleared, raised):
        drive_alarm(api, f"{base}/alarms/{one['alarmEventRecordId']}")
    api.ask("PATCH", f"{base}/alarms/{NOBODY}", {"alarmAcknowledged": True}, status=404, content_type=MERGE)
    if api.has("GET", f"{base}/alarmServiceConfiguration"):
        drive_alarm_configuration(api, f"{base}/alarmServiceConfiguration")


def drive_alarm(api, url):
    acknowledge, clear = {"alarmAcknowledged": True}, {"perceivedSeverity": 5}
    for wrong in ({}, {"alarmAcknowledged": False}, {"perceivedSeverity": 2}, acknowledge | clear):
        api.ask("PATCH", url, wrong, status=400, content_type=MERGE)
    api.ask("PATCH", url, acknowledge, status=412, headers={"If-Match": '"9999"'}, content_type=MERGE)
    if not api.get(url)["alarmAcknowledged"]:
        api.ask("PATCH", url, acknowledge, content_type=MERGE)
    assert api.get(url)["alarmAcknowledged"]
    for again in (acknowledge, clear):  # which it is, or will be by itself
        api.ask("PATCH", url, again, status=409, content_type=MERGE)


def drive_alarm_configuration(api, url):
    kept = api.ask("GET", url)
    for change in ({"retentionPeriod": 20}, {"extensions": {"of": "ours"}}):
        api.ask("PATCH", url, change, content_type=MERGE)
    api.ask("PUT", url, {"retentionPeriod": 0, "extensions": {}}, status=400)
    api.ask("PATCH", url, {"retentionPeriod": "long"}, status=400, content_type=MERGE)
    late = {"status": 412, "headers": {"If-Match": kept.headers["ETag"]}}
    api.ask("PUT", url, {"retentionPeriod": 9, "extensions": {}}, **late)
    api.ask("PATCH", url, {"retentionPeriod": 9}, content_type=MERGE, **late)
    assert api.ask("PUT", url, kept.body).body == kept.body


def drive_artifacts(api):
    drive_versions(api, "/o2ims-infrastructureArtifacts", "v1")
    drive_list(api, TEMPLATES, "artifactResourceId")
    [template] = api.get(TEMPLATES)
    name = f"{template['name']}.{template['version']}"
    for one in (name, template["artifactResourceId"]):
        assert api.get(f"{TEMPLATES}/{one}") == template
    for missing in ("nonsense", "ramdisk.9.9.9", NOBODY):
        api.get(f"{TEMPLATES}/{missing}", status=404)


def drive_provisioning(api):
    drive_versions(api, "/o2ims-infrastructureProvisioning", "v1")
    wanted = {"provisioningRequestId": str(uuid.uuid4()), "name": "rack 7", "description": "", "templateName": "ramdisk",
              "templateVersion": "1.0.0", "templateParameters": {"servers": [
                  {"hostname": "p1", "mac": "52:54:00:81:00:01"}, {"hostname": "p2"}]}}
    one = f"{REQUESTS}/{wanted['provisioningRequestId']}"
    api.get(one, status=404)
    api.ask("PUT", one, wanted, status=404)
    api.ask("DELETE", one, status=404)
    made = api.ask("POST", REQUESTS, wanted, status=201)
    assert made.headers["Location"] == one
    api.ask("POST", REQUESTS, wanted, status=409)
    for wrong in ({}, wanted | {"name": ""}, wanted | {"templateName": "nonsense"}, wanted | {"templateParameters": {}},
                  wanted | {"nonsense": 1}, wanted | {"provisioningRequestId": "x"}):
        api.ask("POST", REQUESTS, wrong, status=400)
        api.ask("PUT", one, wrong, status=400)
    api.ask("PUT", one, wanted | {"provisioningRequestId": str(uuid.uuid4())}, status=422)

    def phase(name, url=one):
        wait_until(f"the request is {name}", lambda: api.get(url)["status"]["provisioningPhase"] == name, 20)

    phase("PROGRESSING")
    drive_list(api, REQUESTS, "provisioningRequestReference", "status")
    # Which nobody powers on.
    api.ask("PUT", one, wanted | {"description": "once more", "templateParameters": {
        "servers": [{"hostname": "n2", "mac": "52:54:00:80:00:02"}], "powerOnSeconds": 1}})
    phase("FAILED")
    # One whose server comes home.
    mac, other = "52:54:00:84:00:00", str(uuid.uuid4())
    api.ask("POST", REQUESTS, wanted | {"provisioningRequestId": other, "templateParameters": {
        "servers": [{"hostname": "p3", "mac": mac}]}}, status=201)
    phase("PROGRESSING", f"{REQUESTS}/{other}")
    boot(api, mac)
    phase("FULFILLED", f"{REQUESTS}/{other}")
    fulfilled = api.get(f"{REQUESTS}/{other}")
    assert fulfilled["provisionedResourceSet"]["infrastructureResourceIds"], fulfilled
    for request in (one, f"{REQUESTS}/{other}"):
        assert api.ask("DELETE", request, status=202).headers["Location"] == request
    wait_until("the requests are gone", lambda: not api.get(REQUESTS), 20)


def boot(api, mac):
    """What the dataplane and the ramdisk of the machine would tell of its boot."""
    storm = [BIN / "rouse-storm", "--run-dir", api.run_dir, "--port", str(api.upstream), "--token", api.token, "--first-mac", mac]
    subprocess.run([*storm, "--machines", "1", "--rate", "4", "--seconds", "1", "--clients", "1"], check=True, timeout=60, capture_output=True)
    connection = http.client.HTTPConnection("127.0.0.1", api.upstream, timeout=30)
    connection.request("GET", f"/api/machines/?mac={mac}", headers={"Authorization": f"Bearer {api.token}"})
    [machine] = json.loads(connection.getresponse().read())
    report_home(machine["ip"])


def write_callbacks(directory):
    """The files describe what is posted to subscribers, but not as an API of theirs: this is one."""
    def post(file, schema):
        schema = {"$ref": f"../{file}/api/openapi.yaml#/components/schemas/{schema}"}
        return {"post": {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
                         "responses": {"204": {"description": "taken"}}}}

    (directory / "callbacks").mkdir()
    (directory / "callbacks" / "openapi.yaml").write_text(json.dumps({
        "openapi": "3.0.0", "info": {"title": "callbacks", "version": "1"},
        "paths": {path: post(*where) for path, where in CALLBACKS.items()}}))


def drive_callbacks(api, smo):
    """What the SMO was told so far goes to it once more, through Prism."""
    for path, kinds in {"/inventory": {0, 1, 2}, "/alarms": {0, 2, 3}}.items():
        wait_until(f"notifications of all kinds at {path}: {kinds}", lambda: (
            kinds <= {one["notificationEventType"] for one in list(smo.told.get(path, []))}), 20)
        for one in list(smo.told[path]):
            api.ask("POST", path, one, status=204, token="")


def drive_starlingx(api):
    drive_inventory(api, "v1")
    drive_monitoring(api)


# By file; one without is of a service that is not there.
DRIVERS = {"redhat/resources": lambda api: drive_inventory(api, "v2"),
           "redhat-v1/resources": lambda api: drive_inventory(api, "v1"),
           "redhat/artifacts": drive_artifacts,
           "redhat/provisioning": drive_provisioning,
           "redhat/alarms": drive_monitoring,
           "starlingx": drive_starlingx,
           "redhat/cluster": None}
DEVIATIONS = [one for row in table_below("## Where answers differ from OpenAPI files", 5) for one in Deviation.of(row)]
NOT_SERVED = table_below("### Not served", 3)  # (file, pattern of operations, why)


@pytest.fixture(scope="module")
def proxies(server, smo, tmp_path_factory):
    directory = tmp_path_factory.mktemp("openapi")
    write_as_json(directory)
    write_callbacks(directory)
    made = {file: Proxy(file, directory, PORT + 1 + number, server.port) for number, file in enumerate(DRIVERS)}
    made["callbacks"] = Proxy("callbacks", directory, PORT + 19, smo.port)
    served = [proxy for file, proxy in made.items() if DRIVERS.get(file, True)]
    try:
        for proxy in served:
            proxy.token, proxy.run_dir = server.token, server.run_dir
            proxy.start()
        raise_alarms(server)
        for proxy in served:
            proxy.wait()
        yield made
    finally:
        for proxy in served:
            proxy.stop()


def check_violations(api):
    """Those that Prism has found are those that the manual lists."""
    listed = [one for one in DEVIATIONS if one.is_of(api.file)]
    excess = [found for found in api.violations if not any(one.covers(api.file, found) for one in listed)]
    assert not excess, "\n".join(sorted(f"{one.operation} | {one.where} | {one.rule} | {one.text}" for one in excess))
    stale = [one for one in listed if not any(one.covers(api.file, found) for found in api.violations)]
    assert not stale, f"listed in docs/o2ims.md, but no longer so: {stale}"


@pytest.mark.parametrize("file", [file for file, drive in DRIVERS.items() if drive])
def test_answers_are_as_the_file_says(server, proxies, file):
    api = proxies[file]
    DRIVERS[file](api)
    # Whom the service does not know, and who may do nothing there.
    stranger = server.request("POST", "/api/token/", {"username": "w", "password": "a long enough one"})["access"]
    for (method, _), target in sorted(api.driven.items()):
        body = {} if method in ("PUT", "POST") else None
        for token, status in (("", 401), ("nonsense", 401), (stranger, 403)):
            api.ask(method, target, body, status=status, token=token)
    check_violations(api)


def test_notifications_are_as_the_files_say(proxies, smo):
    drive_callbacks(proxies["callbacks"], smo)
    check_violations(proxies["callbacks"])


@pytest.mark.parametrize("file", DRIVERS)
def test_what_is_not_driven_is_not_served(server, proxies, file):
    api = proxies[file]
    left = {" ".join(one): one for one in api.operations - set(api.driven)}
    listed = {pattern: fnmatch.filter(left, pattern) for name, pattern, _ in NOT_SERVED if name == file}
    assert all(listed.values()), f"listed as not served in docs/o2ims.md, but there is no such thing: {listed}"
    assert set(left) == set().union(*listed.values()), "neither driven nor listed"
    for method, path in left.values():
        with pytest.raises(Refused) as refused:
            server.request(method, re.sub(r"{\w+}", NOBODY, path), {} if method == "POST" else None)
        assert refused.value.status == 404, f"{method} {path}"


def test_every_file_has_its_say():
    files = {str(path.relative_to(FILES)).removesuffix("/swagger.yaml").removesuffix("/api/openapi.yaml") for path in FILES.rglob("*.yaml")}
    assert files - {"redhat/common", "redhat-v1/common"} == set(DRIVERS)
    assert {one.file for one in DEVIATIONS} <= set(DRIVERS) | {"callbacks"}
    assert {file for file, *_ in NOT_SERVED} <= set(DRIVERS)
