"""Whole boots: how long until N machines that power on at once are up, each with its lease and the files of an
installer. Held against the time that the frame echo needs for as many bytes."""

import pathlib

import load
from results import Plot, Result
from servers import Rouse, macs
from tftp_servers import Echo

TREE = pathlib.Path("/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64")
NAMES = ("bootnetx64.efi", "grubx64.efi", "linux", "initrd.gz")  # shim, GRUB, kernel, ramdisk
SHARE_IF_QUICK = 1 / 32
PATIENCE = 600  # seconds


def installer(quick):
    """Its files, bytes by name; when it has to be quick, the first part of each."""
    files = {name: (TREE / name).read_bytes() for name in NAMES}
    return {name: content[:int(len(content) * SHARE_IF_QUICK)] for name, content in files.items()} if quick else files


def goodput_limit(machines, seconds):
    """Bytes per second that the port gives so many clients, whatever the server."""
    with Echo({"f": bytes(10_000_000)}) as echo:
        del echo
        return load.fetch(machines, "f", seconds, verify=False)["bytes_per_second"]


def boot(machines, files):
    """One avalanche: all power on, lease, fetch, compare."""
    named = [option for name, path in files.items() for option in ("--file", f"{name}={path}")]
    return load.run(machines, "--scenario", "avalanche", "--kind", "ipxe-efi", "--block-size", load.BLOCK,
                    "--drain", PATIENCE, *named, timeout=PATIENCE + 60)


def bench(quick, say):
    racks = (10, 100, 1000)
    content = installer(quick)
    size = sum(map(len, content.values()))
    kept = {name: load.keep(one) for name, one in content.items()}
    seconds, limits = {}, {}
    try:
        with Rouse(macs(load.FIRST_MAC, max(racks)), content):
            for machines in racks:
                report = boot(machines, kept)
                if report["up"] != machines:
                    raise RuntimeError(f"{report['up']} of {machines} machines came up, {report['corrupt']} files were "
                                       f"not equal, {report['failed']} machines gave up")
                seconds[machines] = report["boot_us"]["max"] / 1e6
                say(f"boot: {machines} machines up in {seconds[machines]:.1f} s")
    finally:
        for path in kept.values():
            path.unlink()
    for machines in racks:
        limits[machines] = machines * size / goodput_limit(machines, 1 if quick else 5)
    return results_of(seconds, limits, size)


def results_of(seconds, limits, size):
    most = max(seconds)
    what = f"{size / 1e6:.1f} MB each of Debian's installer"
    return [
        Result("boot/veth/all_up", seconds[most], "s", ("bytes at the frame echo's goodput", limits[most]),
               wanted="at most 1.3 x the limit", reached=seconds[most] <= 1.3 * limits[most],
               note=f"{most} machines at once, {what}: lease, ARP, files compared"),
        Plot("boot-time", "Time until all machines are up", "machines that power on at once", "seconds",
             {"rouse": list(seconds.items()), "bytes / goodput of the frame echo": list(limits.items())}, log_x=True,
             log_y=True, limits=("bytes / goodput of the frame echo",), note=f"{what}; less is better"),
    ]
