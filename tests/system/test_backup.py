"""A backup that is made while others write is the store as it was at one moment, and an empty appliance becomes it."""

import hashlib
import io
import json
import os
import tarfile
import threading

import pytest
from mgmt_process import POOL, Management, Refused

IMAGES = {"loaders/ipxe.efi": os.urandom(300_000), "vmlinuz": os.urandom(700_000), "copy": b"the same", "again": b"the same"}


@pytest.fixture
def servers(tmp_path):
    """Makes servers, each with a home of its own; they are stopped at the end."""
    made = []

    def make(name):
        (tmp_path / name).mkdir()
        made.append(Management(tmp_path / name))
        return made[-1]

    yield make
    for server in made:
        server.stop()
        print(server.log())


@pytest.fixture
def server(servers):
    server = servers("first")
    server.start()
    server.request("POST", "/api/ip-pools/", POOL)
    for name, content in IMAGES.items():
        server.raw("PUT", f"/api/images/{name}", content)
    for number in range(40):
        server.request("POST", "/api/machines/", {"hostname": f"n{number}", "mac": f"02:00:00:00:00:{number:02x}"})
    return server


def leftovers(server):
    return [path.name for path in (server.state / "images" / "sha256").iterdir() if path.name.startswith(".")]


def unpack(archive):
    """Files by name, each held against the manifest."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        files = {entry.name: tar.extractfile(entry).read() for entry in tar}
    manifest = json.loads(files.pop("manifest.json"))
    assert manifest["format"] == "rouse-backup/1"
    assert {file["name"]: (file["size"], file["sha256"]) for file in manifest["files"]} == {
        name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in files.items()}
    return files


class Renamer(threading.Thread):
    """Gives all machines names of one generation after the other: two fields that always go together."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.stopped, self.renamed = server, threading.Event(), 0

    def run(self):
        machines = [one["id"] for one in self.server.get("/api/machines/")]
        connection = self.server.connect()
        while not self.stopped.is_set():
            for number, machine in enumerate(machines):
                generation = self.renamed // len(machines)
                self.server.request("PATCH", f"/api/machines/{machine}/", {
                    "hostname": f"n{number}-{generation}", "cpu_cores": generation}, connection)
                self.renamed += 1


def test_an_empty_appliance_becomes_what_a_backup_says(server, servers):
    renamer = Renamer(server)
    renamer.start()
    archive = server.raw("GET", "/api/backup/?images=true")
    renamer.stopped.set()
    renamer.join(60)
    assert renamer.renamed > 0
    files = unpack(archive)
    assert len(files) == 1 + len(set(IMAGES.values()))
    assert leftovers(server) == []

    second = servers("second")
    (second.state / "lmdb").mkdir(parents=True)
    (second.state / "images" / "sha256").mkdir(parents=True)
    (second.state / "lmdb" / "data.mdb").write_bytes(files.pop("store/data.mdb"))
    for name, content in files.items():
        (second.state / "images" / "sha256" / name.removeprefix("images/")).write_bytes(content)
    (second.state / "admin-password").write_bytes((server.state / "admin-password").read_bytes())
    server.stop()
    second.start()

    machines = second.get("/api/machines/")
    assert len(machines) == 40
    for machine in machines:
        generation = machine["hostname"].partition("-")[2]
        assert machine.get("cpu_cores") == (int(generation) if generation else None), "half of a change"
        for field in ("mac", "hostname"):
            assert second.get(f"/api/machines/?{field}={machine[field]}") == [machine]
    newest = max(one.get("cpu_cores", 0) for one in machines)
    assert all(newest - one.get("cpu_cores", 0) <= 1 for one in machines), "of several moments"
    assert {lease["ip_address"]: lease["mac_address"] for lease in second.get("/api/leases/")} == {
        one["ip"]: one["mac"] for one in machines}
    for name in IMAGES:
        assert second.request("POST", f"/api/image-checks/{name}")["state"] == "good"


def test_without_images_it_is_the_store_alone(server):
    assert list(unpack(server.raw("GET", "/api/backup/"))) == ["store/data.mdb"]


def test_one_that_is_broken_off_leaves_nothing_and_cannot_be_taken_for_whole(server):
    connection = server.connect()
    connection.request("GET", "/api/backup/?images=true", headers={"Authorization": f"Bearer {server.token}"})
    begun = connection.getresponse().read(5000)
    connection.close()
    with pytest.raises((tarfile.ReadError, KeyError, AssertionError)):
        unpack(begun)
    assert leftovers(server) == []
    assert len(unpack(server.raw("GET", "/api/backup/?images=true"))) == 4


def test_it_is_the_administrators(server):
    server.request("POST", "/api/users/", {"username": "op", "password": "a long enough one", "role": "operator"})
    server.token = server.request("POST", "/api/token/", {"username": "op", "password": "a long enough one"})["access"]
    with pytest.raises(Refused) as refused:
        server.get("/api/backup/")
    assert refused.value.status == 403


def test_a_backup_is_restored_whole_or_not_at_all(server, tmp_path):
    backup, cut = tmp_path / "rouse.tar", tmp_path / "cut.tar"
    saved = server.rousectl("backup", str(backup), "--images")
    assert saved.returncode == 0, saved.stderr
    assert backup.stat().st_mode & 0o777 == 0o600
    cut.write_bytes(backup.read_bytes()[:-4096 * 20])
    before = server.get("/api/machines/")
    server.request("DELETE", f"/api/machines/{before[0]['id']}/")
    server.request("POST", "/api/machines/", {"hostname": "later", "mac": "02:00:00:00:01:00"})
    server.request("DELETE", "/api/images/copy")
    after = server.get("/api/machines/")
    code, said = server.run_once("--check-store")
    assert code == 0, said

    code, said = server.run_once("--restore", str(backup))
    assert code == 1 and "stop" in said, "rouse-mgmt is running"
    server.stop()
    code, said = server.run_once("--restore", str(cut))
    assert code == 1 and "nothing was changed" in said, said
    server.start()
    assert server.get("/api/machines/") == after, "a backup that is refused changes nothing"
    server.stop()
    code, said = server.run_once("--restore", str(backup))
    assert code == 0, said
    assert len(list((server.state / "lmdb").glob("former-*.mdb"))) == 1
    code, said = server.run_once("--check-store")
    assert code == 0, said
    server.token = None  # who was logged in is not any more
    server.start()
    assert server.get("/api/machines/") == before
    for name in IMAGES:
        assert server.request("POST", f"/api/image-checks/{name}")["state"] == "good"
