"""Another DHCP server on the rack (dnsmasq), for the time of a test: a namespace of its own on the bridge."""

from appliance import within
from side_network import SideNetwork

NAMESPACE, ADDRESS = "rouse-foreign", "10.77.0.2"


class ForeignServer(SideNetwork):
    """Gives the addresses of 10.77.250.0/24 and knows nothing of booting."""

    NAMESPACES = (NAMESPACE,)
    LAYOUT = f"""
link add foreign0 netns {NAMESPACE} type veth peer name foreign-br netns rouse-client
-n rouse-client link set foreign-br master br0 up
-n {NAMESPACE} address add {ADDRESS}/16 dev foreign0
-n {NAMESPACE} link set foreign0 up
"""
    LINKS = (("rouse-client", "foreign-br"),)
    SAYS = "sockets bound exclusively"

    def __init__(self, tmp_path):
        super().__init__(tmp_path / "dnsmasq.log")
        self.leases = tmp_path / "dnsmasq.leases"

    def prepare(self):
        within(NAMESPACE, "ethtool", "-K", "foreign0", "tx", "off")  # see scripts/rack

    def command(self):
        return ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--user=root", "--no-ping",
                "--interface=foreign0", "--bind-interfaces", "--dhcp-range=10.77.250.1,10.77.250.254,1h",
                "--log-facility=-", f"--dhcp-leasefile={self.leases}", f"--pid-file={self.leases}.pid"]
