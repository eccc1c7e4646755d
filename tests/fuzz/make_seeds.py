#!/usr/bin/env python3
"""Writes a fuzz target's seeds: each distinct frame, after a byte of the target's choices.

make_seeds.py DIRECTORY CHOICES FILE...    FILE: a capture (.pcap), or frames in hexadecimal, one per line
"""

import hashlib
import pathlib
import struct
import sys
from collections.abc import Iterator


def captured(data: bytes) -> Iterator[bytes]:
    at = 24
    while at + 16 <= len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at + 16 : at + 16 + length]
        at += 16 + length


def frames(file: pathlib.Path) -> Iterator[bytes]:
    if file.suffix == ".pcap":
        yield from captured(file.read_bytes())
        return
    for line in file.read_text().splitlines():
        if line and not line.startswith("#"):
            yield bytes.fromhex(line)


def main() -> None:
    directory, choices = pathlib.Path(sys.argv[1]), int(sys.argv[2], 0)
    directory.mkdir(parents=True, exist_ok=True)
    for file in map(pathlib.Path, sys.argv[3:]):
        for frame in frames(file):
            seed = bytes([choices]) + frame
            (directory / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)


if __name__ == "__main__":
    main()
