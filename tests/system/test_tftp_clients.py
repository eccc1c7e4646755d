"""Real TFTP clients fetch files of every awkward size, equal by SHA-256; and what they must not get, they do not.

ROUSE_LARGE_FILES=1 adds one file of 4 GiB, which takes minutes and as much disk and memory.
"""

import hashlib
import os
import random

import pytest
from appliance import on_client, wait_until
from tftp import CLIENTS, SERVER, SERVER6, around, check_sizes, content_of, fetch, serving

LAST_NUMBER = 65535  # the block number behind which it wraps
BLOCKS = (512, 1428, 1468)


@pytest.fixture(scope="module")
def rig(rack):
    """One appliance for all of this file."""
    with serving() as appliance:
        yield appliance


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("client", CLIENTS)
def test_sizes_around_a_block(rig, tmp_path, client, block):
    if client == "tftp-hpa" and block != 512:
        pytest.skip("it has no option for it")
    check_sizes(rig, tmp_path, client, block, around(block))


@pytest.mark.parametrize("client", CLIENTS)
def test_over_ipv6(rig, tmp_path, client):
    block = 512 if client == "tftp-hpa" else 1428
    check_sizes(rig, tmp_path, client, block, around(block), SERVER6)


@pytest.mark.parametrize("client", CLIENTS)
def test_block_numbers_wrap(rig, tmp_path, client):
    """The last block is 65535, is the empty one behind it (number 0), or is well beyond."""
    block = 512
    check_sizes(rig, tmp_path, client, block,
                (LAST_NUMBER * block - 1, LAST_NUMBER * block, (LAST_NUMBER + 3) * block + 1))


def test_netascii_is_what_it_was_for_text(rig, tmp_path):
    """RFC 1350 1: a line's end travels as CR LF and arrives as this host writes it."""
    text = b"".join(b"line %d\n" % number for number in range(2000)) + b"and the last one"
    rig.put_image("text", text)
    out = tmp_path / "out"
    answer = on_client("tftp", "-m", "ascii", SERVER, "-c", "get", "text", out)
    assert answer.returncode == 0 and out.read_bytes() == text


@pytest.mark.skipif(not os.environ.get("ROUSE_LARGE_FILES"), reason="takes minutes: ROUSE_LARGE_FILES=1 runs it")
def test_four_gibibytes(rig, tmp_path):
    size = 4 << 30
    source = tmp_path / "source"
    digest = hashlib.sha256()
    piece = random.Random(4).randbytes(16 << 20)
    with source.open("wb") as file:
        for number in range(size // len(piece)):
            block = number.to_bytes(8, "big") + piece[8:]
            file.write(block)
            digest.update(block)
    with source.open("rb") as file:
        rig.request("PUT", "/api/images/huge", raw=file, headers={"Content-Length": str(size)}, timeout=600)
    source.unlink()
    answer = on_client("sh", "-c", f"curl -sS --tftp-blksize 1468 tftp://{SERVER}/huge | sha256sum", timeout=1200)
    assert answer.stdout.split()[0] == digest.hexdigest(), answer.stderr


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../../b", "..\\..\\etc\\passwd", "n" * 128,
                                  "n" * 400])
def test_no_name_leads_out_of_the_catalogue(rig, tmp_path, name):
    before = rig.metric("rouse_tftp_errors_sent_total")
    out = tmp_path / "out"
    answer = fetch("busybox", name, out)
    assert answer.returncode != 0 and "ot found" in answer.stderr, answer.stderr
    wait_until("the refusal in the metrics", lambda: rig.metric("rouse_tftp_errors_sent_total") > before)
    assert not out.exists() or out.stat().st_size == 0


def test_a_flood_of_half_open_transfers_leaves_room_for_real_ones(rig, tmp_path):
    """More requests than there is room for, none ever acknowledged; each is answered a few times and forgotten."""
    rig.put_image("flooded", content_of(3_000_000))
    script = tmp_path / "flood.py"
    script.write_text(FLOOD)
    before = rig.metric("rouse_tftp_requests_total")
    on_client("/usr/bin/python3", script, rig.machine0["ip"])
    wait_until("the requests counted", lambda: rig.metric("rouse_tftp_requests_total") - before > 20_000)
    out = tmp_path / "out"
    for client in ("curl", "atftp-window", "busybox"):
        answer = fetch(client, "flooded", out, 1428)
        assert answer.returncode == 0, answer.stderr
        assert out.read_bytes() == content_of(3_000_000)
        out.unlink()
    # Four repetitions with doubling intervals, then silence: all are forgotten after 31 seconds.
    wait_until("an empty table", lambda: rig.metric("rouse_tftp_sessions_open") == 0, 60, 1)


FLOOD = f"""
import socket, struct, sys, time
out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
out.connect(("{SERVER}", 0))
request = b"\\0\\1flooded\\0octet\\0blksize\\x001428\\0"
for port in range(1024, 1024 + 30_000):
    out.send(struct.pack("!HHHH", port, 69, 8 + len(request), 0) + request)
    if port % 64 == 0:
        time.sleep(0.001)
"""
