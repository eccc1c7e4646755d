"""A real machine (SeaBIOS, iPXE ROM, Debian's kernel) boots from the appliance, whatever dies meanwhile."""

from appliance import VirtualMachine, in_order, on_client, script, seconds_between, wait_until

MAC = "52:54:00:77:00:01"


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
    # The ROM waits for an IPv6 router, 16 seconds when there is none to be heard.
    assert seconds_between(timeline, "dhcp_discover", "tftp_request") < 1
    sent = {entry["details"].get("file"): entry for entry in timeline if entry["event"] == "tftp_complete"}
    for name, content in boot_files.items():
        assert sent[name]["details"]["bytes"] == len(content)
    machine = appliance.machine(machine)
    assert machine["status"] == "ACTIVE"
    assert machine["hardware"]["cpu"]["cores"] >= 1
    assert machine["hardware"]["interfaces"][0]["mac"] == MAC


def test_killing_the_management_plane_does_not_stop_a_boot(appliance, ramdisk_profile, tmp_path):
    machine = appliance.add_machine("node1", MAC, boot_profile="ramdisk")
    vm = VirtualMachine("vm1", MAC, tmp_path)
    try:
        wait_until("the machine asks for an address", lambda: "dhcp_discover" in appliance.events(machine), 60)
        appliance.kill("mgmt")
        # Kernel and ramdisk come all the same; the agent then knocks until somebody opens.
        wait_until("the ramdisk runs", lambda: "rouse: agent starts" in vm.console(), 120)
        assert "agent home" not in vm.console()
        appliance.start()
        vm.wait()
    finally:
        vm.stop()
    wait_until("the machine is in service", lambda: appliance.machine(machine)["status"] == "ACTIVE")
    in_order(appliance.events(machine), "dhcp_discover", "dhcp_ack", "tftp_complete", "kernel_up", "agent_home")


def test_a_restarted_dataplane_boots_the_same_machine(appliance, ramdisk_profile, tmp_path):
    machine = appliance.add_machine("node1", MAC, boot_profile="ramdisk")
    vm = VirtualMachine("vm1", MAC, tmp_path)
    try:
        wait_until("the machine asks for an address", lambda: "dhcp_discover" in appliance.events(machine), 60)
        appliance.kill("dataplane")
        wait_until("the XDP program goes with its process", lambda: "prog/xdp" not in on_client(
            "ip", "-n", "rouse-appliance", "link", "show", "rack0").stdout, 10)
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
