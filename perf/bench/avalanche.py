"""Thousands of machines at once, by a client that is not ours: perfdhcp. What it loses itself is not the server's:
the server's own counters judge."""

import re
import subprocess

from rack import CLIENT, in_rack
from results import Result
from servers import Rouse, macs

FIRST_MAC = "00:0c:01:02:00:00"  # it counts up each octet by itself, without a carry: so from zero


def perfdhcp(clients):
    """Runs it; how many messages it sent."""
    subprocess.run(in_rack("client", "ip", "address", "replace", f"{CLIENT}/16", "dev", "client0"), check=True)
    try:
        done = subprocess.run(
            in_rack("client", "perfdhcp", "-4", "-l", "client0", "--scenario", "avalanche", "-R", clients, "-b",
                    f"mac={FIRST_MAC}", "-g", "single"),
            capture_output=True, text=True, timeout=120)
    finally:
        subprocess.run(in_rack("client", "ip", "address", "flush", "dev", "client0"), check=True)
    sent = re.search(r"Requests sent \+ resent: (\d+)", done.stdout)
    if not sent:
        raise RuntimeError(f"perfdhcp did not finish:\n{done.stdout}\n{done.stderr}")
    return int(sent[1])


def bench(quick, say):
    clients = 1000 if quick else 5000
    say(f"DHCP: {clients} machines at once, perfdhcp")
    with Rouse(macs(FIRST_MAC, clients)) as server:
        before = server.counters()
        sent = perfdhcp(clients)
        after = server.counters()

    def counted(metric, *labels):
        return int(sum(value - before.get(name, 0) for name, value in after.items()
                       if name.partition("{")[0] == metric and all(label in name for label in labels)))

    asked = counted("rouse_dhcp_discovers_total") + counted("rouse_dhcp_requests_total")
    answered = counted("rouse_dhcp_offers_total") + counted("rouse_dhcp_acks_total")
    lost = sum(counted("rouse_drops_total", f'reason="{reason}"')
               for reason in ("receive_lost", "transmit_no_frame", "transmit_ring_full"))
    served = counted("rouse_dhcp_acks_total") >= clients
    missing = max(sent - asked, 0) + max(asked - answered, 0) + lost
    return [Result("dhcp/avalanche/lost_at_server", missing, "messages", wanted=f"0 of {clients} machines",
                   reached=missing == 0 and served,
                   note=f"perfdhcp sent {sent} messages, resent ones included; the server read {asked}, "
                        f"answered {answered}")]
