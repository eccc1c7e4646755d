"""A real HTTP server is the SMO's callback: alarms, changes and results reach it in their order, whatever dies."""

import json

import pytest
from appliance import wait_until
from mgmt_process import POOL, Management, Refused
from smo import Smo

INVENTORY = "/o2ims-infrastructureInventory/v1"
MONITORING = "/o2ims-infrastructureMonitoring/v1"
PERFORMANCE = "/o2ims-infrastructurePerformance/v1"
LOOPBACK_TOO = ("--o2ims.callback_http", "true", "--o2ims.callback_loopback", "true")


@pytest.fixture
def smo():
    smo = Smo()
    yield smo
    smo.stop()


@pytest.fixture
def server(tmp_path):
    server = Management(tmp_path, options=LOOPBACK_TOO)
    server.start()
    yield server
    server.stop()
    print(server.log())


def subscribe(server, service, path, callback, **more):
    return server.request("POST", f"{service}/{path}", {"callback": callback, "consumerSubscriptionId": "rack watch", **more})


def of_alarm(name, event):
    return lambda told: told["extensions"]["alarmName"] == name and told["notificationEventType"] == event


def acknowledge_by_command(server, alarm):
    listed = server.rousectl("alarm", "list")
    line = next(line for line in listed.stdout.splitlines() if alarm in line)
    assert "critical" in line and "dataplane-not-polling" in line, listed.stdout
    shown = server.rousectl("alarm", "show", alarm).stdout
    assert "proposedRepairActions" in shown and "critical" in shown
    done = server.rousectl("alarm", "acknowledge", alarm)
    assert (done.returncode, done.stdout) == (0, f"acknowledged alarm {alarm}\n"), done.stderr
    assert json.loads(server.rousectl("alarm", "show", alarm, "-o", "json").stdout)["alarmAcknowledged"] is True
    refused = server.rousectl("alarm", "clear", alarm)
    assert refused.returncode == 5 and "cleared by itself" in refused.stderr
    assert server.rousectl("alarm", "show", alarm[:-1] + "x").returncode == 3


def test_an_alarm_is_told_from_its_raising_to_its_end(server, smo):
    subscribe(server, MONITORING, "alarmSubscriptions", smo.url("/all"))
    subscribe(server, MONITORING, "alarmSubscriptions", smo.url("/no-new"), filter="NEW")
    # Nothing polls: rouse-mgmt runs alone. The alarm was raised before anybody subscribed, or is about to be.
    alarm = wait_until("the alarm is raised", lambda: next(
        (one for one in server.get(f"{MONITORING}/alarms") if one["extensions"]["alarmName"] == "dataplane-not-polling"), None), 40)
    told = smo.wait("/all", of_alarm("dataplane-not-polling", 0))
    assert told["alarmEventRecordId"] == alarm["alarmEventRecordId"]
    assert told["consumerSubscriptionId"] == "rack watch" and told["notificationId"]
    assert told["resourceID"] == told["objectId"]

    acknowledge_by_command(server, alarm["alarmEventRecordId"])
    smo.wait("/all", of_alarm("dataplane-not-polling", 3))
    # A pool of four addresses is used up, and then is not.
    server.request("POST", "/api/ip-pools/", {**POOL, "range_start": "10.80.1.1", "range_end": "10.80.1.4"})
    machines = [server.request("POST", "/api/machines/", {"hostname": f"n{number}", "mac": f"02:00:00:00:00:0{number}"})
                for number in range(4)]
    raised = smo.wait("/all", of_alarm("pool-exhausted", 0), 30)
    assert "10.80.1.1" in raised["extensions"]["text"], raised
    for machine in machines:
        server.request("DELETE", f"/api/machines/{machine['id']}/")
    cleared = smo.wait("/all", of_alarm("pool-exhausted", 2), 60)
    assert cleared["alarmEventRecordId"] == raised["alarmEventRecordId"]
    assert cleared["perceivedSeverity"] == 5 and cleared["alarmClearedTime"]
    smo.wait("/no-new", of_alarm("pool-exhausted", 2))
    assert all(one["notificationEventType"] != 0 for one in smo.told["/no-new"])


def test_a_subscriber_misses_nothing_while_the_server_is_killed(server, smo):
    subscribe(server, INVENTORY, "subscriptions", smo.url("/inventory"))
    for number in range(60):
        if number % 20 == 10:
            server.kill()
            server.start()
        server.request("POST", "/api/machines/", {"hostname": f"n{number}", "mac": f"02:00:00:00:00:{number:02x}"})

    def names():
        return {state["extensions"]["hostname"] for one in smo.told.get("/inventory", [])
                if (state := one.get("postObjectState")) and "hostname" in state.get("extensions", {})}

    wait_until("all machines were told", lambda: names() >= {f"n{number}" for number in range(60)}, 30)


def test_results_are_told_as_they_are_measured(server, smo):
    server.request("POST", "/api/machines/", {"hostname": "n1", "mac": "02:00:00:00:00:01"})
    subscribe(server, PERFORMANCE, "performanceSubscriptions", smo.url("/mine"), filter="(neq,consumerPerformanceJobId,mine)")
    server.request("POST", f"{PERFORMANCE}/measurementJobs", {
        "consumerPerformanceJobId": "mine", "collectionInterval": 1,
        "measurementSelectionCriteria": {"performanceMeasurementDefinitionIds": ["appliance.machines"]}})
    wait_until("two collections", lambda: len(smo.told.get("/mine", [])) >= 2, 20)
    for one in smo.told["/mine"]:
        assert one["consumerPerformanceJobId"] == "mine"
        assert [value["value"] for result in one["results"] for value in result["values"]] == [1]


@pytest.mark.parametrize("service, path", [
    (INVENTORY, "subscriptions"), (MONITORING, "alarmSubscriptions"), (PERFORMANCE, "performanceSubscriptions")])
def test_what_cannot_be_subscribed_is_refused(server, smo, service, path):
    def refusal(**body):
        with pytest.raises(Refused) as refused:
            server.request("POST", f"{service}/{path}", body)
        return refused.value.status, json.dumps(refused.value.body)

    assert refusal()[0] == 400
    for callback in ("nonsense", "ftp://smo.example/a", "http://169.254.169.254/latest", "http://[fe80::1]/a"):
        status, body = refusal(callback=callback)
        assert status == 400 and "/callback" in body, callback
    status, body = refusal(callback=smo.url("/a"), filter="(eq,colour")
    assert status == 400 and "/filter" in body
    made = subscribe(server, service, path, smo.url("/a"))
    assert refusal(callback=smo.url("/a"))[0] == 400
    [id_name] = [name for name in made if name.endswith("ubscriptionId") and not name.startswith("consumer")]
    server.request("DELETE", f"{service}/{path}/{made[id_name]}")
    with pytest.raises(Refused) as gone:
        server.get(f"{service}/{path}/{made[id_name]}")
    assert gone.value.status == 404
