"""The API over TLS as clients see it, openssl and curl: versions, ciphers, renewal, client certificates, tokens."""

import base64
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time

import pytest
from appliance import ROOT

MGMT = ROOT / "build" / "release" / "bin" / "rouse-mgmt"


def run(*command, check=True, stdin=None):
    return subprocess.run(list(map(str, command)), check=check, timeout=30, capture_output=True, text=True,
                          input=stdin or "")


def make_certificate(directory, name, ca=None, days=2):
    """A key and a certificate, signed by CA (a name) or by itself."""
    certificate, key = directory / f"{name}.pem", directory / f"{name}-key.pem"
    signer = ["-CA", directory / f"{ca}.pem", "-CAkey", directory / f"{ca}-key.pem"] if ca else []
    if not ca:
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", days,
            "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate)
    else:
        request = directory / f"{name}.csr"
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", key, "-out", request)
        run("openssl", "x509", "-req", "-days", days, "-in", request, *signer, "-CAcreateserial", "-out", certificate)
    return certificate, key


def thumbprint(certificate):
    der = subprocess.run(["openssl", "x509", "-in", certificate, "-outform", "DER"], check=True,
                         capture_output=True).stdout
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")


class Management:
    """rouse-mgmt by itself, on loopback, with a certificate of its own."""

    def __init__(self, directory):
        self.directory = directory
        make_certificate(directory, "authority")
        self.certificate, self.key = make_certificate(directory, "rouse")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.run_dir = f"/dev/shm/rouse-tls-test-{os.getpid()}"
        self.log = directory / "mgmt.log"
        self.process = subprocess.Popen(
            [MGMT, "--store.state_dir", directory / "state", "--store.run_dir", self.run_dir, "--store.map_size_gib", "1",
             "--api.listen", f"127.0.0.1:{self.port}", "--api.tls_certificate", self.certificate, "--api.tls_key",
             self.key, "--api.tls_client_ca", directory / "authority.pem", "--api.requests_per_second", "50",
             "--api.requests_at_once", "200",
             "--rack.listen", "127.0.0.1:0"],
            stderr=open(self.log, "wb"), stdin=subprocess.DEVNULL)
        self.wait(lambda: self.curl("/metrics", check=False).returncode == 0)

    def wait(self, condition, seconds=10):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline and self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)

    def curl(self, path, *options, check=True):
        """Its output: the body, a line end, the status."""
        return run("curl", "-sS", "-m", "20", "--cacert", self.certificate, "-w", "\n%{http_code}",
                   f"https://127.0.0.1:{self.port}{path}", *options, check=check)

    def ask(self, path, *options, expect=200):
        body, _, code = self.curl(path, *options).stdout.rpartition("\n")
        assert int(code) == expect, body
        return json.loads(body) if body[:1] in "{[" else body

    def bearer(self):
        password = (self.directory / "state" / "admin-password").read_text().strip()
        tokens = self.ask("/api/token/", "--json", json.dumps({"username": "admin", "password": password}))
        return "-H", f"Authorization: Bearer {tokens['access']}"

    def s_client(self, *options):
        return run("openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", *options, check=False)

    def subject(self):
        return self.s_client().stdout.split("subject=")[1].splitlines()[0]

    def metric(self, name):
        for line in self.ask("/metrics").splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        raise AssertionError(f"no metric {name}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(15)
        shutil.rmtree(self.run_dir, ignore_errors=True)


@pytest.fixture
def management(tmp_path):
    management = Management(tmp_path)
    yield management
    management.stop()
    print(management.log.read_text()[-4000:])


def test_versions_and_ciphers(management):
    assert "New, TLSv1.3" in management.s_client("-tls1_3").stdout
    assert "New, TLSv1.2, Cipher is ECDHE-" in management.s_client("-tls1_2").stdout
    for old in ("-tls1", "-tls1_1"):
        answer = management.s_client(old, "-cipher", "ALL:@SECLEVEL=0")
        assert answer.returncode != 0 and "Cipher is (NONE)" in answer.stdout, answer
    for weak in ("AES128-SHA", "ECDHE-ECDSA-AES256-SHA", "ECDHE-ECDSA-AES128-SHA256", "aNULL"):
        answer = management.s_client("-tls1_2", "-cipher", f"{weak}:@SECLEVEL=0")
        assert "Cipher is (NONE)" in answer.stdout, weak
    plain = run("curl", "-sS", "-m", "5", f"http://127.0.0.1:{management.port}/health", check=False)
    assert plain.returncode != 0


def test_a_certificate_is_renewed_under_load(management):
    """Requests on one connection go on while the certificate is replaced; new connections get the new one."""
    bearer = management.bearer()
    stream = subprocess.Popen(
        ["curl", "-sS", "--cacert", management.certificate, "-w", "%{http_code}\n", "-o", "/dev/null", "--rate", "20/s",
         *bearer, f"https://127.0.0.1:{management.port}/api/machines/?limit=[1-80]"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(0.5)
    new, new_key = make_certificate(management.directory, "renewed", days=3)
    trusted = management.directory / "trusted.pem"
    trusted.write_bytes(management.certificate.read_bytes() + new.read_bytes())
    before = management.metric("rouse_tls_certificate_not_after_seconds")
    shutil.copy(new, management.directory / "half.pem")
    os.rename(management.directory / "half.pem", management.certificate)  # without its key: not used
    management.certificate, shown = trusted, management.certificate
    management.wait(lambda: management.metric("rouse_tls_reload_failures_total") >= 1)
    assert management.subject().endswith("rouse")
    check = {one["name"]: one for one in management.ask("/health", expect=503)["checks"]}["certificate"]
    assert check["status"] == "ok" and "not in use" in check["detail"], check
    os.rename(new_key, management.key)
    management.wait(lambda: management.metric("rouse_tls_reloads_total") >= 1)
    assert management.subject().endswith("renewed")
    assert management.metric("rouse_tls_certificate_not_after_seconds") > before
    out, errors = stream.communicate(timeout=30)
    assert out.split() == ["200"] * 80, errors
    management.process.send_signal(signal.SIGHUP)
    management.wait(lambda: management.metric("rouse_tls_reloads_total") >= 2)
    shown.write_text("not a certificate")
    management.process.send_signal(signal.SIGHUP)
    management.wait(lambda: management.metric("rouse_tls_reload_failures_total") >= 2)
    assert management.subject().endswith("renewed")


def test_tokens_are_bound_to_client_certificates(management):
    bearer = management.bearer()
    mine = make_certificate(management.directory, "smo", ca="authority")
    other = make_certificate(management.directory, "omo", ca="authority")
    stranger = make_certificate(management.directory, "stranger")

    def using(pair):
        return "--cert", pair[0], "--key", pair[1]

    client = management.ask("/api/oauth-clients/", *bearer, "--json", json.dumps(
        {"client_id": "smo", "roles": ["viewer"], "certificate_thumbprint": thumbprint(mine[0])}), expect=201)
    grant = "/api/oauth2/token", "-d", "grant_type=client_credentials", "-u", f"smo:{client['client_secret']}"
    assert management.ask(*grant, expect=401)["error"] == "invalid_client"
    assert management.ask(*grant, *using(other), expect=401)["error"] == "invalid_client"
    token = management.ask(*grant, *using(mine))["access_token"]
    alone = management.ask("/api/oauth2/token", "-d", "grant_type=client_credentials&client_id=smo", *using(mine))
    for bound in (token, alone["access_token"]):
        mark = "-H", f"Authorization: Bearer {bound}"
        assert management.ask("/api/machines/", *mark, *using(mine)) == []
        management.ask("/api/machines/", *mark, expect=401)
        management.ask("/api/machines/", *mark, *using(other), expect=401)
        management.ask("/api/users/", *mark, *using(mine), expect=403)
    refused = management.curl("/health", *using(stranger), check=False)
    assert refused.returncode != 0, "a certificate that nobody signed"
    entries = management.ask("/api/audit/?user=smo", *bearer)
    assert [entry["event"] for entry in entries].count("login-failed") == 2
    assert "refused" in [entry["event"] for entry in entries]


def test_metadata_lead_to_the_keys(management):
    metadata = management.ask("/.well-known/oauth-authorization-server")
    assert metadata["issuer"] == f"https://127.0.0.1:{management.port}"
    bearer = management.bearer()
    keys = management.ask(metadata["jwks_uri"].removeprefix(metadata["issuer"]))["keys"]
    assert [key["alg"] for key in keys] == ["ES256"]
    management.ask("/api/token-keys/rotate/", "-X", "POST", *bearer)
    rotated = management.ask("/.well-known/jwks.json")["keys"]
    assert len(rotated) == 2 and keys[0] in rotated
    management.ask("/api/machines/", *bearer)  # signed with the old one


def test_who_asks_too_much_is_told_to_wait(management):
    bearer = management.bearer()
    management.ask("/api/users/", *bearer, "--json", json.dumps(
        {"username": "bob", "password": "secret-word", "role": "viewer"}), expect=201)
    token = management.ask("/api/token/", "--json", '{"username":"bob","password":"secret-word"}')["access"]
    # 50 a second, and 200 that were saved up.
    answers = run("curl", "-sS", "-Z", "--parallel-max", "16", "--cacert", management.certificate, "-o", "/dev/null",
                  "-D", "-", "-H", f"Authorization: Bearer {token}",
                  f"https://127.0.0.1:{management.port}/api/cluster/?limit=[1-1500]", check=False).stdout
    codes = [line.split()[1] for line in answers.splitlines() if line.startswith("HTTP/")]
    assert set(codes) == {"200", "429"} and 200 <= codes.count("200") < 1000, codes
    assert "Retry-After: 1" in answers
    assert management.metric("rouse_http_rate_limited_total") == codes.count("429")
    management.ask("/api/machines/", *bearer)  # an administrator on loopback is not affected
