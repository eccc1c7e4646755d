"""What no client of an operating system does when it is asked to: single DHCP messages, and the answers."""

import pytest
from appliance import CLIENT_MAC, PORT, SERVER, SERVER_MAC, on_appliance, on_client, wait_until
from os_clients import Udhcpc
from wire import CLASS, CLIENT_ID, LEASE_TIME, PXE, REQUESTED, SERVER_ID, Message, Port, ip_bytes

MAC = "02:00:5e:20:00:01"


@pytest.fixture
def port():
    with Port() as port:
        yield port


@pytest.fixture
def machine(appliance):
    """Known to the allow-list too, where the port has one: of a stranger it lets two frames pass, then one in 2 s."""
    machine = appliance.add_machine("node", MAC)
    if not (PORT or "").startswith("dpdk"):
        wait_until("the allow-list knows the machine", lambda: appliance.metric("rouse_allow_list_machines") == 1)
    return machine


def request(xid, address, **more):
    """As in INIT-REBOOT."""
    return Message("request", MAC, xid, options={REQUESTED: ip_bytes(address), **more.pop("options", {})}, **more)


def test_a_wrong_address_is_refused_to_a_system_and_passed_over_in_silence_for_firmware(appliance, machine, port):
    nak = port.ask(request(1, "10.77.9.9"))
    assert (nak.type, nak.server, nak.yiaddr) == ("nak", SERVER, "0.0.0.0")
    # Some firmware takes a NAK for the end of it and boots from its disk: it starts over by itself after silence.
    assert port.ask(request(2, "10.77.9.9", options=PXE), seconds=1) is None
    assert port.ask(request(3, machine["ip"], options=PXE)).type == "ack"
    wait_until("the silence on the timeline", lambda: "dhcp_ignored" in appliance.events(machine))


def test_who_chose_another_server_hears_nothing_from_us(appliance, machine, port):
    other = request(4, machine["ip"], options={SERVER_ID: ip_bytes("10.77.0.250")})
    assert port.ask(other, seconds=1) is None
    assert appliance.dropped("dhcp_other_server") == 1


def test_inform_gives_parameters_and_no_lease(machine, port):
    on_client("ip", "address", "replace", f"{machine['ip']}/16", "dev", "client0")
    try:
        inform = Message("inform", MAC, 5, ciaddr=machine["ip"], ip_source=machine["ip"], options={CLIENT_ID: b"\x01me"})
        ack = port.ask(inform)
    finally:
        on_client("ip", "address", "flush", "dev", "client0")
    assert (ack.type, ack.yiaddr, ack.ip_destination) == ("ack", "0.0.0.0", machine["ip"])
    assert LEASE_TIME not in ack.options and 58 not in ack.options  # lease and renewal times (RFC 2131 4.3.5)
    assert ack.options[6] == ip_bytes(SERVER) and ack.options[CLIENT_ID] == b"\x01me"


def test_release_and_decline_are_told_and_get_no_answer(appliance, machine, port):
    for kind, fields in {"release": {"ciaddr": machine["ip"]}, "decline": {"options": {REQUESTED: ip_bytes(machine["ip"])}}}.items():
        fields.setdefault("options", {})[SERVER_ID] = ip_bytes(SERVER)
        assert port.ask(Message(kind, MAC, 6, **fields), seconds=0.5) is None
        wait_until(f"a {kind} on the timeline", lambda: f"dhcp_{kind}" in appliance.events(machine))


def test_udhcpc_declines_an_address_that_another_host_has(appliance, tmp_path, port):
    machine = appliance.add_machine("client", CLIENT_MAC)
    on_client("ip", "address", "flush", "dev", "client0")
    on_appliance("ip", "address", "add", f"{machine['ip']}/32", "dev", "rack0")  # its kernel answers for it
    client = Udhcpc(tmp_path)
    try:
        client.start("-a300")  # asks by ARP, and waits so many milliseconds
        decline = port.story("discover", "offer", "selecting", "ack", "decline")[-1]
        assert decline.options[REQUESTED] == ip_bytes(machine["ip"]) and decline.server == SERVER
    finally:
        client.stop()
        on_appliance("ip", "address", "del", f"{machine['ip']}/32", "dev", "rack0")
    wait_until("the machine's word on the timeline", lambda: "dhcp_decline" in appliance.events(machine))


def test_the_boot_server_on_port_4011_says_what_to_boot_and_gives_no_address(appliance, port):
    """PXE 2.1 2.2.4: asked by a client that has its address, from that address."""
    appliance.post("/api/boot-profiles/", {"name": "grub", "loaders": {"x64-uefi": "grubx64.efi"}})
    machine = appliance.add_machine("node", MAC, boot_profile="grub")
    ack = port.ask(Message("request", MAC, 7, ciaddr=machine["ip"], ip_source=machine["ip"], ip_destination=SERVER,
                           mac_destination=SERVER_MAC, source_port=4011, destination_port=4011, options=PXE))
    assert (ack.type, ack.yiaddr, ack.file, ack.siaddr) == ("ack", "0.0.0.0", "grubx64.efi", SERVER)
    assert (ack.ip_destination, ack.source_port, ack.destination_port) == (machine["ip"], 4011, 4011)
    assert ack.options[CLASS] == b"PXEClient" and LEASE_TIME not in ack.options


def test_one_address_whatever_the_client_calls_itself(machine, port):
    """Firmware, loader and system of one boot send different identifiers, or none."""
    for xid, options in enumerate([{}, PXE, {CLIENT_ID: b"\x01" + bytes(6)}, {CLIENT_ID: b"\xff" + bytes(18), CLASS: b"udhcp"}], 10):
        offer = port.ask(Message("discover", MAC, xid, options=options))
        assert offer.yiaddr == machine["ip"]
        assert offer.options.get(CLIENT_ID) == options.get(CLIENT_ID)  # RFC 6842
