"""Boot files for those who are not a registered machine on IPv4: guests, and machines by HTTP over IPv6."""

import os

import pytest
from appliance import CLIENT_MAC, POOL, VirtualMachine, on_client, wait_until

GUEST_MAC = "52:54:00:77:00:09"


@pytest.fixture
def client_address(rack0_ipv6, appliance):
    """client0 is a registered machine and has its IPv6 address."""
    appliance.request("PATCH", f"/api/ip-pools/{appliance.pool['id']}/", {"cidr6": "fd00:77::/64"})
    address = appliance.add_machine("node", CLIENT_MAC)["ip6"]
    on_client("ip", "address", "add", f"{address}/64", "dev", "client0", "nodad")
    on_client("ip", "address", "add", "fd00:77::bad/64", "dev", "client0", "nodad")
    yield address
    for one in (address, "fd00:77::bad"):
        on_client("ip", "address", "del", f"{one}/64", "dev", "client0")


def fetch(name, source, *options):
    return on_client("curl", "-g", "-sS", "-f", "--max-time", "20", "--interface", source, *options,
                     f"http://[fd00:77::1]/boot/{name}", check=False)


def test_http_over_ipv6_serves_machines_and_nobody_else(client_address, appliance, tmp_path):
    content = os.urandom(3_000_001)
    appliance.put_image("deb/linux", content)
    got = tmp_path / "got"
    done = wait_until("the neighbour answers", lambda: fetch("deb/linux", client_address, "-o", str(got)).returncode == 0)
    assert done and got.read_bytes() == content
    assert fetch("deb/linux", client_address, "-r", "10-19", "-o", str(got)).returncode == 0
    assert got.read_bytes() == content[10:20]
    assert fetch("deb/linux", "fd00:77::bad").returncode == 22, "404: a stranger"


def test_a_guest_boots_what_its_network_names(appliance, boot_files, tmp_path):
    for name, content in boot_files.items():
        appliance.put_image(name, content)
    appliance.post("/api/boot-profiles/", {"name": "live", "kernel": "vmlinuz", "initrds": ["initrd.img"],
                                           "cmdline": "console=ttyS0 on={{server}}"})
    appliance.request("PUT", f"/api/ip-pools/{appliance.pool['id']}/",
                      {**POOL, "unknown_machines": "serve", "boot_profile": "live"})
    vm = VirtualMachine("guest", GUEST_MAC, tmp_path, "Kernel command line.*on=10.77.0.1 BOOTIF=01-52-54-00-77-00-09", 240)
    try:
        vm.wait()
    finally:
        vm.stop()
    assert "rouse.token" not in vm.console()
    begun = sum(appliance.metric(f"rouse_tftp_images_{how}_total") for how in ("resident", "staged", "streamed"))
    assert begun >= 2, "kernel and ramdisk"
    assert appliance.metric("rouse_transfer_bytes_per_second_count", protocol="tftp") >= 2
    assert appliance.metric("rouse_transfer_rated_bytes_total", protocol="tftp") >= sum(map(len, boot_files.values()))
