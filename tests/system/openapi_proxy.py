"""The OpenAPI files of others, and Prism as a proxy that holds requests and answers against one of them."""

import dataclasses
import fnmatch
import http.client
import itertools
import json
import re
import socket
import subprocess
import time

import yaml
from mgmt_process import ROOT

FILES = ROOT / "tests" / "fixtures" / "openapi"
PRISM = ROOT / "build" / "npm" / "prism" / "node_modules" / ".bin" / "prism"
METHODS = ("get", "put", "post", "patch", "delete")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def write_as_json(into):
    """Copies of all files at the same places below INTO: Prism's reader takes less of YAML than its writers use."""
    for path in FILES.rglob("*.yaml"):
        copy = into / path.relative_to(FILES)
        copy.parent.mkdir(parents=True)
        copy.write_text(json.dumps(yaml.load(path.read_text(), LOADER), default=str))


@dataclasses.dataclass(frozen=True)
class Violation:
    """What an answer has that the file does not allow: WHERE an attribute's path or a part of the message, RULE the
    JSON Schema's keyword, a status or a media type."""
    operation: str
    where: str
    rule: str
    text: str = dataclasses.field(compare=False)

    @classmethod
    def of(cls, operation, found, status):
        side, *place = found["location"]
        text = found["message"]
        rule = str(found.get("code", ""))
        if text.startswith("Unable to match the returned status"):
            return cls(operation, "status", str(status), text)
        if media_type := re.match(r'The received media type "([^"]*)"', text):
            return cls(operation, "Content-Type", media_type[1], text)
        path = [part for part in place if not part.isdigit()]
        if path[:1] == ["body"]:
            path = path[1:]
        if rule == "required" and (missing := re.search(r"required property '([^']*)'", text)):
            path.append(missing[1])
        return cls(operation, ("request " if side == "request" else "") + (".".join(path) or "body"), rule, text)


@dataclasses.dataclass(frozen=True)
class Deviation:
    """What docs/o2ims.md lists. OPERATIONS is a pattern, with * for anything."""
    file: str
    operations: str
    where: str
    rule: str

    @classmethod
    def of(cls, row):
        """Those of a table's row, in whose cells several are separated by commas."""
        assert row[-1], f"no reason: {row}"
        return [cls(*one) for one in itertools.product(*(cell.split(", ") for cell in row[:-1]))]

    def is_of(self, file):
        return file == self.file

    def covers(self, file, violation):
        return (self.is_of(file) and fnmatch.fnmatchcase(violation.operation, self.operations) and
                (self.where, self.rule) == (violation.where, violation.rule))


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: object


class Proxy:
    """Prism before the server at UPSTREAM, a port of this machine, with one of FILES; it notes what was asked."""

    def __init__(self, file, directory, port, upstream):
        self.file, self.port, self.upstream = file, port, upstream
        self.path = next(path for path in (directory / file).rglob("*.yaml"))
        document = json.loads(self.path.read_text())
        self.operations = {(method.upper(), path) for path, item in document["paths"].items() for method in METHODS if method in item}
        self._matches = [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), path)
                         for path in sorted(document["paths"], key=lambda path: path.count("{"))]
        self.driven, self.violations = {}, set()
        self._log, self._process = directory / f"{file.replace('/', '-')}.log", None
        self.token = None

    def start(self):
        """Returns at once: several start side by side."""
        assert PRISM.exists(), f"{PRISM} is missing: run scripts/setup"
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                [PRISM, "proxy", self.path, f"http://127.0.0.1:{self.upstream}", "--host", "127.0.0.1", "--port", str(self.port)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

    def wait(self):
        deadline = time.monotonic() + 120
        while True:
            assert self._process.poll() is None and time.monotonic() < deadline, f"Prism does not serve:\n{self._log.read_text()}"
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                return
            except OSError:
                time.sleep(0.1)

    def stop(self):
        if self._process:
            self._process.terminate()
            self._process.wait(20)

    def has(self, method, path):
        return (method, self._template(path)) in self.operations

    def _template(self, target):
        path = target.partition("?")[0]
        return next((template for match, template in self._matches if match.fullmatch(path)), None)

    def ask(self, method, target, body=None, status=200, token=None, content_type="application/json", headers=()):
        """The Answer, which has STATUS. BODY: JSON, or text that is sent as it is (Prism refuses broken JSON by itself). TOKEN:
        another one; empty: none."""
        template = self._template(target)
        assert (method, template) in self.operations, f"{self.file} has no {method} {target}"
        headers = dict(headers)
        if bearer := self.token if token is None else token:
            headers["Authorization"] = f"Bearer {bearer}"
        if body is not None:
            headers["Content-Type"] = content_type
            body = body if isinstance(body, str) else json.dumps(body)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        operation = f"{method} {template}"
        assert answer.status == status, f"{operation}: {target}: {answer.status}, not {status}: {content.decode()}"
        # Every answer of rouse has one; a callback's has nothing but its status.
        assert answer.headers["X-Request-Id"] or status == 204, f"{operation}: {target} was answered by Prism itself: {content.decode()}"
        self.driven.setdefault((method, template), target)
        violations = answer.headers.get("sl-violations", "[]")
        assert violations.startswith("["), f"{operation}: {target}: ask for less at once: {violations}"
        for found in json.loads(violations):
            # A request that is wrong on purpose is refused; one that is served is as good as the file's own.
            if found["location"][0] == "response" or status < 300:
                self.violations.add(Violation.of(operation, found, status))
        return Answer(answer.status, answer.headers, json.loads(content) if content else None)

    def get(self, target, **more):
        return self.ask("GET", target, **more).body


def table_below(heading, columns):
    """The rows of the first table below HEADING of docs/o2ims.md, each a tuple without the backquotes."""
    text = (ROOT / "docs" / "o2ims.md").read_text().partition(f"\n{heading}\n")[2]
    rows = []
    for line in text.partition("\n## ")[0].splitlines():
        if line.startswith("|"):
            rows.append(tuple(cell.strip().replace("`", "") for cell in re.split(r"(?<!\\)\|", line)[1:-1]))
        elif rows:
            break
    assert len(rows) > 2 and all(len(row) == columns for row in rows), f"{heading}: {rows}"
    return rows[2:]
