"""DHCP clients of operating systems go through a lease's whole life."""

import pytest
from appliance import CLIENT_MAC, SERVER, on_client, wait_until
from os_clients import CLIENTS
from wire import Port


@pytest.fixture(params=CLIENTS, ids=lambda client: client.__name__.lower())
def client(request, tmp_path):
    on_client("ip", "address", "flush", "dev", "client0")
    client = request.param(tmp_path)
    yield client
    client.stop()
    on_client("ip", "address", "flush", "dev", "client0")
    log = tmp_path / "log"
    print(f"--- client ---\n{log.read_text(errors='replace')[-3000:] if log.exists() else ''}")


def has_settled(client, address):
    """The address first: a client that has not heard of it yet is as settled as it was with the one before."""
    wait_until(f"{address} is set, and noted", lambda: f"{address}/16" in on_client(
        "ip", "-4", "-br", "address", "show", "dev", "client0").stdout and client.settled())


def test_a_lease_from_its_first_day_to_its_last(appliance, client):
    machine = appliance.add_machine("client", CLIENT_MAC)
    with Port() as port:
        client.start()
        ack = port.story("discover", "offer", "selecting", "ack")[-1]
        assert ack.yiaddr == machine["ip"] and ack.server == SERVER
        has_settled(client, machine["ip"])

        client.renew()
        renewing, ack = port.story("renewing", "ack")
        assert (renewing.ciaddr, renewing.ip_destination) == (machine["ip"], SERVER)
        assert (ack.yiaddr, ack.ip_destination) == (machine["ip"], machine["ip"])

        if client.rebinds:
            client.rebind()
            rebinding, ack = port.story("rebinding", "ack")
            assert rebinding.ciaddr == ack.yiaddr == machine["ip"]

        if client.reboots:
            client.stop()
            client.start()
            request, ack = port.story("init-reboot", "ack")
            assert ack.yiaddr == machine["ip"]
            has_settled(client, machine["ip"])

            client.stop()
            moved = appliance.request("PATCH", f"/api/machines/{machine['id']}/", {"ip": "10.77.9.9"})
            client.start()
            nak = port.story("init-reboot", "nak")[-1]
            assert (nak.yiaddr, nak.ip_destination) == ("0.0.0.0", "255.255.255.255")
            assert port.story("discover", "offer", "selecting", "ack")[-1].yiaddr == moved["ip"] == "10.77.9.9"
            has_settled(client, moved["ip"])
            machine = moved

        client.release()
        assert port.story("release")[0].ciaddr == machine["ip"]
    events = wait_until("the release on the timeline", lambda: "dhcp_release" in appliance.events(machine) and
                        appliance.events(machine))
    assert ("dhcp_nak" in events) == client.reboots
