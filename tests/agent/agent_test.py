"""Unit tests of the ramdisk's agent (mgmt/agent): the real scripts under busybox sh, on a made-up /proc and /sys.

Run by agent_test.sh, on any host with busybox and python3; no root, no network but loopback.
"""
import http.server
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import threading
import unittest

AGENT = pathlib.Path(__file__).resolve().parents[2] / "mgmt" / "agent"
BUSYBOX = shutil.which("busybox")


class AgentTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Only busybox's own tools, as in the ramdisk: the host's wget, awk or hexdump must not help out.
        cls.bin = tempfile.TemporaryDirectory()
        for applet in subprocess.check_output([BUSYBOX, "--list"], text=True).split():
            os.symlink(BUSYBOX, os.path.join(cls.bin.name, applet))
        cls.addClassCleanup(cls.bin.cleanup)

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        self.put("proc/cmdline", "")

    def put(self, path, content):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())

    def link(self, path, target):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        os.symlink(target, self.root / path)

    def sh(self, script, *arguments, check=True):
        done = subprocess.run(
            [BUSYBOX, "sh", "-c", f'set -u; . "{AGENT}/agent.sh"; . "{AGENT}/facts.sh"\n{script}', "sh", *arguments],
            env={"PATH": self.bin.name, "LC_ALL": "C", "AGENT_ROOT": str(self.root)}, capture_output=True, timeout=60)
        if check:
            self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done

    def json(self, script, *arguments):
        return json.loads(self.sh(script, *arguments).stdout)

    # Facts

    def machine(self):
        self.put("proc/uptime", "12.34 5.67\n")
        self.put("proc/sys/kernel/osrelease", "6.1.0-9-cloud-amd64\n")
        self.put("proc/sys/kernel/hostname", "node-7\n")
        self.put("proc/meminfo", "MemTotal:         484496 kB\nMemFree: 1 kB\n")
        self.put("proc/cpuinfo", "".join(f"processor\t: {n}\nmodel name\t: Fast \"CPU\" @ 3GHz\n\n" for n in range(3)))
        for name, sectors, rotational, model in (("vda", 2048, 0, None), ("sda", 8, 1, "WD  Blue        ")):
            self.put(f"sys/block/{name}/size", f"{sectors}\n")
            self.put(f"sys/block/{name}/queue/rotational", f"{rotational}\n")
            (self.root / f"sys/block/{name}/device").mkdir()
            if model:
                self.put(f"sys/block/{name}/device/model", model + "\n")
        for interface, mac, speed in (("eth0", "52:54:00:00:00:01", "-1"), ("eth1", "52:54:00:00:00:02", "10000")):
            self.put(f"sys/class/net/{interface}/address", mac + "\n")
            self.put(f"sys/class/net/{interface}/speed", speed + "\n")
            self.link(f"sys/class/net/{interface}/device/driver", "../../bus/drivers/virtio_net")
        self.put("sys/class/net/lo/address", "00:00:00:00:00:00\n")

    def test_kernel_up(self):
        self.machine()
        self.assertEqual(self.json("kernel_up_json"), {"stage": "kernel-up", "uptime_seconds": 12.34, "kernel": "6.1.0-9-cloud-amd64"})

    def test_home(self):
        self.machine()
        for field in ("bios_vendor", "bios_version", "product_name", "product_serial", "product_uuid"):
            self.put(f"sys/class/dmi/id/{field}", f"  the {field} \n")
        self.assertEqual(self.json("home_json"), {
            "stage": "home", "uptime_seconds": 12.34, "kernel": "6.1.0-9-cloud-amd64", "hostname": "node-7",
            "cpu": {"model": 'Fast "CPU" @ 3GHz', "cores": 3, "architecture": os.uname().machine},
            "memory_bytes": 484496 * 1024,
            "disks": [{"name": "sda", "size_bytes": 4096, "model": "WD  Blue", "rotational": True},
                      {"name": "vda", "size_bytes": 1048576, "model": None, "rotational": False}],
            "interfaces": [{"name": "eth0", "mac": "52:54:00:00:00:01", "driver": "virtio_net", "speed_mbps": None},
                           {"name": "eth1", "mac": "52:54:00:00:00:02", "driver": "virtio_net", "speed_mbps": 10000}],
            "firmware": {"vendor": "the bios_vendor", "version": "the bios_version", "product": "the product_name",
                         "serial": "the product_serial", "uuid": "the product_uuid"},
            "boot_mode": "bios"})
        (self.root / "sys/firmware/efi").mkdir(parents=True)
        self.assertEqual(self.json("home_json")["boot_mode"], "uefi")

    def test_a_machine_that_tells_nothing(self):
        self.put("proc/cpuinfo", "")
        self.put("proc/meminfo", "")
        self.put("proc/sys/kernel/hostname", "(none)\n")
        home = self.json("home_json")
        self.assertEqual((home["uptime_seconds"], home["memory_bytes"], home["hostname"]), (None, None, None))
        self.assertEqual((home["disks"], home["interfaces"]), ([], []))
        self.assertEqual(set(home["firmware"].values()), {None})
        self.assertEqual(home["cpu"]["cores"], 0)

    def test_only_real_disks(self):
        self.machine()
        for name, extra in (("loop0", {}), ("sr0", {"device/x": ""}), ("mmcblk0boot0", {"device/x": ""}),
                            ("nvme0c0n1", {"device/x": "", "hidden": "1\n"}), ("sdz", {"device/x": "", "size": "0\n"})):
            for path, content in {"size": "100\n", **extra}.items():
                self.put(f"sys/block/{name}/{path}", content)
        self.assertEqual([disk["name"] for disk in self.json("disks=$(disks_json); echo \"[$disks]\"")], ["sda", "vda"])

    # Strings from strangers

    HOSTILE = {
        b'say "cheese"': 'say "cheese"', b"C:\\dir\\": "C:\\dir\\", b'\\"': '\\"', b"a\tb\x01\x1f\x7fc": "a\tb\x01\x1f\x7fc",
        b"two\nlines": "two\nlines", b"$(reboot) `reboot` $HOME %s%n ;&|<>": "$(reboot) `reboot` $HOME %s%n ;&|<>",
        b"-n -e \\n": "-n -e \\n", b"*?[a-z]": "*?[a-z]", b'","stage":"forged': '","stage":"forged',
        "Gerät ☃ 😀".encode(): "Gerät ☃ 😀", b"\xff\xfe!": "\ufffd\ufffd!", b"cut \xe2\x98": "cut \ufffd\ufffd",
        b"overlong \xc0\xaf \xe0\x80\xaf": "overlong \ufffd\ufffd \ufffd\ufffd\ufffd", b"surrogate \xed\xa0\x80": "surrogate \ufffd\ufffd\ufffd",
    }

    def test_hostile_firmware(self):
        self.machine()
        for raw, expected in self.HOSTILE.items():
            with self.subTest(raw=raw):
                for field in ("bios_vendor", "product_serial"):
                    self.put(f"sys/class/dmi/id/{field}", raw + b"\n")
                home = self.json("home_json")
                self.assertEqual((home["stage"], home["firmware"]["vendor"], home["firmware"]["serial"]), ("home", expected, expected))

    def test_nul_bytes_vanish(self):
        self.machine()
        self.put("sys/class/dmi/id/product_name", b"a\x00b\n")
        self.assertEqual(self.json("firmware_json")["product"], "ab")

    def test_every_byte_and_random_bytes(self):
        dice = random.Random(1)
        texts = [b"a%cb" % byte for byte in range(1, 256)]
        texts += [bytes(dice.choices(range(1, 256), k=dice.randrange(1, 40))) for _ in range(200)]
        texts += ["".join(chr(dice.choice((dice.randrange(1, 0xD800), dice.randrange(0xE000, 0x110000)))) for _ in range(9)).encode() for _ in range(100)]
        out = self.sh('for text in "$@"; do json_string "$text"; echo; done', *texts).stdout
        self.assertTrue(out.isascii())
        for raw, line in zip(texts, out.splitlines(), strict=True):
            value = json.loads(line)
            try:
                self.assertEqual(value, raw.decode())
            except UnicodeDecodeError:
                self.assertIn("\ufffd", value)

    def test_numbers(self):
        for text, expected in (("0", 0), ("10000", 10000), ("1.50", 1.5), ("0.07", 0.07), ("-1", None), ("", None), ("007", None),
                               ("1.", None), (".5", None), ("1.2.3", None), ("1e3", None), ("Unknown", None)):
            self.assertEqual(self.json('json_number "$1"', text), expected, text)

    # The command line, and the calls

    def test_arguments(self):
        self.put("proc/cmdline", "initrd=i rouse.url=http://h/?a=b rouse.token=x * rouse.token=y rouse.shellfish\n")
        self.assertEqual(self.sh("argument rouse.url; argument rouse.token; argument rouse").stdout, b"http://h/?a=b\ny\n\n")
        self.assertEqual(self.sh("flag rouse.shell", check=False).returncode, 1)
        self.put("proc/cmdline", "quiet rouse.shell\n")
        self.sh("flag rouse.shell")

    def report(self, *answers):
        """report() against a server that gives these status codes in turn: its exit code, what it said, what was asked."""
        asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                asked.append((self.path, self.headers["Authorization"], self.headers["Content-Type"], body))
                self.send_response(answers[min(len(asked), len(answers)) - 1])
                self.end_headers()

            def log_message(self, *_):
                pass

        self.put("sys/class/tty/console/active", "tty0 ttyS0\n")
        self.put("dev/tty0", "")
        self.put("dev/ttyS0", "")
        with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            done = self.sh('usleep() { :; }; MAX_TRIES=4 url=$1 token=t0; body() { echo "{\\"try\\":$try}"; }; report home body',
                           f"http://127.0.0.1:{server.server_port}", check=False)
            server.shutdown()
        self.assertEqual(done.stderr, b"")
        self.assertEqual((self.root / "dev/tty0").read_bytes(), (self.root / "dev/ttyS0").read_bytes())
        return done.returncode, (self.root / "dev/ttyS0").read_text(), asked

    def test_accepted(self):
        for code in (200, 204):
            status, said, asked = self.report(code)
            self.assertEqual((status, said), (0, ""))
            self.assertEqual(asked, [("/agent/report", "Bearer t0", "application/json", b'{"try":1}')])

    def test_tries_again_with_a_fresh_body(self):
        status, _, asked = self.report(503, 404, 204)
        self.assertEqual((status, [request[3] for request in asked]), (0, [b'{"try":1}', b'{"try":2}', b'{"try":3}']))

    def test_spent_token_is_not_tried_again(self):
        for code in (401, 403, 410):
            status, said, asked = self.report(500, code, 204)
            self.assertEqual((status, len(asked)), (2, 2))
            self.assertIn(f"(HTTP {code}): it is spent", said)

    def test_gives_up(self):
        status, said, asked = self.report(500)
        self.assertEqual((status, len(asked)), (1, 4))
        self.assertIn("giving up", said)

    def test_nobody_there(self):
        done = self.sh("usleep() { :; }; MAX_TRIES=3 url=http://127.0.0.1:1 token=t; body() { echo {}; }; report home body", check=False)
        self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    unittest.main()
