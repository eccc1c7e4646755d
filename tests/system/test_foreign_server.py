"""Beside another DHCP server (dnsmasq)."""

from appliance import wait_until
from foreign_server import ADDRESS, ForeignServer
from wire import REQUESTED, SERVER_ID, Message, Port, ip_bytes

MAC = "02:00:5e:20:00:01"


def test_another_server_on_our_network_is_noticed(appliance, tmp_path):
    appliance.add_machine("node", MAC)
    with ForeignServer(tmp_path), Port() as port:
        port.send(Message("discover", MAC, 1))
        offer = port.hear(lambda message: message.type == "offer" and message.server == ADDRESS)
        assert offer, "the other server says nothing"
        chosen = {REQUESTED: ip_bytes(offer.yiaddr), SERVER_ID: offer.options[SERVER_ID]}
        port.send(Message("request", MAC, 1, options=chosen))
        assert port.hear(lambda message: message.type == "ack").server == ADDRESS  # and not ours
    wait_until("it is counted", lambda: appliance.metric("rouse_dhcp_foreign_total") > 0)
