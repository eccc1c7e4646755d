"""Loaders fetch files of all sizes around a block and around the wrap of the block numbers, and say themselves what came: GRUB
by SHA-256, U-Boot by CRC-32 (it has no other sum), iPXE by the number of bytes (it has none)."""

import hashlib
import re
import subprocess
import zlib

import pytest
from firmware import power_on, story
from test_firmware import u_boot_script
from tftp import around, content_of

WRAP = 1 << 16  # blocks


def sizes_for(block):
    """Nothing, a byte, around one block, and the first size that needs a block number twice."""
    return [*around(block), WRAP * block + 1]


@pytest.fixture
def files():
    def make(block):
        return {f"size-{size}": content_of(size) for size in sizes_for(block)}
    return make


def completed(appliance, machine):
    """Bytes of each file that the timeline calls complete."""
    return {entry["details"]["file"]: entry["details"]["bytes"] for entry in appliance.timeline(machine)
            if entry["event"] == "tftp_complete"}


def test_grub_finds_every_file_equal(appliance, tmp_path, files):
    contents = files(1024)
    grub = tmp_path / "grubx64.efi"
    subprocess.run(["grub-mkimage", "-O", "x86_64-efi", "-o", grub, "-p", "/grub", "efinet", "tftp", "normal", "echo", "test",
                    "hashsum", "gcry_sha256"], check=True)
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  /{name}\n" for name, content in contents.items())
    config = b"if hashsum --hash sha256 --check /sums; then\n echo rouse: every file is equal\nelse\n echo rouse: they differ\nfi\n"
    machine = power_on(appliance, tmp_path, "uefi", "rouse: every file is equal",
                       {"grubx64.efi": grub, "grub/grub.cfg": config, "sums": sums.encode(), **contents},
                       loaders={"x64-uefi": "grubx64.efi"})
    assert f"tftp_complete size-{WRAP * 1024 + 1}" in story(appliance, machine)


def test_uboot_finds_every_file_equal(appliance, tmp_path, files):
    contents = {name: content for name, content in files(1468).items() if content}  # it has no sum of nothing
    commands = [f"tftpboot ${{kernel_addr_r}} {name} && crc32 ${{kernel_addr_r}} ${{filesize}}" for name in contents]
    script = "\n".join([*commands, "echo rouse: that is all", "poweroff", ""])
    power_on(appliance, tmp_path, "uboot", "rouse: that is all",
             {"boot.scr.uimg": u_boot_script(script.encode()), **contents}, loaders={})
    console = (tmp_path / "vm2.serial").read_text(errors="replace")
    assert re.findall(r"==> ([0-9a-f]{8})", console) == [f"{zlib.crc32(content):08x}" for content in contents.values()]


def test_ipxe_gets_every_byte(appliance, tmp_path, files):
    contents = files(1432)
    fetches = [f"imgfetch tftp://${{next-server}}/{name} && imgstat && imgfree" for name in contents]
    script = "\n".join(["#!ipxe", *fetches, "echo rouse: that is all", "poweroff", ""])
    machine = power_on(appliance, tmp_path, "bios", "rouse: that is all", {"sizes.ipxe": script.encode(), **contents},
                       loaders={"bios": "sizes.ipxe"})
    console = (tmp_path / "vm2.serial").read_text(errors="replace")
    for name, content in contents.items():
        assert re.search(rf"{name} : {len(content)} bytes", console), name
        if content:  # of an empty file it acknowledges nothing
            assert completed(appliance, machine)[name] == len(content)
