#!/usr/bin/env python3
"""Writes a fuzz target's seeds, each distinct one once, from captures (.pcap) and from files with one input per line
in hexadecimal: .hex as a capture's frames are, .corpus whole, as an earlier run kept it."""

import argparse
import hashlib
import pathlib
import struct
from collections.abc import Iterator

UDP = 17


def captured(data: bytes) -> Iterator[bytes]:
    at = 24
    while at + 16 <= len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at + 16 : at + 16 + length]
        at += 16 + length


def payload(frame: bytes, port: int) -> bytes | None:
    """What an Ethernet frame carries to this UDP port over IPv4."""
    if len(frame) < 42 or frame[12:14] != b"\x08\x00" or frame[23] != UDP:
        return None
    udp = 14 + (frame[14] & 0xF) * 4
    destination, length = struct.unpack_from("!HH", frame, udp + 2)
    return frame[udp + 8 : udp + length] if destination == port else None


def inputs(file: pathlib.Path, udp_port: int | None) -> Iterator[bytes]:
    if file.suffix != ".pcap":
        for line in file.read_text().splitlines():
            if line and not line.startswith("#"):
                yield bytes.fromhex(line)
        return
    for frame in captured(file.read_bytes()):
        found = frame if udp_port is None else payload(frame, udp_port)
        if found is not None:
            yield found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--choices", metavar="BYTE", type=lambda text: bytes([int(text, 0)]), default=b"",
                        help="goes in front of every seed but a corpus's")
    parser.add_argument("--udp-port", metavar="PORT", type=int, help="of captures, only what was sent to this port")
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("files", type=pathlib.Path, nargs="+", metavar="file")
    given = parser.parse_args()
    given.directory.mkdir(parents=True, exist_ok=True)
    for file in given.files:
        choices = b"" if file.suffix == ".corpus" else given.choices
        for found in inputs(file, given.udp_port):
            seed = choices + found
            (given.directory / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)


if __name__ == "__main__":
    main()
