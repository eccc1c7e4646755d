"""Beside another DHCP server (dnsmasq): noticed where it has no business, worked with where it gives the addresses."""

import pytest
from appliance import CLIENT_MAC, SERVER, SERVER_MAC, on_client, wait_until
from firmware import IPXE, IPXE_STARTS, power_on, told
from foreign_server import ADDRESS, ForeignServer
from wire import REQUESTED, SERVER_ID, Message, Port, ip_bytes

MAC = "02:00:5e:20:00:01"
ROGUE, ROGUE_MAC = "10.77.0.66", "02:66:00:00:00:66"


def rogue_offer(client):
    """Broadcast, as servers do where their client asks for it."""
    return Message("offer", client, 1, yiaddr="10.77.9.9", options={SERVER_ID: ip_bytes(ROGUE)}, ip_source=ROGUE,
                   mac_source=ROGUE_MAC, source_port=67, destination_port=68)


def test_another_server_on_our_network_is_noticed(appliance, tmp_path):
    appliance.add_machine("node", MAC)
    with ForeignServer(tmp_path), Port() as port:
        port.send(Message("discover", MAC, 1))
        offer = port.hear(lambda message: message.type == "offer" and message.server == ADDRESS)
        assert offer, "the other server says nothing"
        chosen = {REQUESTED: ip_bytes(offer.yiaddr), SERVER_ID: offer.options[SERVER_ID]}
        port.send(Message("request", MAC, 1, options=chosen))
        assert port.hear(lambda message: message.type == "ack").server == ADDRESS  # and not ours
    wait_until("it is counted", lambda: appliance.metric("rouse_dhcp_foreign_total") > 0)


def test_an_offer_of_another_server_is_on_the_machines_timeline(appliance):
    machine = appliance.add_machine("node", MAC)
    with Port() as port:
        port.send(rogue_offer(MAC))
    entry = wait_until("the other server on the timeline", lambda: next(
        (entry for entry in appliance.timeline(machine) if entry["event"] == "dhcp_foreign_server"), None))
    assert entry["details"] == {"ip": ROGUE, "mac": ROGUE_MAC}
    assert "another DHCP server" in appliance.log("mgmt")
    assert appliance.metric("rouse_dhcp_foreign_total") == 1


def test_an_offer_to_this_host_reaches_its_kernel(appliance):
    """The host's own DHCP client misses nothing, and needs no warning."""
    with Port() as port, Port("rack0", "rouse-appliance") as kernel:
        port.send(rogue_offer(SERVER_MAC))
        heard = kernel.hear(lambda message: message.type == "offer")
        assert heard and heard.server == ROGUE
    assert appliance.metric("rouse_dhcp_foreign_total") == 0


@pytest.mark.parametrize("firmware, loader, image, sign_of_life", [
    ("bios", "bios", "undionly.kpxe", "UNDI code segment"), ("uefi", "x64-uefi", "snponly.efi", IPXE_STARTS)])
def test_firmware_gets_its_address_there_and_its_loader_from_us(appliance, tmp_path, firmware, loader, image, sign_of_life):
    appliance.request("PATCH", f"/api/ip-pools/{appliance.pool['id']}/", {"mode": "proxy"})
    with ForeignServer(tmp_path) as other:
        machine = power_on(appliance, tmp_path, firmware, sign_of_life, {image: IPXE / image}, loaders={loader: image})
        assert machine["mac"] in other.leases.read_text()
    told(appliance, machine, f"dhcp_offer {image}", f"tftp_complete {image}")


def test_a_machine_with_an_address_from_there_is_served_by_http_and_a_stranger_is_not(appliance):
    """Both protocols know it by its hardware address: we gave it no other."""
    appliance.request("PATCH", f"/api/ip-pools/{appliance.pool['id']}/", {"mode": "proxy"})
    appliance.put_image("file", b"content")
    on_client("ip", "address", "add", "10.77.250.9/16", "dev", "client0")
    try:
        def fetch(scheme, folder):
            return on_client("curl", "-sS", "-f", "--max-time", "5", "--interface", "10.77.250.9",
                             f"{scheme}://{SERVER}{folder}/file", check=False)
        assert fetch("http", "/boot").returncode == 22, "404: a stranger"
        appliance.add_machine("node", CLIENT_MAC)
        assert fetch("http", "/boot").stdout == "content"
        assert fetch("tftp", "").stdout == "content"
    finally:
        on_client("ip", "address", "del", "10.77.250.9/16", "dev", "client0")
