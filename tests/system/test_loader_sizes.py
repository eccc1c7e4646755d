"""Loaders fetch files of all sizes around a block and around the wrap of the block numbers, and it is shown that all of them
are equal: by the loader itself where it can sum (GRUB by SHA-256; Debian's U-Boot knows CRC-32 alone), by what it wrote on a
disk (UEFI's shell, SHA-256), or by the number of bytes (iPXE has no sum)."""

import hashlib
import os
import pathlib
import re
import subprocess
import zlib

import pytest
from appliance import SERVER, console_text
from firmware import power_on, story
from test_firmware import u_boot_script
from tftp import around, content_of

WRAP = 1 << 16  # blocks
EVERY_SIZE = bool(os.environ.get("ROUSE_LARGE_FILES"))  # those that take minutes, too
GRUB_MODULES = ["tftp", "normal", "echo", "test", "hashsum", "gcry_sha256"]
MEMORY = ("--memory", "1536")  # the larger files, and their copies


def sizes_for(block):
    """Nothing, a byte, around one block, and the first size that needs a block number twice. (The sizes that end at the
    wrap are fetched by the clients that take seconds for it, in test_tftp_clients.py.)"""
    return [*around(block), WRAP * block + 1]


def contents_for(block):
    return {f"size-{size}": content_of(size) for size in sizes_for(block)}


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def completed(appliance, machine, ending="tftp_complete"):
    """Bytes of each file that the timeline calls complete."""
    return {entry["details"]["file"]: entry["details"]["bytes"] for entry in appliance.timeline(machine)
            if entry["event"] == ending}


@pytest.mark.parametrize("firmware, kind, image, loader, network", [
    ("uefi", "x86_64-efi", "grubx64.efi", "x64-uefi", "efinet"), ("bios", "i386-pc-pxe", "grub.0", "bios", "pxe")])
def test_grub_finds_every_file_equal(appliance, tmp_path, firmware, kind, image, loader, network):
    contents = contents_for(1024)
    grub = tmp_path / image
    subprocess.run(["grub-mkimage", "-O", kind, "-o", grub, "-p", "/grub", network, *GRUB_MODULES], check=True)
    sums = "".join(f"{sha256(content)}  /{name}\n" for name, content in contents.items())
    config = b"if hashsum --hash sha256 --check /sums; then\n echo rouse: every file is equal\nelse\n echo rouse: they differ\nfi\n"
    machine = power_on(appliance, tmp_path, firmware, "rouse: every file is equal",
                       {image: grub, "grub/grub.cfg": config, "sums": sums.encode(), **contents}, loaders={loader: image})
    assert f"tftp_complete size-{WRAP * 1024 + 1}" in story(appliance, machine)


def test_uboot_finds_every_file_equal(appliance, tmp_path):
    contents = {name: content for name, content in contents_for(1468).items() if content}  # it has no sum of nothing
    commands = [f"tftpboot ${{kernel_addr_r}} {name} && crc32 ${{kernel_addr_r}} ${{filesize}}" for name in contents]
    script = "\n".join([*commands, "echo rouse: that is all", "poweroff", ""])
    power_on(appliance, tmp_path, "uboot", "rouse: that is all",
             {"boot.scr.uimg": u_boot_script(script.encode()), **contents}, loaders={})
    console = console_text(tmp_path / "vm2.serial")
    assert re.findall(r"==> ([0-9a-f]{8})", console) == [f"{zlib.crc32(content):08x}" for content in contents.values()]


@pytest.mark.parametrize("source", ["tftp://${next-server}", f"http://{SERVER}/boot"], ids=["tftp", "http"])
def test_ipxe_gets_every_byte(appliance, tmp_path, source):
    """It has no sum; it counts."""
    contents = contents_for(1432)
    fetches = [f"imgfetch {source}/{name} && imgstat && imgfree" for name in contents]
    script = "\n".join(["#!ipxe", *fetches, "echo rouse: that is all", "poweroff", ""])
    machine = power_on(appliance, tmp_path, "bios", "rouse: that is all", {"sizes.ipxe": script.encode(), **contents},
                       loaders={"bios": "sizes.ipxe"})
    console = console_text(tmp_path / "vm2.serial")
    ending = source.partition(":")[0] + "_complete"
    for name, content in contents.items():
        assert re.search(rf"{name} : {len(content)} bytes", console), name
        if content:  # of an empty file it acknowledges nothing
            assert completed(appliance, machine, ending)[name] == len(content)


def make_disk(path, files):
    """A disk with a FAT file system and FILES, bytes by name."""
    with path.open("wb") as disk:
        disk.truncate(512 << 20)
    subprocess.run(["mkfs.vfat", "-F", "32", path], check=True, capture_output=True)
    for name, content in files.items():
        subprocess.run(["mcopy", "-i", path, "-", f"::{name}"], input=content, check=True, capture_output=True)


def test_uefi_gets_every_byte(appliance, tmp_path):
    """OVMF's own TFTP, by its shell: one block at a time, and windows of 4 and of 64."""
    block = 1468
    contents = contents_for(block)
    windows = {name: window for name, window in zip(contents, (1, 4, 64) * len(contents))}
    fetches = [f"tftp -s {block} -w {windows[name]} {SERVER} {name} {name}" for name in contents]
    script = "\r\n".join(["connect -r", "fs0:", "ifconfig -s eth0 dhcp", "stall 6000000", *fetches, "echo rouse: that is all", "reset -s", ""])
    disk = tmp_path / "disk"
    make_disk(disk, {"startup.nsh": script.encode()})
    machine = power_on(appliance, tmp_path, "uefi-shell", None, contents, ("--disk", str(disk), *MEMORY), loaders={})
    for name, content in contents.items():
        got = subprocess.run(["mcopy", "-i", disk, f"::{name}", "-"], capture_output=True).stdout
        assert sha256(got) == sha256(content), f"{name}: {len(got)} bytes came; {story(appliance, machine)}"


@pytest.mark.parametrize("size", [4096 * 512 - 1, 4096 * 512, 4096 * 512 + 1, WRAP * 512 + 1])
def test_shim_gets_a_second_stage_of_every_size(appliance, tmp_path, size):
    """It sums nothing, but starts only what is whole: GRUB, with so many zeros behind it."""
    tree = pathlib.Path("/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64")
    grub = tmp_path / "grub.efi"
    subprocess.run(["grub-mkimage", "-O", "x86_64-efi", "-o", grub, "-p", "/grub", "efinet", *GRUB_MODULES], check=True)
    config = b"echo rouse: GRUB runs\n"
    machine = power_on(appliance, tmp_path, "uefi", "rouse: GRUB runs", {
        "shim/bootnetx64.efi": tree / "bootnetx64.efi", "shim/grubx64.efi": grub.read_bytes().ljust(size, b"\0"),
        "grub/grub.cfg": config}, loaders={"x64-uefi": "shim/bootnetx64.efi"})
    assert completed(appliance, machine)["shim/grubx64.efi"] == size


def newc(files):
    """A ramdisk's archive of FILES, (mode, content) by name."""
    entries = []
    for name, (mode, content) in {**files, "TRAILER!!!": (0, b"")}.items():
        fields = (0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
        entries.append(head + b"\0" * (-len(head) % 4) + content + b"\0" * (-len(content) % 4))
    return b"".join(entries)


def ramdisk_of(size, name):
    """A ramdisk of so many bytes; what lies behind its file are zeros, which a kernel passes over."""
    room = (size - len(newc({name: (0o100644, b"")}))) // 4 * 4
    return newc({name: (0o100644, content_of(room))}).ljust(size, b"\0") if room > 0 else b"\0" * size


def test_pxelinux_gets_every_byte(appliance, boot_files, tmp_path):
    """It has no sum; the kernel that it starts sums what lay in its ramdisks. The largest takes minutes, so ROUSE_LARGE_FILES=1
    alone fetches it."""
    block = 1408
    sizes = sizes_for(block) if EVERY_SIZE else sizes_for(block)[:-1]
    ramdisks = {f"size-{size}": ramdisk_of(size, f"from-{size}") for size in sizes}
    init = b"#!/bin/sh\n/bin/busybox sha256sum /from-*\necho rouse: that is all\n/bin/busybox poweroff -f\n"
    initrds = ",".join(["initrd.img", *ramdisks, "sums.img"])
    config = (f"DEFAULT sums\nLABEL sums\n KERNEL vmlinuz\n APPEND console=ttyS0 quiet rdinit=/sums initrd={initrds}\n").encode()
    machine = power_on(appliance, tmp_path, "bios", "rouse: that is all", {
        "pxelinux.0": pathlib.Path("/usr/lib/PXELINUX/pxelinux.0"), "pxelinux.cfg/default": config,
        "ldlinux.c32": pathlib.Path("/usr/lib/syslinux/modules/bios/ldlinux.c32"), "vmlinuz": boot_files["vmlinuz"],
        "initrd.img": boot_files["initrd.img"], "sums.img": newc({"sums": (0o100755, init)}), **ramdisks,
    }, MEMORY, loaders={"bios": "pxelinux.0"})
    console = console_text(tmp_path / "vm2.serial")
    for name, content in ramdisks.items():
        if content:  # of an empty file it acknowledges nothing
            assert completed(appliance, machine)[name] == len(content)
    sums = dict(reversed(line.split()) for line in re.findall(r"[0-9a-f]{64}  \S+", console))
    archives = {f"/from-{size}": size for size in sizes if size > block // 2}
    assert sums.keys() == archives.keys()
    for path, size in archives.items():
        room = (size - len(newc({path[1:]: (0o100644, b"")}))) // 4 * 4
        assert sums[path] == sha256(content_of(room)), path
