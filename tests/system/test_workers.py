"""Several appliances on one rack: a centre, its workers, and what happens when one of them dies."""

import datetime
import time

import pytest
from appliance import ApiError, VirtualMachine, in_order, on_client, wait_until
from conftest import serving
from worker import Worker

MAC = "52:54:00:77:00:01"
LOST_SECONDS = 35  # from the last heartbeat to the take-over


@pytest.fixture
def centre(rack, tmp_path):
    config = tmp_path / "centre.toml"
    config.write_text('[worker]\nid = "centre"\n')
    with serving("--config", str(config)) as appliance:
        yield appliance


def enrol(centre, worker):
    token = centre.post("/api/ims-worker/enrolments/", {"worker_id": worker.name})["token"]
    worker.start(token)
    wait_until(f"{worker.name} is active", lambda: status(centre, worker) == "active", 60)


def status(centre, worker):
    found = centre.get(f"/api/ims-worker/?worker_id={worker.name}")
    return found[0]["status"] if found else None


def cluster_of(centre, cluster):
    return centre.get(f"/api/cluster/{cluster['id']}/")


def kill(appliance):
    """The whole of it, at once."""
    for name in ("mgmt", "dataplane"):
        appliance.kill(name)


def follows(worker, machine, images=()):
    """The worker has the machine and the images."""
    try:
        worker.machine(machine)
    except ApiError:
        return False
    return set(images) <= {image["name"] for image in worker.get("/api/images/")}


def served_by(appliance, machine):
    """The appliances that gave the machine its addresses, in order."""
    return [entry["details"].get("appliance", "centre") for entry in appliance.timeline(machine)
            if entry["event"] == "dhcp_ack"]


def test_a_rack_boots_from_its_worker_whatever_dies(centre, boot_files, tmp_path):
    for name, content in boot_files.items():
        centre.put_image(name, content)
    centre.post("/api/boot-profiles/", {
        "name": "ramdisk", "loaders": {}, "kernel": "vmlinuz", "initrds": ["initrd.img"],
        "cmdline": "console=ttyS0 quiet rouse.after=poweroff"})
    with Worker(1, tmp_path) as worker:
        enrol(centre, worker)
        rack = centre.post("/api/cluster/", {"name": "rack1", "worker": "w1", "standby": "centre"})
        assert rack["served_by"] == "w1"
        machine = centre.add_machine("node1", MAC, boot_profile="ramdisk", cluster=rack["id"])
        wait_until("the worker follows", lambda: follows(worker, machine, boot_files), 60)

        vm = VirtualMachine("vm1", MAC, tmp_path)
        try:
            wait_until("the worker serves it", lambda: "dhcp_ack" in worker.events(machine), 60)
            kill(centre)
            vm.wait()
        finally:
            vm.stop()
        in_order(worker.events(machine), "dhcp_discover", "dhcp_ack", "tftp_complete", "kernel_up", "agent_home")

        centre.start()
        back = time.time()
        wait_until("the centre has heard", lambda: "agent_home" in centre.events(machine), 60)
        told = centre.machine(machine)
        assert told["status"] == "ACTIVE" and told["hardware"]["cpu"]["cores"] >= 1
        assert set(served_by(centre, machine)) == {"w1"}
        assert [entry["sequence"] for entry in centre.timeline(machine)] == list(
            range(1, 1 + len(centre.timeline(machine))))
        wait_until("the lease is known", lambda: any(
            lease["ip_address"] == told["ip"] for lease in centre.get("/api/ims-leases/?worker=w1")), 30)

        wait_until("w1 beats again", lambda: worker_beat(centre, "w1") > back, 30)
        kill(worker)
        taken = wait_until("the centre takes over", lambda: cluster_of(centre, rack)["served_by"] == "centre" and
                           time.time(), LOST_SECONDS + 10)
        assert taken - worker_beat(centre, "w1") < LOST_SECONDS
        assert status(centre, worker) == "inactive"
        vm = VirtualMachine("vm2", MAC, tmp_path)
        try:
            vm.wait()
        finally:
            vm.stop()
        wait_until("it is home again", lambda: centre.events(machine).count("agent_home") == 2, 30)
        assert served_by(centre, machine)[-1] == "centre"
        assert centre.machine(machine)["ip"] == told["ip"]
        in_order(centre.events(machine), "agent_home", "taken_over", "dhcp_ack", "agent_home")

        # It may still be out there: no answer may change. Back, it learns that the rack is another's.
        with pytest.raises(ApiError) as refused:
            centre.request("PATCH", f"/api/machines/{machine['id']}/", {"ip": "10.77.1.200"})
        assert refused.value.status == 409
        worker.start()
        wait_until("w1 has learnt", lambda: cluster_of(worker, rack)["served_by"] == "centre", 30)
        wait_until("the fence falls", lambda: cluster_of(centre, rack)["fenced_until"] is None, 30)
        assert centre.request("PATCH", f"/api/machines/{machine['id']}/", {"ip": "10.77.1.200"})["ip"] == "10.77.1.200"
        centre.request("POST", f"/api/cluster/{rack['id']}/hand_back/")
        wait_until("w1 serves again", lambda: cluster_of(worker, rack)["served_by"] == "w1", 30)
        assert worker.machine(machine)["ip"] == "10.77.1.200"


def worker_beat(centre, name):
    """When it was last heard of, as seconds since 1970."""
    last = centre.get(f"/api/ims-worker/?worker_id={name}")[0]["last_heartbeat"]
    return datetime.datetime.fromisoformat(last).timestamp()
