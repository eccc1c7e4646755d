"""/boot/ as curl sees it, over IPv4 and IPv6: sizes, ranges, resumption, validators, kept connections, and who is served."""

import contextlib
import concurrent.futures
import time

import pytest
from appliance import CLIENT_MAC, on_appliance, on_client, wait_until
from tftp import SERVER, SERVER6, content_of, serving

SERVERS = {"ipv4": SERVER, "ipv6": f"[{SERVER6}]"}
STRANGER_MAC = "02:66:00:00:00:66"


@pytest.fixture(scope="module")
def appliance(rack):
    with serving() as appliance:
        yield appliance


def curl(*arguments, check=True):
    return on_client("curl", "-g", "-sS", "--max-time", "60", *arguments, check=check)


def status(url, *options):
    return curl("-o", "/dev/null", "-w", "%{http_code}", *options, url).stdout


def head(url):
    """The answer's headers, by names in lower case."""
    lines = curl("-I", url).stdout.splitlines()
    assert " 200" in lines[0]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}


@pytest.mark.parametrize("family", SERVERS)
@pytest.mark.parametrize("size", [0, 1, 1000, 10_000_000])
def test_whole_files(appliance, tmp_path, family, size):
    content = content_of(size)
    stored = appliance.put_image(f"whole/{size}", content)
    url = f"http://{SERVERS[family]}/boot/whole/{size}"
    out = tmp_path / "out"
    curl("-f", "-o", str(out), url)
    assert (out.read_bytes() if out.exists() else b"") == content
    told = head(url)
    assert int(told["content-length"]) == size
    assert told["etag"] == f'"{stored["sha256"]}"' and told["accept-ranges"] == "bytes"
    assert status(url, "-H", f"If-None-Match: {told['etag']}") == "304"
    assert status(url, "-H", 'If-None-Match: "another"') == "200"


@pytest.mark.parametrize("family", SERVERS)
def test_parts_of_files(appliance, tmp_path, family):
    content = content_of(1_000_003)
    appliance.put_image("part", content)
    url, out = f"http://{SERVERS[family]}/boot/part", tmp_path / "out"
    for asked, expected in (("0-0", content[:1]), ("10-19", content[10:20]), ("1000000-", content[1_000_000:]),
                            ("-7", content[-7:]), ("999999-5000000", content[999_999:])):
        assert curl("-o", str(out), "-w", "%{http_code}", "-r", asked, url).stdout == "206", asked
        assert out.read_bytes() == expected, asked
    assert status(url, "-r", "1000003-") == "416"
    # Several parts at once may be answered by the whole (RFC 9110 14.2).
    assert curl("-o", str(out), "-w", "%{http_code}", "-r", "0-1,5-6", url).stdout == "200"
    assert out.read_bytes() == content


@pytest.mark.parametrize("family", SERVERS)
def test_a_broken_download_is_resumed(appliance, tmp_path, family):
    content = content_of(2_000_000)
    appliance.put_image("resumed", content)
    out = tmp_path / "out"
    out.write_bytes(content[:777_777])
    answer = curl("-f", "-C", "-", "-o", str(out), "-w", "%{http_code} %{size_download}",
                  f"http://{SERVERS[family]}/boot/resumed")
    assert answer.stdout == f"206 {2_000_000 - 777_777}"
    assert out.read_bytes() == content


@pytest.mark.parametrize("family", SERVERS)
def test_one_connection_serves_several_files(appliance, tmp_path, family):
    for name in ("first", "second"):
        appliance.put_image(f"kept/{name}", name.encode() * 1000)
    base = f"http://{SERVERS[family]}/boot/kept"
    answer = curl("-f", "-w", "%{num_connects} ", "-o", str(tmp_path / "first"), f"{base}/first",
                  "-o", str(tmp_path / "second"), f"{base}/second")
    assert answer.stdout.split() == ["1", "0"]
    for name in ("first", "second"):
        assert (tmp_path / name).read_bytes() == name.encode() * 1000


def test_the_timeline_tells_of_it(appliance):
    events = {entry["event"]: entry for entry in appliance.timeline(appliance.machine0)}
    assert {"http_request", "http_complete", "http_probe"} <= events.keys()
    assert events["http_complete"]["details"]["bytes_per_second"] > 0


def test_the_api_stays_fast_while_64_connections_pull_a_large_file(appliance):
    content = content_of(5_000_000)
    appliance.put_image("large", content)
    path = f"/api/machines/{appliance.machine0['id']}/"
    seconds = []
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pulled = pool.submit(on_client, "curl", "-sS", "-f", "-Z", "--parallel-max", "64", "--max-time", "100",
                             *[word for _ in range(64) for word in ("-o", "/dev/null", f"http://{SERVER}/boot/large")])
        while not pulled.done():
            began = time.monotonic()
            appliance.get(path)
            seconds.append(time.monotonic() - began)
    pulled.result()
    seconds.sort()
    assert seconds[int(len(seconds) * 0.99)] < 1, f"p99 of {len(seconds)} requests"


@contextlib.contextmanager
def hardware_address(mac):
    """client0 with another one; its addresses stay."""
    def become(one):
        on_client("ip", "link", "set", "client0", "address", one)
        for family in ("-4", "-6"):
            on_appliance("ip", family, "neigh", "flush", "dev", "rack0")
    become(mac)
    try:
        yield
    finally:
        become(CLIENT_MAC)


def test_who_takes_a_machines_address_gets_none_of_its_files(appliance):
    """With the machine's own address, but not its hardware address: neither shared files nor its own, by neither protocol."""
    appliance.put_image("shared", b"shared")
    url = f"http://{SERVER}/boot/shared"
    assert status(url) == "200"
    with hardware_address(STRANGER_MAC):
        answer = wait_until("an answer", lambda: curl("-o", "/dev/null", "-w", "%{http_code}", url, check=False).stdout
                            .replace("000", ""))
        assert answer == "404"
        assert on_client("curl", "-sS", "--max-time", "3", f"tftp://{SERVER}/shared", check=False).returncode != 0
    assert wait_until("the machine itself again", lambda: curl("-o", "/dev/null", "-w", "%{http_code}", url, check=False)
                      .stdout) == "200"
