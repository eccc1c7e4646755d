"""Debian's installer, as Debian packs it, by its signed boot chain."""

import json
import os
import pathlib
import re
import subprocess
import time

from appliance import HOME, ROOT, VirtualMachine, wait_until

TREE = pathlib.Path("/usr/lib/debian-installer/images/12/amd64/text")
MAC = "52:54:00:00:12:34"


def rousectl(appliance, *words):
    """Runs it as the administrator and returns what it answers as JSON."""
    environment = {**os.environ, "ROUSE_URL": appliance.settings["ROUSE_URL"],
                   "ROUSE_TOKEN": appliance.settings["ROUSE_TOKEN"]}
    done = subprocess.run([ROOT / "build" / "release" / "bin" / "rousectl", *words, "-o", "json"], env=environment,
                          check=True, capture_output=True, text=True, timeout=300)
    return json.loads(done.stdout)


def import_tree(appliance, *more):
    assert TREE.is_dir(), "the package debian-installer-12-netboot-amd64 is missing: run scripts/setup"
    return rousectl(appliance, "image", "import", str(TREE), *more)


def test_the_tree_is_imported_whole(appliance):
    done = import_tree(appliance)
    assert done["skipped"] == []
    files = {str(path.relative_to(TREE)) for path in TREE.rglob("*") if path.is_file()}
    # What rglob does not follow: the directory that is a link.
    files |= {"pxelinux.cfg/" + path.name for path in (TREE / "pxelinux.cfg").iterdir()}
    names = {image["name"] for image in appliance.get("/api/images/")}
    assert names == files and done["files"] == len(files) == done["created"]

    again = import_tree(appliance, "--as", "debian/12")
    assert again["created"] == len(files) and again["bytes"] == done["bytes"]
    one = appliance.get("/api/images/?prefix=debian/12/version")
    assert [image["name"] for image in one] == ["debian/12/version.info"]
    checks = rousectl(appliance, "image", "verify", "debian/12/version.info", "pxelinux.cfg/default")
    assert [check["state"] for check in checks] == ["good", "good"]


def test_a_damaged_image_is_found_and_healed(appliance):
    import_tree(appliance)
    image = appliance.get("/api/images/?prefix=version.info")[0]
    stored = HOME / "state" / "images" / "sha256" / image["sha256"]
    stored.chmod(0o644)
    stored.write_bytes(b"x" * image["size"])
    assert appliance.request("POST", "/api/image-checks/version.info/")["state"] == "damaged"
    import_tree(appliance)
    assert appliance.request("POST", "/api/image-checks/version.info/")["state"] == "good"


def test_it_boots_by_signed_shim_grub_kernel_and_ramdisk(appliance, tmp_path):
    import_tree(appliance)
    root = "debian-installer/amd64/"
    appliance.post("/api/boot-profiles/", {
        "name": "installer", "loaders": {"x64-uefi": root + "bootnetx64.efi"},
        "kernel": root + "linux", "initrds": [root + "initrd.gz"],
        "cmdline": "console=ttyS0 auto=true priority=critical hostname={{hostname}} "
                   "url=tftp://{{server}}/preseed/{{hostname}}.cfg",
        "templates": [{"name": "preseed/{{hostname}}.cfg",
                       "content": "d-i netcfg/hostname string {{hostname}}\n"}]})
    machine = appliance.add_machine("node1", MAC, boot_profile="installer")
    preseed = "preseed/node1.cfg"

    def fetched():
        """What the timeline says was fetched to the end, by name, and how."""
        return {entry["details"]["file"]: entry["details"] for entry in appliance.timeline(machine)
                if entry["event"] == "tftp_complete"}

    # Until the installer has come up and asked by itself for the file that was made for this machine. How long the
    # emulated firmware takes is the host's matter: with six busy loops beside it, ten times as long as alone.
    # With Secure Boot on, so that shim, GRUB and the kernel are started because they are signed.
    vm = VirtualMachine("node1", MAC, tmp_path, "not said by anybody", 480, "--firmware", "uefi-secure", "--memory", "1024")
    try:
        wait_until(f"the installer fetches {preseed}", lambda: preseed in fetched() or vm.process.poll() is not None,
                   timeout=480, every=1)
    finally:
        vm.stop()
    console = vm.console()
    files = fetched()
    assert preseed in files, f"{sorted(files)}\n--- console ---\n{console[-3000:]}"
    assert "Linux version" in console
    assert re.search("[Ss]ecure ?[Bb]oot.*enabled|Kernel is locked down from EFI Secure Boot", console), console[-3000:]
    for name in ("bootnetx64.efi", "grubx64.efi", "linux", "initrd.gz"):
        ending = files[root + name]
        assert ending["bytes"] == (TREE / root / name).stat().st_size
        # A client that is slow is waited for; a block or two may still be sent again, but not one window in ten.
        blocks = ending["bytes"] // ending["block_size"] + 1
        assert ending["blocks_resent"] <= max(64, blocks // 10), ending
    assert root + "grub/grub.cfg" in files
    timeline = appliance.timeline(machine)
    assert not [entry for entry in timeline if entry["event"] == "tftp_failed"]
    assert not [entry for entry in timeline if entry["event"] == "tftp_missing"
                and entry["details"]["kind"] == "real"]
    assert "hostname=node1" in console and "BOOTIF=01-52-54-00-00-12-34" in console


def test_a_crash_in_the_middle_of_an_import_leaves_all_or_nothing(appliance):
    files = {str(path.relative_to(TREE)) for path in TREE.rglob("*") if path.is_file()}
    environment = {**os.environ, "ROUSE_URL": appliance.settings["ROUSE_URL"],
                   "ROUSE_TOKEN": appliance.settings["ROUSE_TOKEN"]}
    command = [ROOT / "build" / "release" / "bin" / "rousectl", "image", "import", str(TREE)]
    images = HOME / "state" / "images" / "sha256"
    began = time.monotonic()
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=300)
    takes = time.monotonic() - began
    for moment in (0.2, 0.5, 0.7, 0.8, 0.9, 0.95):
        appliance.start("--fresh")
        importing = subprocess.Popen(command, env={**environment, "ROUSE_TOKEN": appliance.settings["ROUSE_TOKEN"]},
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moment * takes)
        appliance.kill("mgmt")
        importing.wait(timeout=60)
        appliance.start()
        named = appliance.get("/api/images/")
        assert len(named) == 0 or files <= {image["name"] for image in named}
        # And nothing lies about that no name stands for.
        assert {path.name for path in images.iterdir()} == {image["sha256"] for image in named}
