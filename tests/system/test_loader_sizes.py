"""Loaders fetch files of all sizes around a block and around the wrap of the block numbers, and it is shown that all of them
are equal by SHA-256: by the loader itself where it can sum (GRUB, U-Boot), else by the kernel that it starts with them
(iPXE, pxelinux) or by what it wrote on a disk (UEFI's shell)."""

import hashlib
import pathlib
import re
import stat
import subprocess

import cpio
import pytest
from appliance import SERVER
from firmware import IPXE, power_on, story
from test_firmware import u_boot_script
from tftp import around, content_of

WRAP = 1 << 16  # blocks
SYSLINUX = pathlib.Path("/usr/lib/syslinux/modules/bios")
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


def completed(appliance, machine):
    """Bytes of each file that the timeline calls complete."""
    return {entry["details"]["file"]: entry["details"]["bytes"] for entry in appliance.timeline(machine)
            if entry["event"] == "tftp_complete"}


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
    contents = contents_for(1468)
    commands = [f"tftpboot ${{kernel_addr_r}} {name} && hash sha256 ${{kernel_addr_r}} ${{filesize}}" for name in contents]
    script = "\n".join([*commands, "echo rouse: that is all", "poweroff", ""])
    power_on(appliance, tmp_path, "uboot", "rouse: that is all",
             {"boot.scr.uimg": u_boot_script(script.encode()), **contents}, loaders={})
    console = (tmp_path / "vm2.serial").read_text(errors="replace")
    assert re.findall(r"==> ([0-9a-f]{64})", console) == [sha256(content) for content in contents.values()]


# The machine's own sums of what its loader gave the kernel, in place of the ramdisk's agent.
SUMS = b"""#!/bin/sh
export PATH=/bin
mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
cd /sizes && sha256sum *
echo rouse: that is all
poweroff -f
"""


def sums_archive():
    return (cpio.directory("sizes") + cpio.entry("sums", SUMS, stat.S_IFREG | 0o755) + cpio.trailer())


def assert_sums(tmp_path, contents):
    console = (tmp_path / "vm2.serial").read_text(errors="replace")
    said = dict(reversed(line) for line in re.findall(r"([0-9a-f]{64})  (size-\d+)", console))
    assert said == {name: sha256(content) for name, content in contents.items()}


def test_ipxe_gets_every_byte(appliance, boot_files, tmp_path):
    contents = contents_for(1432)
    initrds = [f"initrd tftp://${{next-server}}/{name} /sizes/{name}" for name in contents]
    script = "\n".join(["#!ipxe", "kernel tftp://${next-server}/vmlinuz console=ttyS0 quiet rdinit=/sums",
                        *(f"initrd tftp://${{next-server}}/{name}" for name in ("initrd.img", "sums.cpio")), *initrds, "boot", ""])
    power_on(appliance, tmp_path, "bios", "rouse: that is all",
             {"sizes.ipxe": script.encode(), "sums.cpio": sums_archive(), **boot_files, **contents}, MEMORY,
             loaders={"bios": "sizes.ipxe"})
    assert_sums(tmp_path, contents)


def test_ipxe_gets_every_byte_by_http(appliance, boot_files, tmp_path):
    contents = contents_for(1432)
    initrds = [f"initrd http://{SERVER}/boot/{name} /sizes/{name}" for name in contents]
    script = "\n".join(["#!ipxe", f"kernel http://{SERVER}/boot/vmlinuz console=ttyS0 quiet rdinit=/sums",
                        *(f"initrd http://{SERVER}/boot/{name}" for name in ("initrd.img", "sums.cpio")), *initrds, "boot", ""])
    machine = power_on(appliance, tmp_path, "bios", "rouse: that is all",
                       {"sizes.ipxe": script.encode(), "sums.cpio": sums_archive(), **boot_files, **contents}, MEMORY,
                       loaders={"bios": "sizes.ipxe"})
    assert_sums(tmp_path, contents)
    assert f"http_complete size-{WRAP * 1432 + 1}" in story(appliance, machine)


def test_pxelinux_gets_every_byte(appliance, boot_files, tmp_path):
    """It hands all ramdisks to the kernel in one piece, so each file is an archive of its own."""
    block = 1408
    archives = {f"size-{size}": cpio.of_size(size, f"sizes/size-{size}", content_of) for size in sizes_for(block)}
    initrds = ",".join(["initrd.img", "sums.cpio", *archives])
    config = f"SERIAL 0 115200\nDEFAULT sizes\nLABEL sizes\n KERNEL vmlinuz\n INITRD {initrds}\n APPEND console=ttyS0 quiet rdinit=/sums\n"
    machine = power_on(appliance, tmp_path, "bios", "rouse: that is all", {
        "pxelinux.0": pathlib.Path("/usr/lib/PXELINUX/pxelinux.0"), "ldlinux.c32": SYSLINUX / "ldlinux.c32",
        "pxelinux.cfg/default": config.encode(), "sums.cpio": sums_archive(), **boot_files,
        **{name: archive for name, (archive, _) in archives.items()}}, MEMORY, loaders={"bios": "pxelinux.0"})
    assert_sums(tmp_path, {name: content for name, (_, content) in archives.items() if content is not None})
    bytes_of = completed(appliance, machine)
    assert all(bytes_of.get(f"size-{size}") == size for size in sizes_for(block) if size), bytes_of


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
