"""The disk is full, or read only: rouse-mgmt says so, loses nothing, serves reads, and goes on when there is room again."""

import contextlib
import subprocess

import pytest
from mgmt_process import POOL, Management, Refused

DISK_MIB = 24


@pytest.fixture
def server(tmp_path):
    """rouse-mgmt with its state on a small disk of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "rouse-test", disk], check=True)
    server = Management(tmp_path)
    server.state = disk / "state"
    try:
        server.start()
        server.request("POST", "/api/ip-pools/", POOL)
        yield server
    finally:
        server.stop()
        print(server.log())
        subprocess.run(["umount", disk], check=True)


def register(server, first, count):
    """Machines by id; as many as are taken, and the refusal of the next."""
    machines = {}
    for number in range(first, first + count):
        try:
            made = server.request("POST", "/api/machines/", {
                "hostname": f"n{number}", "mac": f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}"})
        except Refused as refused:
            return machines, refused
        machines[made["id"]] = made
    return machines, None


def fill(path):
    with contextlib.suppress(OSError), open(path, "wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(4096))


def listed(server):
    return {one["id"]: one for one in server.get("/api/machines/")}


def test_a_full_disk_loses_nothing_and_is_left_behind_without_a_restart(server):
    machines, refused = register(server, 0, 50)
    assert refused is None
    ballast = server.state.parent / "ballast"
    fill(ballast)

    more, refused = register(server, 50, 500)
    machines |= more
    assert refused.status == 507
    assert "free some disk space" in refused.body["detail"]
    some = next(iter(machines))
    with contextlib.suppress(Refused):  # what fits into free pages of the store may go through, and then it counts
        machines[some] = server.request("PATCH", f"/api/machines/{some}/", {"cpu_cores": 7})
    assert listed(server) == machines, "reads go on, and nothing of what was refused stays"
    disk = server.health()["disk"]
    assert disk["status"] == "failing" and "free some space" in disk["detail"]

    server.kill()
    server.start()
    assert listed(server) == machines, "a start on a full disk"

    ballast.unlink()
    more, refused = register(server, 1000, 50)
    assert refused is None, "there is room again"
    machines |= more
    machines[some] = server.request("PATCH", f"/api/machines/{some}/", {"cpu_cores": 8})
    server.kill()
    server.start()
    assert listed(server) == machines


def test_a_read_only_disk_is_refused_with_a_way_out(server):
    machines, _ = register(server, 0, 5)
    disk = server.state.parent
    server.kill()
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(AssertionError, match="did not stay up") as told:
        server.start()
    assert "Read-only file system" in str(told.value) and "writable" in str(told.value)
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    server.start()
    assert listed(server) == machines
