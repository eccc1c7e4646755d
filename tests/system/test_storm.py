"""Many clients at once, wanted and unwanted: perfdhcp's storms lose nothing at the server, starvation starves nobody."""

import random

from appliance import on_client, spawn, wait_until
from wire import Message, Port, mac_text

MACHINES = 1000


def count_mac(base, number):
    return mac_text((base << 24 | number).to_bytes(6, "big"))


def test_perfdhcp_is_answered_message_by_message(appliance):
    base = 0x000C01
    appliance.add_machines(count_mac(base, i) for i in range(MACHINES))
    clients = ("-4", "-l", "client0", "-b", "mac=" + count_mac(base, 0), "-R", MACHINES)
    on_client("ip", "address", "replace", "10.77.255.1/16", "dev", "client0")  # it asks as a relay with this address
    try:
        # Its exit code tells what its own socket lost, too: the server's counters are the judge.
        on_client("perfdhcp", *clients, "-r", 1000, "-p", 1, check=False)
        # All of them in one moment, and again whom its own socket lost the answer of, until everybody has an address.
        avalanche = on_client("perfdhcp", *clients, "--scenario", "avalanche", timeout=60).stdout
    finally:
        on_client("ip", "address", "flush", "dev", "client0")
    assert f"to provision {MACHINES} clients" in avalanche
    resent = int(avalanche.split("Requests resent: ")[1].split()[0])

    def sent():
        return appliance.metric("rouse_dhcp_discovers_total") + appliance.metric("rouse_dhcp_requests_total")
    wait_until("everything is counted", lambda: sent() >= 2 * MACHINES + resent)
    assert sent() > 3 * MACHINES + resent  # the steady rate, besides the avalanche
    for asked, answered in (("discovers", "offers"), ("requests", "acks")):
        assert appliance.metric(f"rouse_dhcp_{asked}_total") == appliance.metric(f"rouse_dhcp_{answered}_total")
    assert appliance.metric("rouse_drops_total") == 0
    assert appliance.metric("rouse_events_dropped_total") == 0


def test_starvation_drains_nothing_and_keeps_nobody_waiting(appliance):
    machine = appliance.add_machine("node", "02:00:5e:20:00:01")
    before = appliance.get("/api/leases/")
    generator = random.Random(5)
    strangers = [Message("discover", mac_text(b"\x02" + generator.randbytes(5)), xid).frame() for xid in range(2000)]
    tool = spawn("rouse-client", "dhcpstarv", "-i", "client0")
    try:
        with Port() as port:
            for round_ in range(20):
                for frame in strangers[round_ * 100:round_ * 100 + 100]:
                    port.socket.send(frame)
                offer = port.ask(Message("discover", machine["mac"], 0x10000 + round_), seconds=0.5)
                assert offer and offer.yiaddr == machine["ip"]
        # What a stranger sends beyond a trickle ends in the driver; what reached the worker was counted there.
        wait_until("all of it is counted", lambda: appliance.metric("rouse_xdp_frames_total", action="dropped_stranger") +
                   appliance.metric("rouse_xdp_frames_total", action="dropped_flood") +
                   appliance.dropped("dhcp_unknown_machine") >= len(strangers), 10)
        assert tool.poll() is None
    finally:
        tool.terminate()
        tool.wait(10)
    assert appliance.get("/api/leases/") == before
