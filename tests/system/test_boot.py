"""A real machine (SeaBIOS, iPXE ROM, Debian's kernel) boots from the appliance, whatever dies meanwhile."""

from appliance import VirtualMachine, on_client, script, wait_until

MAC = "52:54:00:77:00:01"


def in_order(events, *expected):
    """EXPECTED is a subsequence of EVENTS."""
    rest = iter(events)
    missing = [name for name in expected if name not in rest]
    assert not missing, f"{missing} not found in order in {events}"


def boot(appliance, machine, tmp_path, name="vm1"):
    vm = VirtualMachine(name, MAC, tmp_path)
    try:
        vm.wait()
    finally:
        vm.stop()
    return wait_until("agent home on the timeline", lambda: "agent_home" in appliance.events(machine) and
                      appliance.timeline(machine))


def test_netboots_and_tells_the_whole_story(appliance, ramdisk_profile, boot_files, tmp_path):
    machine = appliance.add_machine("node1", MAC, boot_profile="ramdisk")
    timeline = boot(appliance, machine, tmp_path)

    in_order([entry["event"] for entry in timeline], "dhcp_discover", "dhcp_offer", "dhcp_request", "dhcp_ack",
             "tftp_complete", "kernel_up", "agent_home")
    sent = {entry["details"].get("file"): entry for entry in timeline if entry["event"] == "tftp_complete"}
    for name, content in boot_files.items():
        assert sent[name]["details"]["bytes"] == len(content)
    machine = appliance.machine(machine)
    assert machine["status"] == "ACTIVE"
    assert machine["hardware"]["cpu"]["cores"] >= 1
    assert machine["hardware"]["interfaces"][0]["mac"] == MAC


def test_killing_the_management_plane_does_not_stop_a_boot(appliance, ramdisk_profile, tmp_path):
    machine = appliance.add_machine("node1", MAC, boot_profile="ramdisk")
    vm = VirtualMachine("vm1", MAC, tmp_path, "Linux version")
    try:
        wait_until("the machine asks for an address", lambda: "dhcp_discover" in appliance.events(machine), 60)
        appliance.kill("mgmt")
        vm.wait()
    finally:
        vm.stop()
    appliance.start()
    in_order(appliance.events(machine), "dhcp_discover", "dhcp_ack", "tftp_complete")
    assert appliance.machine(machine)["mac"] == MAC


def test_a_restarted_dataplane_boots_the_same_machine(appliance, ramdisk_profile, tmp_path):
    machine = appliance.add_machine("node1", MAC, boot_profile="ramdisk")
    vm = VirtualMachine("vm1", MAC, tmp_path)
    try:
        wait_until("the machine asks for an address", lambda: "dhcp_discover" in appliance.events(machine), 60)
        appliance.kill("dataplane")
        leftovers = on_client("ip", "-n", "rouse-appliance", "link", "show", "rack0").stdout
        assert "prog/xdp" not in leftovers, "the XDP program outlived its process"
    finally:
        vm.stop()
    before = appliance.machine(machine)
    appliance.start()
    assert appliance.machine(machine)["ip"] == before["ip"]
    boot(appliance, machine, tmp_path)
    assert appliance.machine(machine)["status"] == "ACTIVE"


def test_a_stranger_boots_nothing(appliance, ramdisk_profile):
    unknown = appliance.dropped("dhcp_unknown_machine")
    found = on_client("udhcpc", "-n", "-q", "-f", "-i", "client0", "-t", "2", "-T", "1", "-s", "/bin/true", check=False)
    assert found.returncode != 0
    assert appliance.dropped("dhcp_unknown_machine") >= unknown + 2
    assert script("appliance", "status").returncode == 0
