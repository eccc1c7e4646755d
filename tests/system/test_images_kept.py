"""What becomes of transfers under way when their image's name, or its file, changes under them."""

import concurrent.futures
import hashlib
import os
import subprocess

import pytest
from appliance import HOME, wait_until
from tftp import SERVER, content_of, serving

STAGING_MIB = 64
SMALL, LARGE = 3_000_000, 60_000_000  # the second is more than there is room for


@pytest.fixture(scope="module")
def appliance(rack):
    with serving("--config", str(write_config())) as appliance:
        yield appliance


def write_config():
    path = HOME.parent / "small-memory.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"[dataplane]\nstaging_mib = {STAGING_MIB}\n")
    return path


class Download:
    """One that goes on only as far as it is read."""

    def __init__(self, name, scheme="tftp"):
        path = f"boot/{name}" if scheme == "http" else name
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", "rouse-client", "curl", "-sS", "-f", "--max-time", "100", "--tftp-blksize", "1468",
             f"{scheme}://{SERVER}/{path}"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.digest = hashlib.sha256()

    def read(self, size):
        got = self.process.stdout.read(size)
        assert len(got) == size
        self.digest.update(got)

    def stop(self):
        self.process.kill()
        self.process.communicate()

    def finish(self):
        """Its exit code, and the SHA-256 of all that came."""
        while got := self.process.stdout.read(1 << 20):
            self.digest.update(got)
        return self.process.wait(10), self.digest.hexdigest()


def file_of(stored):
    return HOME / "state" / "images" / "sha256" / stored["sha256"]


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["resident", "streamed"])
@pytest.mark.parametrize("scheme", ["tftp", "http"])
def test_a_transfer_keeps_the_content_that_it_began_with(appliance, scheme, size):
    name = f"kept-{scheme}-{size}"
    stored = appliance.put_image(name, content_of(size))
    download = Download(name, scheme)
    download.read(size // 10)
    appliance.put_image(name, content_of(1000))
    assert download.finish() == (0, stored["sha256"])
    appliance.request("DELETE", f"/api/images/{name}")


def test_more_transfers_than_an_eighth_of_the_memory_holds_are_streamed_side_by_side(appliance):
    stored = appliance.put_image("initrd", content_of(LARGE))
    before = appliance.metric("rouse_tftp_images_streamed_total")
    faults = appliance.metric("rouse_major_faults_total")
    downloads = [Download("initrd") for _ in range(10)]
    for download in downloads:
        download.read(1_000_000)  # each has begun: none waits for another's end
    for download in downloads[2:]:
        download.stop()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:  # who is not read is silent, and is given up
        assert set(pool.map(Download.finish, downloads[:2])) == {(0, stored["sha256"])}
    assert appliance.metric("rouse_tftp_images_streamed_total") == before + len(downloads)
    assert appliance.metric("rouse_major_faults_total") == faults, "a worker waited for the disk"
    wait_until("all rings given back", lambda: appliance.metric("rouse_image_streams_open") == 0, 90)
    appliance.request("DELETE", "/api/images/initrd")


@pytest.mark.parametrize("harm", ["cut", "removed"])
def test_a_file_that_is_harmed_fails_its_own_transfers_alone(appliance, harm):
    pid = appliance.pid("dataplane")
    healthy = appliance.put_image("healthy", content_of(SMALL))
    harmed = appliance.put_image(f"harmed-{harm}", content_of(LARGE + len(harm)))  # of each its own
    download, beside = Download(f"harmed-{harm}"), Download("healthy")
    download.read(LARGE // 20)
    beside.read(SMALL // 20)
    if harm == "cut":
        os.truncate(file_of(harmed), LARGE // 3)
        assert download.finish()[0] != 0
    else:
        file_of(harmed).unlink()
        assert download.finish() == (0, harmed["sha256"]), "a file that is open stays whole"
        assert Download(f"harmed-{harm}").finish()[0] != 0
        assert "No such file" in appliance.log("dataplane")
    assert beside.finish() == (0, healthy["sha256"])
    entry = wait_until("a verdict", lambda: next((
        entry for entry in appliance.timeline(appliance.machine0)
        if entry["event"] == "tftp_failed" and entry["details"]["file"] == f"harmed-{harm}"), None))
    assert entry["details"]["reason"] == "content_gone" and "went away" in entry["text"]
    assert appliance.pid("dataplane") == pid and os.path.exists(f"/proc/{pid}")
    assert Download("healthy").finish() == (0, healthy["sha256"])
    appliance.request("DELETE", f"/api/images/harmed-{harm}")
