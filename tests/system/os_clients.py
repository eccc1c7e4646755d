"""The DHCP clients of operating systems: each is started, told, and stopped in its own way."""

import os
import signal

from appliance import SERVER, spawn, within

# What they call when they have something to say. It keeps a released address: the kernel may still be asking for the
# way to the server, with the RELEASE in its hand.
HOOK = """#!/bin/sh
case "$1$reason" in
bound|renew|BOUND|RENEW|REBIND|REBOOT)
  ip address replace ${ip:-$new_ip_address}/${mask:-16} dev $interface
  ip route replace default via ${router:-$new_routers} ;;
nak|EXPIRE|FAIL) ip address flush dev $interface ;;
esac
"""


class Client:
    """A client that is in the foreground of its own process; it forgets no lease when it is stopped and started."""
    reboots = True  # asks for the address it had when it starts again (RFC 2131 3.2)
    rebinds = True  # can be brought to ask everybody before its lease is at its end (RFC 2131 4.4.5)

    def __init__(self, directory, namespace="rouse-client", interface="client0"):
        self.directory, self.namespace, self.interface = directory, namespace, interface
        self.process = None
        self.hook = directory / "hook"
        self.hook.write_text(HOOK)
        self.hook.chmod(0o755)

    def run(self, *command):
        self.process = spawn(self.namespace, *command, log=self.directory / "log")

    def do(self, *command):
        within(self.namespace, *command, timeout=20)

    def tell(self, number):
        os.kill(self.process.pid, number)

    def settled(self):
        """Whether it has done what follows from the last ACK."""
        return True

    def stop(self):
        """Killed, and not asked to leave: a machine that loses its power says nothing either."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


class Udhcpc(Client):
    reboots = False
    rebinds = False  # told to renew, it starts all over when its server says nothing

    def start(self, *options):
        self.run("busybox", "udhcpc", "-f", "-i", self.interface, "-s", self.hook, "-t", "5", "-T", "1", *options)

    def renew(self):
        self.tell(signal.SIGUSR1)

    def release(self):
        self.tell(signal.SIGUSR2)


class Dhclient(Client):
    def start(self, server=None):
        """Renews after a second. SERVER: where it is to renew, instead of where it has its lease from."""
        settings = ("initial-interval 1; backoff-cutoff 2; initial-delay 0;\n"
                    "supersede dhcp-renewal-time 1; supersede dhcp-rebinding-time 2;\n")
        if server:
            settings += f"supersede dhcp-server-identifier {server};\n"
        (self.directory / "conf").write_text(settings)
        self.run("dhclient", "-4", "-d", *self.files(), self.interface)

    def files(self):
        return ("-cf", self.directory / "conf", "-lf", self.directory / "leases", "-pf", self.directory / "pid",
                "-sf", self.hook)

    def settled(self):
        """It writes its lease down at the very end."""
        log = (self.directory / "log").read_text(errors="replace")
        return log.rfind("bound to") > log.rfind("DHCPACK")

    def renew(self):
        pass

    def rebind(self):
        """Whom it renews with says nothing, as nobody has that address."""
        self.stop()
        self.start(server="10.77.255.254")

    def release(self):
        self.stop()
        self.do("dhclient", "-4", "-r", *self.files(), self.interface)


class Dhcpcd(Client):
    rebinds = False  # not before 7/8 of a lease, which is at least a minute

    def command(self, *arguments):
        """It knows only one place for its leases and its socket: it sees the test's directory there."""
        for name in ("lib", "run"):
            (self.directory / name).mkdir(exist_ok=True)
        (self.directory / "conf").write_text("noarp\nnoipv4ll\nipv4only\n")
        mounts = (f"mkdir -p /var/lib/dhcpcd /run/dhcpcd; mount --bind {self.directory}/lib /var/lib/dhcpcd; "
                  f"mount --bind {self.directory}/run /run/dhcpcd; exec \"$@\"")
        return ("sh", "-c", mounts, "sh", "dhcpcd", "-f", self.directory / "conf", "-c", "/bin/true", *arguments, self.interface)

    def start(self):
        self.run(*self.command("-B"))

    def renew(self):
        self.do(*self.command("-N"))

    def release(self):
        """It gives up its address in the moment in which it says so: the kernel must know the way by then."""
        self.do("busybox", "ping", "-c", "1", "-W", "5", SERVER)
        self.do(*self.command("-k"))


CLIENTS = [Udhcpc, Dhclient, Dhcpcd]
