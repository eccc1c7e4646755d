"""A rack whose cables have several queues, and machines enough on it that every worker has some to serve."""

import subprocess
import time

from appliance import SERVER, on_client, within

FIRST_MAC = "52:54:00:77:{:02x}:{:02x}"

# One machine: a lease, then the file, by a cable of its own and from an address that no other has.
MACHINE = """#!/bin/sh
# $1: its interface; $2: where the file goes; $3: its name
busybox udhcpc -f -q -n -i "$1" -s "$0.hook" -t 20 -T 1 >"$2.log" 2>&1 || exit 3
curl -sS -m 120 --interface "$1" --tftp-blksize 1428 -o "$2" "tftp://{server}/$3" >>"$2.log" 2>&1
"""
# The cable alone tells which route to the server is its.
HOOK = """#!/bin/sh
[ "$1" = bound ] || exit 0
ip address replace $ip/32 dev $interface
ip route replace {server}/32 dev $interface src $ip metric ${{interface#m}}
"""


def mac_of(number):
    return FIRST_MAC.format(number >> 8, number & 255)


class Machines:
    """COUNT network interfaces in the client's namespace, each on the bridge by a cable of its own, with QUEUES each
    way: by which one a packet goes, the sender's kernel chooses by its flow. More than rack0 has: see scripts/rack."""

    def __init__(self, count, queues, directory):
        self.count, self.directory = count, directory
        self.script = directory / "machine"
        for path, text in ((self.script, MACHINE), (directory / "machine.hook", HOOK)):
            path.write_text(text.format(server=SERVER))
            path.chmod(0o755)
        # Each answers for its own address alone, though all are one kernel's.
        on_client("sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=1", "net.ipv4.conf.all.arp_announce=2",
                  "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0")
        spread = f"numtxqueues {queues} numrxqueues {queues}"
        self.links(f"link add m{{n}} address {{mac}} {spread} type veth peer name m{{n}}-br {spread}",
                   "link set m{n}-br master br0 up", "link set m{n} up")
        # The dataplane reads raw frames: their senders write the checksums (scripts/rack).
        on_client("sh", "-c", f"for n in $(seq {count}); do ethtool -K m$n tx off; done")

    def links(self, *lines, check=True):
        text = "\n".join(line.format(n=n + 1, mac=mac_of(n)) for n in range(self.count) for line in lines)
        within("rouse-client", "ip", "-batch", "-", input=text, check=check)

    def fetch(self, name, at_once=50, timeout=240):
        """All boot, AT_ONCE of them at a time; returns the paths of what they got."""
        waiting, running, deadline = list(range(self.count)), {}, time.monotonic() + timeout
        while waiting or running:
            assert time.monotonic() < deadline, f"{len(waiting)} machines wait and {len(running)} boot after {timeout} s"
            while waiting and len(running) < at_once:
                number = waiting.pop(0)
                command = ["ip", "netns", "exec", "rouse-client", self.script, f"m{number + 1}", self.directory / str(number), name]
                running[number] = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL)
            for number, process in list(running.items()):
                if process.poll() is None:
                    continue
                assert process.returncode == 0, f"machine {number}: {(self.directory / f'{number}.log').read_text()}"
                del running[number]
            time.sleep(0.02)
        return [self.directory / str(number) for number in range(self.count)]
