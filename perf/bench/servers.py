"""rouse, and the DHCP servers that it is compared with: each serves the rack for as long as a `with` lasts."""

import concurrent.futures
import contextlib
import ipaddress
import json
import os
import signal
import sys

from rack import BIN, ROOT, SERVER, Program, cpu_seconds, prefer

sys.path.append(str(ROOT / "tests" / "system"))
from appliance import POOL, Appliance  # noqa: E402  (the path comes first)


class Echo(Program):
    """No server: the frame itself comes back. What the port and the client allow."""

    name = "frame echo"
    first_rate = 32_000

    def command(self, directory):
        return [BIN / "rouse-echo", "xdp:rack0", SERVER]


class Kea(Program):
    name = "Kea"
    first_rate = 4000

    def command(self, directory):
        config = directory / "kea.json"
        config.write_text(json.dumps({"Dhcp4": {
            "interfaces-config": {"interfaces": ["rack0"]},
            "lease-database": {"type": "memfile", "persist": True, "name": str(directory / "leases.csv"),
                               "lfc-interval": 0},
            "multi-threading": {"enable-multi-threading": True, "thread-pool-size": 2, "packet-queue-size": 64},
            "valid-lifetime": POOL["lease_seconds"],
            "next-server": SERVER,
            "boot-file-name": "ipxe.efi",
            "subnet4": [{"subnet": POOL["cidr"],
                         "pools": [{"pool": f"{POOL['range_start']} - {POOL['range_end']}"}],
                         "option-data": [{"name": "routers", "data": POOL["gateway"]}]}],
            "loggers": [{"name": "kea-dhcp4", "severity": "ERROR", "output_options": [{"output": "stderr"}]}],
        }}))
        return ["kea-dhcp4", "-c", config]

    def environment(self, directory):
        return {"KEA_PIDFILE_DIR": str(directory), "KEA_LOCKFILE_DIR": str(directory)}


class Dnsmasq(Program):
    name = "dnsmasq"
    first_rate = 200

    def command(self, directory):
        return ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=rack0",
                "--bind-interfaces", "--no-ping", "--dhcp-authoritative", "--user=root", "--pid-file=",
                f"--dhcp-range={POOL['range_start']},{POOL['range_end']},1h", "--dhcp-lease-max=100000",
                f"--dhcp-leasefile={directory / 'leases'}", "--dhcp-boot=ipxe.efi", "--quiet-dhcp"]


class Rouse:
    """The whole appliance; MACHINES, a list of hardware addresses, are registered over REST, and IMAGES, bytes by name,
    put there. With FIRST_ADDRESS the machines have addresses in a row from there."""

    name = "rouse"
    first_rate = 32_000

    def __init__(self, machines, images=None, first_address=None):
        self._machines = machines
        self._images = images or {}
        self._first_address = first_address and ipaddress.IPv4Address(first_address)

    def __enter__(self):
        self.appliance = Appliance()
        self.appliance.start("--fresh")
        try:
            for name, content in {"ipxe.efi": b"a loader", **self._images}.items():
                self.appliance.put_image(name, content)
            self.appliance.post("/api/ip-pools/", POOL)
            self.appliance.post("/api/boot-profiles/", {"name": "bench", "loaders": {
                "bios": "ipxe.efi", "x64-uefi": "ipxe.efi"}})
            self._register()
            for name in ("dataplane", "mgmt"):
                prefer(self.appliance.pid(name))
        except BaseException:
            self.__exit__()
            raise
        return self

    def _register(self):
        def register(item):
            number, mac = item
            fixed = {"ip": str(self._first_address + number)} if self._first_address else {}
            self.appliance.add_machine(f"bench-{number}", mac, boot_profile="bench", **fixed)

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            for _ in pool.map(register, enumerate(self._machines)):
                pass

    def __exit__(self, *_):
        self.appliance.stop()

    def cpu_seconds(self):
        """Of what answers the rack."""
        return cpu_seconds(self.appliance.pid("dataplane"))

    def management_cpu_seconds(self):
        """Of what keeps the timelines meanwhile; the other servers have nothing of the kind."""
        return cpu_seconds(self.appliance.pid("mgmt"))

    @contextlib.contextmanager
    def management_stopped(self):
        """The dataplane serves on alone."""
        pid = self.appliance.pid("mgmt")
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def counters(self):
        """Its metrics by name, labels included."""
        text = self.appliance.get("/metrics").decode()
        lines = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}


def macs(first, count):
    """COUNT hardware addresses from FIRST on."""
    number = int(first.replace(":", ""), 16)
    return [":".join(f"{number + i:012x}"[at:at + 2] for at in range(0, 12, 2)) for i in range(count)]
