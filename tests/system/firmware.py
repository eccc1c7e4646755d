"""A machine of the rack is powered on with real firmware, and its timeline is read."""

import pathlib

from appliance import VirtualMachine, in_order, wait_until

MAC = "52:54:00:77:00:02"
IPXE = pathlib.Path("/usr/lib/ipxe")
IPXE_STARTS = "iPXE initialising devices"


def power_on(appliance, tmp_path, firmware, until, images, options=(), **profile):
    """Boots a machine until UNTIL is on its console, or, without it, until it switches itself off; returns it as it is
    registered. OPTIONS: further ones of the script."""
    for name, content in images.items():
        appliance.put_image(name, content.read_bytes() if isinstance(content, pathlib.Path) else content)
    appliance.post("/api/boot-profiles/", {"name": "test", **profile})
    machine = appliance.add_machine("node", MAC, boot_profile="test")
    vm = VirtualMachine("vm2", MAC, tmp_path, until, 480, "--firmware", firmware, *options)
    try:
        vm.wait()
    finally:
        vm.stop()
        print("--- timeline ---", *story(appliance, machine), sep="\n")
    assert appliance.machine(machine)["status"] != "ERROR"
    return machine


def story(appliance, machine):
    """What happened and to what, such as "tftp_complete boot.ipxe"; a DISCOVER by whom."""
    def to_what(details):
        return details.get("file") or details.get("boot_file") or details.get("client") or ""
    return [f"{entry['event']} {to_what(entry['details'])}".strip() for entry in appliance.timeline(machine)]


def told(appliance, machine, *expected):
    """Waits until the timeline has the last of EXPECTED, and finds them all in order."""
    wait_until(f"{expected[-1]} on the timeline", lambda: expected[-1] in story(appliance, machine), 10)
    in_order(story(appliance, machine), *expected)
