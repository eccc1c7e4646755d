"""DPDK carries the frames, and no kernel is between: real firmware on a vhost-user card, the host's share of the card, and
a dataplane that was killed. The protocol tests run over DPDK too, when ROUSE_PORT says so (scripts/test)."""

import contextlib
import socket
import struct
import threading
import time

import pytest
from appliance import CLIENT_MAC, SERVER, SERVER_MAC, VirtualMachine, in_order, on_appliance, on_client, wait_until
from conftest import serving
from firmware import IPXE, MAC, power_on, told
from test_load import FIRST_MAC, load
from wire import inside, mac_bytes, packet_socket

SOCKET = "/dev/shm/rouse-appliance-vhost"
VHOST = f"dpdk:net_vhost0,iface={SOCKET}"
CLIENT = "10.77.9.9"
ARP = struct.Struct("!HHBBH6s4s6s4s")


@pytest.fixture
def appliance(rack):
    """Joined to one machine's card; the rack's bridge leads nowhere."""
    with serving("--port", VHOST) as appliance:
        yield appliance


def test_bios_boots_by_vhost_user(appliance, ramdisk_profile, boot_files, tmp_path):
    machine = appliance.add_machine("node1", MAC, boot_profile="ramdisk")
    vm = VirtualMachine("vm1", MAC, tmp_path, "rouse: agent home", 240, "--vhost", SOCKET)
    try:
        vm.wait()  # the agent's call home is HTTP: by the same card to the kernel
    finally:
        vm.stop()
    wait_until("the machine is in service", lambda: appliance.machine(machine)["status"] == "ACTIVE")
    in_order(appliance.events(machine), "dhcp_discover", "dhcp_ack", "tftp_complete", "kernel_up", "agent_home")
    assert appliance.metric("rouse_frames_to_host_total") > 0


def test_uefi_boots_by_vhost_user(appliance, boot_files, tmp_path):
    machine = power_on(appliance, tmp_path, "uefi", "rouse: agent home", {"snponly.efi": IPXE / "snponly.efi", **boot_files},
                       options=("--vhost", SOCKET), loaders={"x64-uefi": "snponly.efi"}, kernel="vmlinuz",
                       initrds=["initrd.img"], cmdline="console=ttyS0 quiet rouse.after=poweroff")
    told(appliance, machine, "dhcp_discover PXE firmware", "dhcp_ack snponly.efi", "tftp_complete snponly.efi",
         "dhcp_discover iPXE", "tftp_complete boot.ipxe", "tftp_complete vmlinuz", "tftp_complete initrd.img", "agent_home")


def test_a_killed_dataplane_comes_back_to_its_socket(appliance, tmp_path):
    appliance.add_machine("simulated", FIRST_MAC)
    card = f"dpdk:net_virtio_user0,path={SOCKET},queue_size=256"
    assert load(tmp_path, 1, port=card)["exchanges"] == 1
    appliance.kill("dataplane")
    began = time.monotonic()
    appliance.start("--port", VHOST)
    wait_until("the second start", lambda: appliance.log("dataplane").count("serving on dpdk:net_vhost0") == 2)
    print(f"serves again after {time.monotonic() - began:.1f} s, the management plane's start included")
    assert load(tmp_path, 1, port=card)["exchanges"] == 1


@pytest.fixture
def on_rack0(rack):
    """Joined to the rack's cable by DPDK's af_packet driver; client0 is a registered machine."""
    with serving("--port", "dpdk:net_af_packet0,iface=rack0") as appliance:
        appliance.add_machine("client", CLIENT_MAC, ip=CLIENT)
        on_client("ip", "address", "add", f"{CLIENT}/16", "dev", "client0")
        yield appliance
        on_client("ip", "-4", "address", "flush", "dev", "client0")


def ask_for(target, raw):
    """The hardware addresses that answer an ARP request for TARGET within a second."""
    client, everybody = mac_bytes(CLIENT_MAC), b"\xff" * 6
    request, reply = 1, 2
    raw.send(everybody + client + b"\x08\x06" + ARP.pack(1, 0x800, 6, 4, request, client, socket.inet_aton(CLIENT), bytes(6),
                                                         socket.inet_aton(target)))
    answers, deadline = [], time.monotonic() + 1
    while time.monotonic() < deadline:
        try:
            frame = raw.recv(2048)
        except BlockingIOError:
            time.sleep(0.01)
            continue
        if frame[12:14] == b"\x08\x06" and frame[6:12] != client:
            fields = ARP.unpack_from(frame, 14)
            if fields[4] == reply and fields[6] == socket.inet_aton(target):
                answers.append(fields[5].hex(":"))
    return answers


def test_the_worker_answers_for_the_address(on_rack0):
    raw = packet_socket("rouse-client", "client0")
    assert ask_for(SERVER, raw) == [SERVER_MAC]  # once: by the worker, not by the kernel as well
    assert ask_for("10.77.0.99", raw) == []
    raw.close()
    answer = on_client("busybox", "ping", "-c", "5", "-i", "0.2", "-s", "1400", SERVER)
    assert "5 packets received" in answer.stdout


def test_the_worker_answers_over_ipv6(on_rack0):
    link_local = "fe80::5eff:fe00:1"  # of rack0's hardware address
    on_client("ip", "address", "replace", "fe80::77/64", "dev", "client0", "nodad")  # other tests may have taken its own
    answer = on_client("busybox", "ping", "-6", "-c", "3", "-i", "0.2", f"{link_local}%client0")
    assert "3 packets received" in answer.stdout


def test_the_host_serves_and_calls_through_the_same_card(on_rack0, tmp_path):
    content = bytes(range(256)) * 40_000  # 10 MB
    on_rack0.put_image("big", content)
    wait_until("the rack-side listener", lambda: "machines are served on" in on_rack0.log("mgmt"))
    for out, url in (("http", f"http://{SERVER}/boot/big"), ("tftp", f"tftp://{SERVER}/big")):
        on_client("curl", "-sS", "--tftp-blksize", "1428", "-m", "60", "-o", tmp_path / out, url)
        assert (tmp_path / out).read_bytes() == content
    # The other way round: the host asks for the client's hardware address, and hears the answer.
    answer = on_appliance("busybox", "ping", "-c", "3", "-i", "0.2", CLIENT)
    assert "3 packets received" in answer.stdout
    assert on_rack0.metric("rouse_frames_to_host_total") > 100


@contextlib.contextmanager
def echoing(namespace, address):
    """A TCP server that sends back all that one client sends."""
    server = inside(namespace, lambda: socket.create_server(address))
    server.settimeout(30)

    def serve():
        connection = server.accept()[0]
        with connection:
            while part := connection.recv(65536):
                connection.sendall(part)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.close()
        thread.join(10)


@pytest.mark.parametrize("caller, callee, address", [
    ("rouse-client", "rouse-appliance", (SERVER, 2222)), ("rouse-appliance", "rouse-client", (CLIENT, 2222))],
    ids=["to the host", "from the host"])
def test_tcp_through_the_same_card(on_rack0, caller, callee, address):
    """Whatever speaks TCP, such as SSH, both ways at once."""
    content, back = bytes(range(256)) * 8000, bytearray()  # 2 MB
    with echoing(callee, address):
        connection = inside(caller, lambda: socket.create_connection(address, timeout=30))

        def listen():
            while len(back) < len(content) and (part := connection.recv(65536)):
                back.extend(part)

        with connection:
            listener = threading.Thread(target=listen, daemon=True)
            listener.start()
            connection.sendall(content)
            listener.join(60)
    assert bytes(back) == content
