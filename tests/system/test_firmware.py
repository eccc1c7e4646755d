"""Firmware and loaders of many kinds take their first steps from the appliance, and the timeline tells of each."""

import pathlib
import struct
import subprocess
import zlib

from appliance import wait_until
from firmware import IPXE, IPXE_STARTS, MAC, power_on, told


def test_uefi_chains_ipxe_by_pxe_and_boots(appliance, boot_files, tmp_path):
    machine = power_on(appliance, tmp_path, "uefi", "rouse: agent home", {"snponly.efi": IPXE / "snponly.efi", **boot_files},
                       loaders={"x64-uefi": "snponly.efi"}, kernel="vmlinuz", initrds=["initrd.img"],
                       cmdline="console=ttyS0 quiet rouse.after=poweroff")
    told(appliance, machine, "dhcp_discover PXE firmware", "dhcp_ack snponly.efi", "tftp_complete snponly.efi", "dhcp_discover iPXE",
         "tftp_complete boot.ipxe", "tftp_complete vmlinuz", "tftp_complete initrd.img", "agent_home")
    wait_until("the machine is in service", lambda: appliance.machine(machine)["status"] == "ACTIVE")


def test_uefi_boots_by_http(appliance, tmp_path):
    machine = power_on(appliance, tmp_path, "uefi-http", IPXE_STARTS, {"efi/ipxe.efi": IPXE / "ipxe.efi"},
                       loaders={"x64-http": "efi/ipxe.efi"})
    told(appliance, machine, "dhcp_discover UEFI HTTP boot", "dhcp_offer efi/ipxe.efi", "dhcp_ack efi/ipxe.efi")


def test_uefi_boots_by_pxe_over_ipv6(rack0_ipv6, appliance, tmp_path):
    appliance.request("PATCH", f"/api/ip-pools/{appliance.pool['id']}/", {"cidr6": "fd00:77::/64"})
    machine = power_on(appliance, tmp_path, "uefi-ipv6", IPXE_STARTS, {"efi/snponly.efi": IPXE / "snponly.efi"},
                       loaders={"x64-uefi": "efi/snponly.efi"})
    told(appliance, machine, "dhcp_discover PXE firmware", "dhcp_offer efi/snponly.efi", "dhcp_ack efi/snponly.efi",
         "tftp_complete efi/snponly.efi")
    given = [entry["details"]["ip"] for entry in appliance.timeline(machine) if entry["event"] == "dhcp_ack"]
    assert given and {*given} == {machine["ip6"]} and machine["ip6"].startswith("fd00:77::")


def test_pxelinux_finds_its_configuration_and_starts_a_kernel(appliance, tmp_path):
    config = b"SERIAL 0 115200\nDEFAULT chain\nLABEL chain\n  SAY rouse: pxelinux reads its configuration\n  KERNEL ipxe.lkrn\n"
    machine = power_on(appliance, tmp_path, "bios", "pxelinux reads its configuration", {
        "pxelinux.0": pathlib.Path("/usr/lib/PXELINUX/pxelinux.0"), "pxelinux.cfg/default": config,
        "ldlinux.c32": pathlib.Path("/usr/lib/syslinux/modules/bios/ldlinux.c32"), "ipxe.lkrn": IPXE / "ipxe.lkrn",
    }, loaders={"bios": "pxelinux.0"})
    told(appliance, machine, "dhcp_ack pxelinux.0", "tftp_complete pxelinux.0", "tftp_missing pxelinux.cfg/0A4D01",
         "tftp_complete pxelinux.cfg/default")


def test_grub_finds_its_configuration_and_chains_a_loader(appliance, tmp_path):
    grub = tmp_path / "grubx64.efi"
    subprocess.run(["grub-mkimage", "-O", "x86_64-efi", "-o", grub, "-p", "/grub", "efinet", "tftp", "normal", "echo", "chain",
                    "boot"], check=True)
    config = b"echo rouse: GRUB reads its configuration\nchainloader /ipxe.efi\nboot\n"
    machine = power_on(appliance, tmp_path, "uefi", IPXE_STARTS, {
        "grubx64.efi": grub, "grub/grub.cfg": config, "ipxe.efi": IPXE / "snponly.efi"}, loaders={"x64-uefi": "grubx64.efi"})
    told(appliance, machine, "dhcp_ack grubx64.efi", "tftp_complete grubx64.efi", "tftp_missing grub/grub.cfg-0A4D01",
         "tftp_complete grub/grub.cfg", "tftp_complete ipxe.efi")


def u_boot_script(text):
    """As mkimage makes it: a legacy image of type script for arm64 (U-Boot's include/image.h)."""
    magic, linux, arm64, script, plain = 0x27051956, 5, 22, 6, 0
    data = struct.pack("!II", len(text), 0) + text

    def head(checksum):
        return struct.pack("!7I4B32s", magic, checksum, 0, len(data), 0, 0, zlib.crc32(data), linux, arm64, script, plain, b"")
    return head(zlib.crc32(head(0))) + data


def test_uboot_gets_the_file_that_it_asks_for(appliance, tmp_path):
    """It names the file itself, in DHCP's `file` field; no profile says anything about it."""
    machine = power_on(appliance, tmp_path, "uboot", "rouse: the script runs",
                       {"boot.scr.uimg": u_boot_script(b"echo rouse: the script runs\npoweroff\n")}, loaders={})
    told(appliance, machine, "dhcp_discover U-Boot", "dhcp_ack", "tftp_complete boot.scr.uimg")


KERNEL = {"kernel": "vmlinuz", "initrds": ["initrd.img"], "cmdline": "console=ttyS0 quiet rouse.after=poweroff"}


def test_pxelinux_boots_by_the_configuration_that_was_made_for_the_machine(appliance, boot_files, tmp_path):
    """The card's ROM is iPXE, for which there is a script; the profile's own in its place sends it to pxelinux."""
    chain = {"name": "boot.ipxe", "content": "#!ipxe\nchain tftp://${next-server}/pxelinux.0\n"}
    machine = power_on(appliance, tmp_path, "bios", "rouse: agent home", {
        "pxelinux.0": pathlib.Path("/usr/lib/PXELINUX/pxelinux.0"),
        "ldlinux.c32": pathlib.Path("/usr/lib/syslinux/modules/bios/ldlinux.c32"), **boot_files},
        templates=[chain], **KERNEL)
    told(appliance, machine, f"tftp_complete pxelinux.cfg/01-{MAC.replace(':', '-')}", "tftp_complete vmlinuz",
         "tftp_complete initrd.img", "agent_home")


def test_grub_boots_by_the_configuration_that_was_made_for_the_machine(appliance, boot_files, tmp_path):
    grub = tmp_path / "grubx64.efi"
    subprocess.run(["grub-mkimage", "-O", "x86_64-efi", "-o", grub, "-p", "/grub", "efinet", "tftp", "normal", "echo", "linux",
                    "sleep", "test"], check=True)
    machine = power_on(appliance, tmp_path, "uefi", "rouse: agent home", {"grubx64.efi": grub, **boot_files},
                       loaders={"x64-uefi": "grubx64.efi"}, **KERNEL)
    told(appliance, machine, f"tftp_complete grub/grub.cfg-01-{MAC.replace(':', '-')}", "tftp_complete vmlinuz",
         "tftp_complete initrd.img", "agent_home")
