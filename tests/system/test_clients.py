"""Ordinary clients in the rack's client namespace get what they ask for, byte for byte."""

import os
import random

import pytest
from appliance import CLIENT_MAC, SERVER, on_client, wait_until


@pytest.fixture
def leased(appliance, tmp_path):
    """client0 is a registered machine and has leased its address with udhcpc, a real client."""
    machine = appliance.add_machine("client", CLIENT_MAC)
    hook = tmp_path / "udhcpc.sh"
    hook.write_text('#!/bin/sh\n[ "$1" = bound ] || exit 0\nip address flush dev $interface\n'
                    'ip address add $ip/$mask dev $interface\necho "ip=$ip mask=$mask router=$router dns=$dns lease=$lease"\n')
    hook.chmod(0o755)
    on_client("ip", "address", "flush", "dev", "client0")
    answer = on_client("busybox", "udhcpc", "-n", "-q", "-f", "-i", "client0", "-t", "5", "-T", "1", "-s", hook)
    machine["lease"] = dict(word.split("=", 1) for word in answer.stdout.split() if "=" in word)
    yield machine
    on_client("ip", "address", "flush", "dev", "client0")


def content_of(size, seed=1):
    return random.Random(seed).randbytes(size)


def test_udhcpc_leases_the_planned_address(appliance, leased):
    assert leased["lease"] == {"ip": leased["ip"], "mask": "16", "router": SERVER, "dns": SERVER, "lease": "3600"}
    wait_until("an ACK on the timeline", lambda: "dhcp_ack" in appliance.events(leased))


@pytest.mark.parametrize("window", [1, 16, 64])
@pytest.mark.parametrize("block", [512, 1428])
def test_atftp_with_windows(appliance, leased, tmp_path, window, block):
    content = content_of(3_000_001)
    appliance.put_image("dir/file.bin", content)
    out = tmp_path / "out"
    on_client("atftp", "--get", "--remote-file", "dir/file.bin", "--local-file", out, "--option", f"blksize {block}",
              "--option", f"windowsize {window}", SERVER)
    assert out.read_bytes() == content


@pytest.mark.parametrize("command", [
    ["curl", "-sS", "--tftp-blksize", "512", "-o", "{out}", f"tftp://{SERVER}/{{name}}"],
    ["busybox", "tftp", "-g", "-b", "512", "-r", "{name}", "-l", "{out}", SERVER],
    ["atftp", "--get", "--option", "blksize 512", "--option", "windowsize 16", "--remote-file", "{name}",
     "--local-file", "{out}", SERVER],
], ids=lambda command: command[0] + ("-tftp" if command[0] == "busybox" else ""))
def test_block_numbers_wrap(appliance, leased, tmp_path, command):
    """40 MB at 512 bytes a block is 78 125 blocks: past 65 535."""
    content = content_of(40_000_000)
    appliance.put_image("big.img", content)
    out = tmp_path / "out"
    on_client(*[word.format(name="big.img", out=out) for word in command], timeout=300)
    assert out.read_bytes() == content


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 1024])
def test_sizes_at_the_edges(appliance, leased, tmp_path, size):
    content = content_of(size)
    appliance.put_image("edge", content)
    out = tmp_path / "out"
    on_client("busybox", "tftp", "-g", "-r", "edge", "-l", out, SERVER)
    assert out.read_bytes() == content


def test_what_is_not_there_and_what_is_not_allowed(appliance, leased, tmp_path):
    missing = on_client("busybox", "tftp", "-g", "-r", "no-such-file", "-l", tmp_path / "x", SERVER, check=False)
    assert missing.returncode != 0 and "ot found" in missing.stderr
    for name in ("../../etc/passwd", "/etc/passwd", "a/../../b"):
        assert on_client("curl", "-sS", "--path-as-is", "-o", tmp_path / "x", f"tftp://{SERVER}/{name}",
                         check=False).returncode != 0
    (tmp_path / "up").write_text("x")
    refused = on_client("busybox", "tftp", "-p", "-l", tmp_path / "up", "-r", "up", SERVER, check=False)
    assert refused.returncode != 0
    events = wait_until("the audit", lambda: "tftp_write_refused" in appliance.events(leased) and appliance.events(leased))
    assert "tftp_missing" in events


def test_a_name_can_be_repointed(appliance, leased, tmp_path):
    out = tmp_path / "out"
    for seed in (1, 2):
        content = content_of(100_000, seed)
        appliance.put_image("name", content)

        def fetched():
            on_client("curl", "-sS", "-o", out, f"tftp://{SERVER}/name")
            return out.read_bytes() == content
        assert fetched()


def test_malformed_frames_are_counted_with_their_reason(appliance, leased, tmp_path):
    script = tmp_path / "send.py"
    script.write_text(MALFORMED)
    before = {}
    reasons = ["ipv4_bad_checksum", "udp_bad_checksum", "dhcp_too_short", "dhcp_bad_cookie", "dhcp_not_request",
               "tftp_bad_opcode", "tftp_too_short", "tftp_bad_request"]
    for reason in reasons:
        before[reason] = appliance.dropped(reason)
    on_client("/usr/bin/python3", script)
    for reason in reasons:
        wait_until(f"a drop counted as {reason}", lambda: appliance.dropped(reason) > before[reason], 10)
    assert os.path.exists(f"/proc/{appliance.pid('dataplane')}")


MALFORMED = f"""
from scapy.all import BOOTP, UDP, IP, Ether, Raw, sendp, get_if_hwaddr, get_if_addr
mac, address = get_if_hwaddr("client0"), get_if_addr("client0")
dhcp = Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / IP(src="0.0.0.0", dst="255.255.255.255")
tftp = Ether(src=mac, dst="02:00:5e:00:00:01") / IP(src=address, dst="{SERVER}")
to_dhcp, to_tftp = UDP(sport=68, dport=67), UDP(sport=4000, dport=69)
frames = [
    Ether(src=mac, dst="02:00:5e:00:00:01") / IP(src=address, dst="{SERVER}", chksum=1) / to_tftp / Raw(b"x" * 30),
    tftp / UDP(sport=4000, dport=69, chksum=77) / Raw(b"x" * 30),
    dhcp / to_dhcp / Raw(b"x" * 30),
    dhcp / to_dhcp / BOOTP(op=1, chaddr=bytes.fromhex(mac.replace(":", "")), hlen=6) / Raw(b"nope" * 20),
    dhcp / to_dhcp / BOOTP(op=2, chaddr=bytes.fromhex(mac.replace(":", "")), hlen=6) / Raw(b"nope" * 20),
    tftp / to_tftp / Raw(b"\\0\\x09xxxx"),
    tftp / to_tftp / Raw(b"\\0"),
    tftp / to_tftp / Raw(b"\\0\\x01unterminated"),
]
for frame in frames:
    sendp(frame, iface="client0", verbose=False)
"""
