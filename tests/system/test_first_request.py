"""How long a machine waits between its first DISCOVER and its first request for a file."""

from datetime import datetime

from appliance import VirtualMachine, wait_until

MAC = "52:54:00:77:00:02"


def first(timeline, event):
    return min(datetime.fromisoformat(entry["time"]) for entry in timeline if entry["event"] == event)


def test_the_stock_ipxe_rom_asks_for_its_file_within_a_second(appliance, tmp_path):
    """Without option 175.176 it waits 2 s for a proxy's offer, without an answer to its Router Solicitation 16 s."""
    appliance.put_image("loader", b"#!ipxe\nsleep 60\n")
    appliance.post("/api/boot-profiles/", {"name": "loader", "loaders": {"bios": "loader"}})
    machine = appliance.add_machine("node2", MAC, boot_profile="loader")
    vm = VirtualMachine("vm2", MAC, tmp_path)
    try:
        wait_until("the machine asks for a file", lambda: "tftp_request" in appliance.events(machine), 90)
    finally:
        vm.stop()
    timeline = appliance.timeline(machine)
    waited = first(timeline, "tftp_request") - first(timeline, "dhcp_discover")
    print(f"first DISCOVER to first RRQ: {waited.total_seconds():.3f} s")
    assert waited.total_seconds() < 1
