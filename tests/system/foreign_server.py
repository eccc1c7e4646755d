"""Another DHCP server on the rack (dnsmasq), for the time of a test: a namespace of its own on the bridge."""

import subprocess

from appliance import spawn, wait_until, within

NAMESPACE, ADDRESS = "rouse-foreign", "10.77.0.2"
LAYOUT = f"""
link add foreign0 netns {NAMESPACE} type veth peer name foreign-br netns rouse-client
-n rouse-client link set foreign-br master br0 up
-n {NAMESPACE} address add {ADDRESS}/16 dev foreign0
-n {NAMESPACE} link set foreign0 up
"""


class ForeignServer:
    """Gives the addresses of 10.77.250.0/24 and knows nothing of booting. Use it as a context."""

    def __init__(self, tmp_path):
        self.log, self.leases, self.process = tmp_path / "dnsmasq.log", tmp_path / "dnsmasq.leases", None

    def __enter__(self):
        self.remove()
        try:
            subprocess.run(["ip", "netns", "add", NAMESPACE], check=True)
            for line in LAYOUT.strip().splitlines():
                subprocess.run(["ip", *line.split()], check=True)
            within(NAMESPACE, "ethtool", "-K", "foreign0", "tx", "off")  # see scripts/rack
            self.process = spawn(
                NAMESPACE, "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--user=root", "--no-ping",
                "--interface=foreign0", "--bind-interfaces", "--dhcp-range=10.77.250.1,10.77.250.254,1h", "--log-facility=-",
                f"--dhcp-leasefile={self.leases}", f"--pid-file={self.leases}.pid", log=self.log)
            wait_until("the other server listens", lambda: "sockets bound exclusively" in self.log.read_text())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            self.process.wait(10)
        self.remove()

    @staticmethod
    def remove():
        subprocess.run(["ip", "-n", "rouse-client", "link", "del", "foreign-br"], stderr=subprocess.DEVNULL)
        subprocess.run(["ip", "netns", "del", NAMESPACE], stderr=subprocess.DEVNULL)
