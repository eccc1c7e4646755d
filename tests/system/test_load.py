"""rouse-load, the rack of simulated machines, on the real port against the appliance."""

import json
import os

import pytest
from appliance import ROOT, on_client

FIRST_MAC = "52:54:00:ab:00:00"
FETCHING = "ipxe-bios,ipxe-efi,edk2,shim,grub,pxelinux,uboot,windowed"


def load(tmp_path, machines, *options, port="xdp:client0", status=0):
    """One run; its report. STATUS: how it is to exit."""
    report = tmp_path / "report.json"
    done = on_client(ROOT / "build" / "release" / "bin" / "rouse-load", "--port", port, "--machines", machines,
                     "--first-mac", FIRST_MAC, "--quiet", "--json", report, *options, check=False)
    assert done.returncode == status, done.stderr
    return json.loads(report.read_text())


def register(appliance, machines, **more):
    for number in range(machines):
        appliance.add_machine(f"load{number}", f"{FIRST_MAC[:-2]}{number:02x}", **more)


@pytest.mark.parametrize("kinds", ["ipxe-bios,udhcpc", "edk2,edk2-http"], ids=["answered alone", "answered by broadcast"])
def test_simulated_machines_come_up(appliance, tmp_path, kinds):
    machines = 40
    register(appliance, machines)
    came_to = load(tmp_path, machines, "--kind", kinds, "--resend-after", 5000)
    assert (came_to["exchanges"], came_to["failed"], came_to["unreadable"]) == (machines, 0, 0)


@pytest.mark.parametrize("size,loss", [(700_001, 0), (100_001, 0.01)], ids=["whole", "lossy"])
def test_simulated_machines_fetch_their_files(appliance, tmp_path, size, loss):
    machines = 32
    content = tmp_path / "kernel"
    content.write_bytes(os.urandom(size))
    appliance.put_image("load/kernel", content.read_bytes())
    register(appliance, machines)
    came_to = load(tmp_path, machines, "--kind", FETCHING, "--file", f"load/kernel={content}", "--drop-received", loss,
                   "--drop-sent", loss, "--drain", 100)
    assert (came_to["up"], came_to["corrupt"], came_to["failed"], came_to["broken"]) == (machines, 0, 0, 0)
    assert came_to["bytes"] == machines * size
    assert came_to["probes"] > 0 and came_to["misses"] > 0  # EDK2's sizes; the loaders' searches
    assert (came_to["dropped"] > 0) == (loss > 0)


def test_a_file_that_is_not_equal_is_told(appliance, tmp_path):
    appliance.put_image("load/other", b"not what it should be")
    expected = tmp_path / "expected"
    expected.write_bytes(b"something else")
    register(appliance, 4)
    came_to = load(tmp_path, 4, "--file", f"load/other={expected}", status=3)
    assert (came_to["up"], came_to["corrupt"]) == (0, 4)
    load(tmp_path, 4, "--file", f"load/other={expected}", "--allow-failures")


def test_dpdk_carries_simulated_machines(appliance, tmp_path):
    """By a driver that looks at client0: its frames are to the machines' hardware addresses, not to its own."""
    machines = 16
    content = os.urandom(300_001)
    for name in ("load/shim", "load/grub", "load/kernel"):
        appliance.put_image(name, content)
    register(appliance, machines)
    files = [option for name in ("load/shim", "load/grub", "load/kernel") for option in ("--file", name)]
    came_to = load(tmp_path, machines, "--kind", "edk2-shim-grub,rom-ipxe,rom-pxelinux,windowed", *files,
                   port="dpdk:net_af_packet0,iface=client0")
    assert (came_to["up"], came_to["corrupt"], came_to["unreadable"]) == (machines, 0, 0)
    assert came_to["exchanges"] == machines + machines // 4  # rom-ipxe leases anew
    assert came_to["bytes"] == machines * 3 * len(content)
