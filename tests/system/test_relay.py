"""Machines behind a router with a real relay agent (isc-dhcp-relay) get addresses of their own network, and files."""

import random

import pytest
from appliance import SERVER, wait_until, within
from os_clients import Udhcpc
from relay import FAR_MAC, FAR_POOL, LOWER, UPPER, Relay
from wire import AGENT, Port, ip_bytes


# The relay's own address is on the client's network; or it is not, and says which that is (RFC 3527).
@pytest.mark.parametrize("options, agent_address", [
    (("-a", "-iu", "up0", "-id", "down0"), LOWER), (("-i", "down0", "-U", "up0"), UPPER)], ids=["giaddr", "link-selection"])
def test_a_machine_behind_a_relay_leases_renews_and_fetches(appliance, tmp_path, options, agent_address):
    appliance.post("/api/ip-pools/", FAR_POOL)
    machine = appliance.add_machine("far", FAR_MAC, ip="10.78.1.7")
    content = random.Random(1).randbytes(1_000_001)
    appliance.put_image("far.img", content)

    with Relay(tmp_path, *options), Port("up0", "rouse-relay") as upper, Port("far0", "rouse-far") as lower:
        client = Udhcpc(tmp_path, "rouse-far", "far0")
        try:
            client.start()
            discover, offer, request, ack = upper.story("discover", "offer", "selecting", "ack")
            for asked, answer in ((discover, offer), (request, ack)):
                assert asked.giaddr == answer.giaddr == answer.ip_destination == agent_address
                assert answer.destination_port == 67 and answer.yiaddr == machine["ip"] and answer.server == SERVER
                assert answer.options[3] == ip_bytes(LOWER)
                assert asked.options[AGENT] and answer.options[AGENT] == asked.options[AGENT]  # RFC 3046 2.2
                assert list(answer.options)[-1] == AGENT
            ack = lower.story("ack")[0]
            assert ack.yiaddr == machine["ip"] and AGENT not in ack.options
            wait_until("it has a way to us", lambda: LOWER in within("rouse-far", "ip", "route", "show", "default").stdout)

            # Straight to the server, by way of the router; the relay, which overhears it, asks in its own name besides.
            client.renew()
            assert upper.hear(lambda message: message.type == "ack" and message.ip_destination == machine["ip"])

            for url in (f"tftp://{SERVER}/far.img", f"http://{SERVER}/boot/far.img"):
                fetched = within("rouse-far", "curl", "-sS", "-m", "10", "-o", tmp_path / "out", url, check=False)
                assert fetched.returncode == 0, f"{url}: {fetched.stderr}"
                assert (tmp_path / "out").read_bytes() == content

            client.release()
            upper.story("release")
        finally:
            client.stop()
    wait_until("the release on the timeline", lambda: "dhcp_release" in appliance.events(machine))
