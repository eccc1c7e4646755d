"""Real TFTP clients on the rack's client, and the files that they fetch."""

import contextlib
import hashlib
import random
import shlex

from appliance import CLIENT_MAC, POOL, Appliance, on_appliance, on_client

SERVER = "10.77.0.1"
SERVER6 = "fd00:77::1"

# How each client writes the file to standard output or to {out}; tftp-hpa knows no block size but its own. {url} is the
# server's address as a URL has it.
CLIENTS = {
    "curl": "curl -sS --tftp-blksize {block} -o {out} tftp://{url}/{name}",
    "busybox": "busybox tftp -g -b {block} -r {name} -l {out} {server}",
    "atftp": "atftp --get --option 'blksize {block}' --remote-file {name} --local-file {out} {server}",
    "atftp-window": "atftp --get --option 'blksize {block}' --option 'windowsize 16' --remote-file {name} "
                    "--local-file {out} {server}",
    "tftp-hpa": "tftp -m binary {server} -c get {name} {out}",
}


def content_of(size):
    return random.Random(size).randbytes(size)


@contextlib.contextmanager
def serving(*options):
    """An appliance with client0 as a machine that has its addresses of both families."""
    on_appliance("ip", "address", "replace", f"{SERVER6}/64", "dev", "rack0", "nodad")  # before the dataplane looks
    appliance = Appliance()
    appliance.start("--fresh", *options)
    appliance.post("/api/ip-pools/", {**POOL, "cidr6": "fd00:77::/64"})
    appliance.machine0 = appliance.add_machine("client", CLIENT_MAC)
    on_client("ip", "address", "flush", "dev", "client0")
    on_client("ip", "address", "add", f"{appliance.machine0['ip']}/16", "dev", "client0")
    on_client("sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/client0/disable_ipv6")
    on_client("ip", "address", "add", f"{appliance.machine0['ip6']}/64", "dev", "client0", "nodad")
    try:
        yield appliance
    finally:
        on_client("ip", "address", "flush", "dev", "client0")
        appliance.stop()
        on_appliance("ip", "address", "del", f"{SERVER6}/64", "dev", "rack0", check=False)
        for name in ("mgmt", "dataplane"):
            print(f"--- {name} log ---\n{appliance.log(name)[-4000:]}")


def fetch(client, name, out, block=512, server=SERVER, timeout=300):
    url = f"[{server}]" if ":" in server else server
    words = shlex.split(CLIENTS[client].format(block=block, server=server, url=url, name=shlex.quote(name), out=out))
    return on_client(*words, check=False, timeout=timeout)


def check_sizes(appliance, tmp_path, client, block, sizes, server=SERVER):
    for size in sizes:
        content = content_of(size)
        name = f"size-{size}"
        appliance.put_image(name, content)
        out = tmp_path / f"{size}.out"
        answer = fetch(client, name, out, block, server)
        assert answer.returncode == 0, f"{size} bytes: {answer.stderr or answer.stdout}"
        assert out.exists() or size == 0, f"{size} bytes: no file came"
        got = out.read_bytes() if out.exists() else b""  # some make no file of nothing
        assert hashlib.sha256(got).digest() == hashlib.sha256(content).digest(), f"{size} bytes: {len(got)} came"
        out.unlink(missing_ok=True)


def around(block):
    """The sizes at which blocks of that size begin and end."""
    return 0, 1, block - 1, block, block + 1, 2 * block, 100 * block + 7
