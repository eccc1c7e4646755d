"""DHCP frames as a program of our own builds and reads them, and a port on the rack that carries them."""

import ctypes
import dataclasses
import ipaddress
import os
import select
import socket
import struct
import time

TYPES = {1: "discover", 2: "offer", 3: "request", 4: "decline", 5: "ack", 6: "nak", 7: "release", 8: "inform"}
NUMBERS = {name: number for number, name in TYPES.items()}
BROADCAST_MAC = "ff:ff:ff:ff:ff:ff"
# Options (RFC 2132, 3046, 4578).
REQUESTED, LEASE_TIME, OVERLOAD, TYPE, SERVER_ID, CLASS, CLIENT_ID, AGENT, ARCHITECTURE = 50, 51, 52, 53, 54, 60, 61, 82, 93
COOKIE = b"\x63\x82\x53\x63"
PXE = {CLASS: b"PXEClient:Arch:00007:UNDI:003000", ARCHITECTURE: b"\x00\x07"}  # what UEFI says of itself
_BOOTP = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s")
_IP = struct.Struct("!BBHHHBBH4s4s")


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def mac_text(octets):
    return octets.hex(":")


def ip_bytes(text):
    return ipaddress.IPv4Address(text).packed


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@dataclasses.dataclass
class Message:
    """One DHCP message with the headers that carried it."""
    type: str
    mac: str                      # chaddr
    xid: int = 0
    ciaddr: str = "0.0.0.0"
    yiaddr: str = "0.0.0.0"
    siaddr: str = "0.0.0.0"
    giaddr: str = "0.0.0.0"
    flags: int = 0
    hops: int = 0
    secs: int = 0
    file: str = ""
    options: dict = dataclasses.field(default_factory=dict)  # code -> bytes, TYPE excepted
    ip_source: str = "0.0.0.0"
    ip_destination: str = "255.255.255.255"
    mac_source: str = ""          # empty: `mac`
    mac_destination: str = BROADCAST_MAC
    source_port: int = 68
    destination_port: int = 67

    @property
    def what(self):
        """Its name; a REQUEST's is the state of the client that sent it (RFC 2131 4.3.2)."""
        if self.type != "request":
            return self.type
        if SERVER_ID in self.options:
            return "selecting"
        if REQUESTED in self.options:
            return "init-reboot"
        return "rebinding" if self.ip_destination == "255.255.255.255" else "renewing"

    @property
    def server(self):
        return str(ipaddress.IPv4Address(self.options[SERVER_ID])) if SERVER_ID in self.options else None

    def frame(self):
        options = bytes((TYPE, 1, NUMBERS[self.type])) + b"".join(
            bytes((code, len(value))) + value for code, value in self.options.items()) + b"\xff"
        from_client = self.type not in ("offer", "ack", "nak")
        payload = (_BOOTP.pack(1 if from_client else 2, 1, 6, self.hops, self.xid, self.secs, self.flags,
                               ip_bytes(self.ciaddr), ip_bytes(self.yiaddr), ip_bytes(self.siaddr), ip_bytes(self.giaddr),
                               mac_bytes(self.mac), b"", self.file.encode()) + COOKIE + options).ljust(300, b"\0")
        udp = struct.pack("!HHHH", self.source_port, self.destination_port, 8 + len(payload), 0)  # 0: not computed
        head = _IP.pack(0x45, 0, 28 + len(payload), 0, 0, 64, 17, 0, ip_bytes(self.ip_source), ip_bytes(self.ip_destination))
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        return mac_bytes(self.mac_destination) + mac_bytes(self.mac_source or self.mac) + b"\x08\x00" + head + udp + payload


def parse(frame):
    """The DHCP message in a frame; None for any other."""
    if len(frame) < 282 or frame[12:14] != b"\x08\x00" or frame[23] != 17:
        return None
    head = 14 + (frame[14] & 15) * 4
    source_port, destination_port = struct.unpack_from("!HH", frame, head)
    bootp = head + 8
    cookie = bootp + _BOOTP.size
    if not {source_port, destination_port} & {67, 68, 4011} or frame[cookie:cookie + 4] != COOKIE:
        return None
    fields = _BOOTP.unpack_from(frame, bootp)
    options, at = {}, cookie + 4
    while at + 1 < len(frame) and frame[at] != 255:
        if frame[at] == 0:
            at += 1
            continue
        options[frame[at]] = options.get(frame[at], b"") + frame[at + 2:at + 2 + frame[at + 1]]
        at += 2 + frame[at + 1]
    kind = options.pop(TYPE, b"\0")[0]
    ciaddr, yiaddr, siaddr, giaddr = map(socket.inet_ntoa, fields[7:11])
    return Message(TYPES.get(kind, "bootp"), mac_text(fields[11][:6]), fields[4], ciaddr, yiaddr, siaddr, giaddr, fields[6],
                   fields[3], fields[5], fields[13].split(b"\0")[0].decode(errors="replace"), options,
                   socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34]), mac_text(frame[6:12]),
                   mac_text(frame[:6]), source_port, destination_port)


def inside(namespace, make):
    """What MAKE() returns, such as a socket, made in another network namespace; this thread stays in its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    clone_newnet = 0x40000000

    def enter(descriptor):
        if libc.setns(descriptor, clone_newnet) != 0:
            raise OSError(ctypes.get_errno(), f"no way into the network namespace {namespace}")

    home, there = os.open("/proc/thread-self/ns/net", os.O_RDONLY), os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        enter(there)
        try:
            return make()
        finally:
            enter(home)
    finally:
        os.close(home)
        os.close(there)


def packet_socket(namespace, interface):
    """A raw socket on an interface of another network namespace."""
    def make():
        every_protocol = 3  # ETH_P_ALL: what leaves the interface, too
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(every_protocol))
        raw.bind((interface, 0))
        return raw

    raw = inside(namespace, make)
    so_rcvbufforce = 33
    raw.setsockopt(socket.SOL_SOCKET, so_rcvbufforce, 64 << 20)
    raw.setblocking(False)
    return raw


class Port:
    """A place on the rack where DHCP is heard, in both directions, and said. Remembers nothing it was not asked for."""

    def __init__(self, interface="client0", namespace="rouse-client"):
        self.socket = packet_socket(namespace, interface)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, message):
        self.socket.send(message.frame())

    def messages(self, seconds):
        """Each DHCP message as it passes, until SECONDS are over."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self.socket], [], [], left)[0]:
                return
            message = parse(self.socket.recv(4096))
            if message:
                yield message

    def story(self, *expected, seconds=15):
        """Listens until the messages named in EXPECTED went by in that order, others between them; returns those."""
        heard, matched = [], []
        for message in self.messages(seconds):
            heard.append(message)
            if message.what == expected[len(matched)]:
                matched.append(message)
                if len(matched) == len(expected):
                    return matched
        names = [f"{message.what} {message.ciaddr} {message.yiaddr}" for message in heard]
        raise AssertionError(f"not within {seconds} s: {expected[len(matched):]}; heard {names}")

    def hear(self, condition, seconds=5):
        """The first message that meets the condition; None when none came."""
        return next(filter(condition, self.messages(seconds)), None)

    def ask(self, message, seconds=2):
        """Sends and returns the answer; None when there is silence."""
        self.send(message)
        return self.hear(lambda answer: answer.xid == message.xid and answer.mac == message.mac and
                         answer.type in ("offer", "ack", "nak"), seconds)
