"""Machines that nobody registered, on a network that serves them: one fast OFFER, renewals, release, quarantine; and
DHCP switched off."""

import re

import pytest
from appliance import INTERFACE, POOL, ApiError, on_client, wait_until

GUEST_MAC = "02:00:5e:99:00:01"
SERVER_MAC = "02:00:5e:00:00:01"


@pytest.fixture
def serving(appliance):
    """The pool serves strangers, and client0 is one."""
    appliance.request("PUT", f"/api/ip-pools/{appliance.pool['id']}/", {**POOL, "unknown_machines": "serve", "lease_seconds": 60})
    on_client("ip", "link", "set", "client0", "down")
    before = re.search(r"link/ether (\S+)", on_client("ip", "link", "show", "client0").stdout)[1]
    on_client("ip", "link", "set", "client0", "address", GUEST_MAC, "up")
    yield appliance
    on_client("ip", "address", "flush", "dev", "client0")
    on_client("ip", "link", "set", "client0", "down")
    on_client("ip", "link", "set", "client0", "address", before, "up")


@pytest.fixture
def hook(tmp_path):
    """udhcpc's script: takes the address, says what happened."""
    path = tmp_path / "udhcpc.sh"
    path.write_text('#!/bin/sh\ncase "$1" in bound|renew) ip address replace $ip/$mask dev $interface;; esac\n'
                    'echo "$1 ip=$ip lease=$lease"\n')
    path.chmod(0o755)
    return path


def lease_of(appliance, mac):
    leases = appliance.get(f"/api/leases/?mac_address={mac}")
    return leases[0] if leases else None


def lease(hook, *options, check=True):
    return on_client("busybox", "udhcpc", "-n", "-q", "-f", "-i", "client0", "-t", "3", "-T", "2", "-s", hook, *options,
                     check=check)


def conversation(script):
    """Runs a scapy script on the client, with `client`, an exchange that keeps what it heard and when."""
    return on_client("/usr/bin/python3", "-c", CONVERSATION + script).stdout


CONVERSATION = f"""
import time
from scapy.all import BOOTP, DHCP, IP, UDP, AsyncSniffer, Ether, sendp
def message(kind, mac, xid, *options, ciaddr="0.0.0.0"):
    chaddr = bytes.fromhex(mac.replace(":", ""))
    return (Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67)
            / BOOTP(op=1, chaddr=chaddr, xid=xid, ciaddr=ciaddr, flags=0x8000)
            / DHCP(options=[("message-type", kind), *options, "end"]))
def ask(frame, seconds=2):
    heard = []
    sniffer = AsyncSniffer(iface="client0", filter="udp and src port 67", prn=heard.append, store=False)
    sniffer.start()
    time.sleep(0.5)
    began = time.time()
    sendp(frame, iface="client0", verbose=False)
    end = time.monotonic() + seconds
    while not heard and time.monotonic() < end:
        time.sleep(0.002)
    sniffer.stop()
    return [(float(p.time) - began, p[BOOTP].yiaddr, dict(o for o in p[DHCP].options if isinstance(o, tuple))) for p in heard]
"""


def test_a_stranger_gets_one_fast_offer(serving):
    out = conversation(f"""
for n in range(20):
    took, address, options = ask(message("discover", "02:00:5e:98:00:%02x" % n, 100 + n))[0]
    assert options["message-type"] == 2, options
    print("took", took)
""")
    took = sorted(float(word) for word in re.findall(r"took (\S+)", out))
    assert len(took) == 20
    print("DISCOVER to OFFER, s:", took)
    assert took[10] < 0.1 and took[0] < 0.05
    assert serving.dropped("dhcp_lease_timeout") == 0


def test_a_guest_renews_releases_and_gets_the_same_again(serving, hook):
    first = re.search(r"bound ip=(\S+) lease=(\d+)", lease(hook).stdout)
    assert first, "no lease"
    held = wait_until("the lease", lambda: (found := lease_of(serving, GUEST_MAC)) and found["binding_state"] == "active" and found)
    assert held["ip_address"] == first[1] and held["lease_end"] and held["hostname"] is None
    assert serving.get(f"/api/ip-pools/{serving.pool['id']}/")["guests"] == 1

    assert f"ip={first[1]}" in lease(hook, "-r", first[1]).stdout
    out = conversation(f"""
renewed = ask(message("request", "{GUEST_MAC}", 5, ciaddr="{first[1]}"))[0][2]
print("renewed", renewed["message-type"], renewed["lease_time"])
sendp(message("release", "{GUEST_MAC}", 6, ("server_id", "10.77.0.1"), ciaddr="{first[1]}"), iface="client0", verbose=False)
""")
    assert "renewed 5 60" in out
    wait_until("the release", lambda: lease_of(serving, GUEST_MAC)["binding_state"] == "released")
    assert f"bound ip={first[1]}" in lease(hook).stdout

    with pytest.raises(ApiError):
        serving.request("DELETE", "/api/leases/10.77.0.99/")
    serving.request("DELETE", f"/api/leases/{first[1]}/")
    assert lease_of(serving, GUEST_MAC)["binding_state"] == "released"


def test_both_processes_may_die(serving, hook):
    first = re.search(r"bound ip=(\S+)", lease(hook).stdout)[1]
    wait_until("the lease", lambda: lease_of(serving, GUEST_MAC)["binding_state"] == "active")
    for name in ("mgmt", "dataplane"):
        serving.kill(name)
    serving.start()
    assert lease_of(serving, GUEST_MAC)["ip_address"] == first
    assert f"bound ip={first}" in lease(hook).stdout


def test_a_declined_address_is_set_aside(serving):
    out = conversation(f"""
mac = "{GUEST_MAC}"
took, address, options = ask(message("discover", mac, 7))[0]
print("first", address)
ask(message("request", mac, 7, ("requested_addr", address), ("server_id", "10.77.0.1")))
sendp(message("decline", mac, 8, ("requested_addr", address), ("server_id", "10.77.0.1")), iface="client0", verbose=False)
time.sleep(1)
took, other, options = ask(message("discover", mac, 9))[0]
print("second", other)
""")
    first, second = re.search(r"first (\S+)", out)[1], re.search(r"second (\S+)", out)[1]
    assert first != second
    aside = serving.get(f"/api/leases/{first}/")
    assert aside["binding_state"] == "abandoned" and aside["next_binding_state"] == "expired"
    assert [one["id"] for one in serving.get("/api/leases/?binding_state=abandoned")] == [first]


def test_a_registered_machine_that_declines_gets_another(serving):
    machine = serving.add_machine("client", GUEST_MAC)
    conversation(f"""
mac = "{GUEST_MAC}"
took, address, options = ask(message("discover", mac, 7))[0]
assert address == "{machine['ip']}", address
sendp(message("decline", mac, 8, ("requested_addr", address), ("server_id", "10.77.0.1")), iface="client0", verbose=False)
""")
    wait_until("its news", lambda: "address_replaced" in serving.events(machine))
    assert serving.machine(machine)["ip"] != machine["ip"]
    assert serving.get(f"/api/leases/{machine['ip']}/")["binding_state"] == "abandoned"


def test_switched_off_dhcp_is_silent_at_once(serving, hook):
    assert serving.get("/api/dhcp-config/")["enabled"] is True
    config = serving.request("PATCH", "/api/dhcp-config/", {"enabled": False})
    assert config["enabled"] is False and config["tftp_port"] == 69 and config["bind_interface"] == INTERFACE
    assert lease(hook, check=False).returncode != 0
    assert serving.dropped("dhcp_disabled") > 0
    serving.request("PATCH", "/api/dhcp-config/", {"enabled": True})
    assert "bound ip=" in lease(hook).stdout


def test_a_registered_guest_keeps_its_address(serving, hook):
    first = re.search(r"bound ip=(\S+)", lease(hook).stdout)[1]
    wait_until("the lease", lambda: lease_of(serving, GUEST_MAC)["binding_state"] == "active")
    assert serving.add_machine("client", GUEST_MAC)["ip"] == first
