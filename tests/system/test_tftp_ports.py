"""TFTP with a port per transfer: real clients fetch as they do from port 69, and the kernel keeps its own ports."""

import subprocess

import pytest
from appliance import VirtualMachine, script, wait_until
from tftp import CLIENTS, SERVER6, around, check_sizes, content_of, fetch, serving

RANGE = range(20000, 20256)
MAC = "52:54:00:77:00:09"


def settings(tmp_path, ports):
    file = tmp_path / "rouse.toml"
    file.write_text(f'[dataplane]\ntftp_ports = "per-transfer"\ntftp_port_range = "{ports}"\n')
    return "--config", file


@pytest.fixture(scope="module")
def rig(rack, tmp_path_factory):
    with serving(*settings(tmp_path_factory.mktemp("rig"), f"{RANGE[0]}-{RANGE[-1]}")) as appliance:
        yield appliance


@pytest.mark.parametrize("client", CLIENTS)
def test_sizes_around_a_block(rig, tmp_path, client):
    check_sizes(rig, tmp_path, client, 512, around(512))


@pytest.mark.parametrize("client", ["curl", "atftp", "tftp-hpa"])
def test_over_ipv6(rig, tmp_path, client):
    check_sizes(rig, tmp_path, client, 512, around(512), SERVER6)


def test_each_transfer_has_a_port_of_the_range(rig, tmp_path):
    """As the wire has it: blocks come from the range, and more than one port of it."""
    rig.put_image("small", content_of(3000))
    capture = tmp_path / "capture"
    watch = subprocess.Popen(["ip", "netns", "exec", "rouse-client", "tcpdump", "-n", "-l", "-c", "60", "-i", "client0",
                              "udp and src host 10.77.0.1"], stdout=capture.open("w"), stderr=subprocess.PIPE, text=True)
    try:
        assert "listening" in watch.stderr.readline() + watch.stderr.readline()
        for _ in range(10):
            assert fetch("curl", "small", tmp_path / "out", 512).returncode == 0
        watch.wait(20)
    finally:
        watch.kill()
        watch.wait()
    ports = {int(line.split()[2].rsplit(".", 1)[1]) for line in capture.read_text().splitlines()}
    assert ports <= set(RANGE) and len(ports) > 1, ports


def test_ipxe_boots(rig, tmp_path):
    rig.put_image("hello.ipxe", b"#!ipxe\necho rouse was here\nimgfetch big && echo rouse has it all\npoweroff\n")
    rig.put_image("big", content_of(1_000_003))
    rig.post("/api/boot-profiles/", {"name": "hello", "loaders": {"bios": "hello.ipxe"}})
    machine = rig.add_machine("ipxe", MAC, boot_profile="hello")
    vm = VirtualMachine("vm9", MAC, tmp_path, "rouse has it all", 240)
    try:
        vm.wait()
    finally:
        vm.stop()
    wait_until("both files on the timeline", lambda: rig.events(machine).count("tftp_complete") >= 2, 10)


def test_ports_of_the_kernels_own_are_refused(rack, tmp_path):
    """Else a program of the host's would wait for answers that go to the dataplane."""
    name, file = settings(tmp_path, "40000-41000")
    answer = script("appliance", "start", "--fresh", name, file, check=False)
    script("appliance", "stop", check=False)
    assert answer.returncode != 0 and "ip_local_port_range" in answer.stderr, answer.stderr
