"""The TFTP servers that are compared with rouse: each serves a directory for as long as a `with` lasts."""

import load
from rack import BIN, ROOT, SERVER, Program
from servers import Rouse, macs

PEERS = ROOT / "build" / "peers"  # unpacked there by scripts/setup --bench


class Directory(Program):
    """A classic daemon on FILES, bytes by name."""

    def __init__(self, files):
        self._files = files

    def command(self, directory):
        root = directory / "root"
        root.mkdir()
        for name, content in self._files.items():
            (root / name).write_bytes(content)
        return self.serve(root)

    def serve(self, root):
        """Its command line, to serve ROOT."""
        raise NotImplementedError


class Atftpd(Directory):
    name = "atftpd"

    def serve(self, root):
        return [PEERS / "atftpd/usr/sbin/atftpd", "--daemon", "--no-fork", "--user", "root.root", "--maxthread", 2000,
                "--bind-address", SERVER, "--verbose=1", "--logfile", root.parent / "atftpd.log", root]


class TftpdHpa(Directory):
    name = "tftpd-hpa"

    def serve(self, root):
        return [PEERS / "tftpd-hpa/usr/sbin/in.tftpd", "--foreground", "--user", "root", "--address", f"{SERVER}:69",
                "--secure", root]


class Dnsmasq(Directory):
    name = "dnsmasq"

    def serve(self, root):
        return ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=rack0",
                "--bind-interfaces", "--user=root", "--pid-file=", "--enable-tftp", f"--tftp-root={root}",
                "--tftp-max=2000", "--quiet-tftp"]


class Echo(Program):
    """No server: each acknowledgement brings a block's frame, or a window of them, of whatever bytes. What the port and
    the client allow.
    """

    name = "frame echo"

    def __init__(self, files, window=1):
        self._blocks = min(max(len(content) for content in files.values()) // load.BLOCK + 1, 65_535)
        self._window = window

    def command(self, _directory):
        return [BIN / "rouse-echo", "xdp:rack0", SERVER, self._blocks, self._window]


class RouseFiles(Rouse):
    def __init__(self, files, machines):
        super().__init__(macs(load.FIRST_MAC, machines), files, load.FIRST_ADDRESS)

    def cpu_seconds(self):
        """Of both processes: every transfer is on its machine's timeline, too."""
        return super().cpu_seconds() + self.management_cpu_seconds()
