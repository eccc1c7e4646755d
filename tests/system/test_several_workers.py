"""Two queues, two workers: each serves its share, and what belongs to the other's transfers gets there."""

import random
import time

import pytest
from appliance import POOL, Appliance, restart_dataplane, script, wait_until
from several_workers import Machines, mac_of

WORKERS = 2
MACHINES = 200


@pytest.fixture
def wide_rack(rack):
    script("appliance", "stop", check=False)
    script("rack", "down")
    script("rack", "up", "--queues", str(WORKERS))
    yield
    script("rack", "down")
    script("rack", "up")


@pytest.fixture(params=[None, f"dpdk:net_af_packet0,iface=rack0,qpairs={WORKERS}"], ids=["xdp", "dpdk"])
def several(wide_rack, tmp_path, request):
    """An appliance with a worker for each queue, and registered machines."""
    appliance = Appliance()
    config = tmp_path / "rouse.toml"
    config.write_text(f"[dataplane]\nworkers = {WORKERS}\n")
    appliance.start("--fresh", "--config", config, *(("--port", request.param) if request.param else ()))
    appliance.start_limit = 3 if request.param else 1
    appliance.post("/api/ip-pools/", POOL)
    appliance.machines = appliance.add_machines([mac_of(n) for n in range(MACHINES)])
    rack = Machines(MACHINES, 4 * WORKERS, tmp_path)
    yield appliance, rack
    appliance.stop()
    for name in ("mgmt", "dataplane"):
        print(f"--- {name} log ---\n{appliance.log(name)[-4000:]}")


def by_worker(appliance, name):
    return [appliance.metric(name, worker=worker) for worker in range(WORKERS)]


def test_two_hundred_machines_boot_from_two_workers(several):
    appliance, rack = several
    content = random.Random(7).randbytes(300_000)
    appliance.put_image("file", content)
    for path in rack.fetch("file"):
        assert path.read_bytes() == content, path
    assert sum(by_worker(appliance, "rouse_tftp_transfers_completed_total")) == MACHINES
    assert min(by_worker(appliance, "rouse_tftp_transfers_completed_total")) >= MACHINES / 4
    assert min(by_worker(appliance, "rouse_frames_received_total")) > MACHINES
    assert min(by_worker(appliance, "rouse_frames_handed_over_total")) > 0
    assert appliance.dropped("tftp_no_session") == 0
    assert appliance.dropped("handover_full") == 0
    assert appliance.metric("rouse_events_dropped_total") == 0
    # DHCP may be one worker's and TFTP the other's: the timeline is one, in order.
    for machine in appliance.machines[:20]:
        wait_until("its transfer on the timeline", lambda m=machine: "tftp_complete" in appliance.events(m))
        timeline = appliance.timeline(machine)
        assert [entry["time"] for entry in timeline] == sorted(entry["time"] for entry in timeline)
        events = [entry["event"] for entry in timeline]
        assert events.index("dhcp_ack") < events.index("tftp_request") < events.index("tftp_complete"), events


def test_a_killed_dataplane_serves_again_soon(several):
    appliance, rack = several
    appliance.put_image("file", b"x" * 1000)
    rack.count = 10
    rack.fetch("file")
    start = time.monotonic()
    restart_dataplane(appliance)
    wait_until("a first sign of life of both workers",
               lambda: max(by_worker(appliance, "rouse_dataplane_heartbeat_age_seconds")) < time.monotonic() - start,
               every=0.01)
    took = time.monotonic() - start
    for path in rack.fetch("file"):
        assert path.read_bytes() == b"x" * 1000
    assert sum(by_worker(appliance, "rouse_tftp_transfers_completed_total")) == 20
    print(f"both workers served {took:.3f} s after the start")
    assert took < appliance.start_limit
