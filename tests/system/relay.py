"""A second rack behind a router that relays DHCP, for the time of a test.

    br0 ══ relay-br │ up0 10.77.254.1/16   rouse-relay   down0 10.78.0.1/16 │ far0   rouse-far
"""

from appliance import SERVER, within
from side_network import SideNetwork

UPPER, LOWER = "10.77.254.1", "10.78.0.1"
FAR_MAC = "02:00:5e:30:00:01"  # of far0
FAR_POOL = {"cidr": "10.78.0.0/16", "gateway": LOWER, "range_start": "10.78.1.1", "range_end": "10.78.1.254",
            "lease_seconds": 3600, "dns_servers": [SERVER]}


class Relay(SideNetwork):
    """isc-dhcp-relay and the kernel's router."""

    NAMESPACES = ("rouse-relay", "rouse-far")
    LAYOUT = f"""
link add up0 netns rouse-relay type veth peer name relay-br netns rouse-client
link add down0 netns rouse-relay type veth peer name far0 address {FAR_MAC} netns rouse-far
-n rouse-client link set relay-br master br0 up
-n rouse-relay address add {UPPER}/16 dev up0
-n rouse-relay address add {LOWER}/16 dev down0
-n rouse-relay link set up0 up
-n rouse-relay link set down0 up
-n rouse-far link set far0 up
-n rouse-appliance route replace 10.78.0.0/16 via {UPPER}
"""
    LINKS = (("rouse-client", "relay-br"), ("rouse-far", "far0"))
    SAYS = "Sending on   Socket"

    def __init__(self, tmp_path, *options):
        super().__init__(tmp_path / "dhcrelay.log")
        self.options = options

    def prepare(self):
        # What is not yet checksummed must not come to a receiver of raw frames (see scripts/rack).
        for namespace, interface in (("rouse-relay", "up0"), ("rouse-relay", "down0"), ("rouse-far", "far0")):
            within(namespace, "ethtool", "-K", interface, "tx", "off", "sg", "off", "tso", "off", "gso", "off", "gro", "off")
        within("rouse-client", "ethtool", "-K", "relay-br", "gro", "off")
        within("rouse-relay", "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")

    def command(self):
        return ["dhcrelay", "-4", "-d", "--no-pid", *self.options, SERVER]
