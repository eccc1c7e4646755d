import contextlib
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from appliance import POOL, ROOT, Appliance, on_appliance, script  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def rack():
    """The virtual rack; taken down with everything on it at the end."""
    assert os.geteuid() == 0, "the system tests make network namespaces: run them as root"
    script("appliance", "stop", check=False)
    script("rack", "down", check=False)
    script("rack", "up")
    yield
    script("appliance", "stop", check=False)
    script("rack", "down", check=False)


@pytest.fixture
def rack0_ipv6(rack):
    """The appliance's own address on the IPv6 network; rack0 has it before the dataplane looks."""
    on_appliance("ip", "address", "add", "fd00:77::1/64", "dev", "rack0", "nodad")
    yield "fd00:77::1"
    on_appliance("ip", "address", "del", "fd00:77::1/64", "dev", "rack0")


@contextlib.contextmanager
def serving(*options):
    """An appliance on an empty store with one pool, started with OPTIONS; its logs are shown when a test fails."""
    appliance = Appliance()
    appliance.start("--fresh", *options)
    appliance.pool = appliance.post("/api/ip-pools/", POOL)
    yield appliance
    appliance.stop()
    for name in ("mgmt", "dataplane"):
        print(f"--- {name} log ---\n{appliance.log(name)[-4000:]}")


@pytest.fixture
def appliance(rack):
    with serving() as appliance:
        yield appliance


@pytest.fixture(scope="session")
def boot_files():
    """Kernel and initrd as scripts/ramdisk built them."""
    files = {name: ROOT / "build" / "boot" / name for name in ("vmlinuz", "initrd.img")}
    for path in files.values():
        assert path.exists(), f"{path} is missing: run scripts/ramdisk"
    return {name: path.read_bytes() for name, path in files.items()}


@pytest.fixture
def ramdisk_profile(appliance, boot_files):
    """The catalogue holds the ramdisk, and the profile `ramdisk` boots it."""
    for name, content in boot_files.items():
        appliance.put_image(name, content)
    return appliance.post("/api/boot-profiles/", {
        "name": "ramdisk", "loaders": {}, "kernel": "vmlinuz", "initrds": ["initrd.img"],
        "cmdline": "console=ttyS0 quiet rouse.after=poweroff"})
