"""A centre and two workers, management planes alone: a rack is followed, survives its centre, is taken over and given back."""

import datetime
import os

import pytest

from appliance import wait_until
from mgmt_process import POOL, PORT, Management, Refused

LOST_SECONDS = 35  # from the last heartbeat to the take-over


class Follower(Management):
    def __init__(self, name, number, tmp_path, centre):
        home = tmp_path / name
        home.mkdir()
        (home / "enrolment").write_text(centre.request("POST", "/api/ims-worker/enrolments/", {"worker_id": name})["token"])
        super().__init__(home, PORT + number, [
            "--rack.listen", f"127.0.0.{number + 1}:18080", "--worker.role", "worker", "--worker.id", name,
            "--worker.centre", f"http://127.0.0.1:{PORT}", "--worker.enrolment_token_file", home / "enrolment"])
        self.name = name

    def machine(self, machine):
        try:
            return self.get(f"/api/machines/{machine['id']}/")
        except Refused:
            return None


@pytest.fixture
def appliances(tmp_path):
    (tmp_path / "centre").mkdir()
    centre = Management(tmp_path / "centre", options=["--rack.listen", "127.0.0.1:18080", "--worker.id", "centre"])
    running = [centre]
    try:
        centre.start()
        for number, name in enumerate(("w1", "w2"), 1):
            running.append(Follower(name, number, tmp_path, centre))
            running[-1].start()
        for worker in running[1:]:
            # Without a dataplane its services are in trouble, and it is there all the same.
            wait_until(f"{worker.name} beats", lambda name=worker.name: seen(centre, name).get("status") == "error", 60)
        yield running
    finally:
        for one in running:
            print(f"--- {one.home.name} ---\n{one.log()}")
            one.stop()


def seen(centre, name):
    return (centre.get(f"/api/ims-worker/?worker_id={name}") or [{}])[0]


def last_beat(centre, name):
    return datetime.datetime.fromisoformat(seen(centre, name)["last_heartbeat"]).timestamp()


def served_by(appliance, rack):
    return appliance.get(f"/api/cluster/{rack['id']}/")["served_by"]


def test_a_rack_is_followed_taken_over_and_given_back(appliances):
    centre, w1, w2 = appliances
    centre.request("POST", "/api/ip-pools/", POOL)
    image = os.urandom(3_000_000)
    centre.raw("PUT", "/api/images/vmlinuz", image)
    centre.request("POST", "/api/boot-profiles/", {"name": "ramdisk", "loaders": {}, "kernel": "vmlinuz"})
    rack = centre.request("POST", "/api/cluster/", {"name": "r1", "worker": "w1", "standby": "w2"})
    machine = centre.request("POST", "/api/machines/", {
        "hostname": "n1", "mac": "02:00:00:00:00:01", "boot_profile": "ramdisk", "cluster": rack["id"]})
    here = f"/api/machines/{machine['id']}/"
    for worker in (w1, w2):
        wait_until(f"{worker.name} follows", lambda one=worker: one.machine(machine), 30)
        wait_until(f"{worker.name} has the image", lambda one=worker: one.get("/api/images/"), 30)
        assert worker.raw("GET", "/api/images/vmlinuz") == image
        assert worker.machine(machine)["ip"] == machine["ip"]
    with pytest.raises(Refused) as refused:
        w1.request("PATCH", here, {"role": "STORAGE"})
    assert refused.value.status == 409

    centre.kill()
    assert w1.machine(machine)
    centre.start()
    centre.request("PATCH", here, {"role": "STORAGE"})
    wait_until("w1 catches up", lambda: w1.machine(machine).get("role") == "STORAGE", 30)
    wait_until("w1 beats again", lambda: seen(centre, "w1").get("last_heartbeat"), 30)

    w1.kill()
    beat = last_beat(centre, "w1")
    wait_until("w2 takes over", lambda: served_by(centre, rack) == "w2", LOST_SECONDS + 10)
    assert datetime.datetime.now().timestamp() - beat < LOST_SECONDS
    assert seen(centre, "w1")["status"] == "inactive"
    wait_until("w2 knows", lambda: served_by(w2, rack) == "w2", 10)
    assert "taken_over" in [entry["event"] for entry in centre.get(here + "timeline/")]
    with pytest.raises(Refused) as refused:  # w1 may still be out there
        centre.request("PATCH", here, {"ip": "10.80.1.200"})
    assert refused.value.status == 409

    w1.start()
    wait_until("w1 learns", lambda: served_by(w1, rack) == "w2", 30)
    wait_until("the fence falls", lambda: centre.get(f"/api/cluster/{rack['id']}/")["fenced_until"] is None, 30)
    assert centre.request("PATCH", here, {"ip": "10.80.1.200"})["ip"] == "10.80.1.200"
    assert centre.request("POST", f"/api/cluster/{rack['id']}/hand_back/")["served_by"] == "w1"
    for worker in (w1, w2):
        wait_until(f"{worker.name} knows", lambda one=worker: served_by(one, rack) == "w1", 10)
        wait_until(f"{worker.name} has the new address", lambda one=worker: one.machine(machine)["ip"] == "10.80.1.200", 10)
