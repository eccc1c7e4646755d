"""A real HTTP server that subscribers' notifications are posted to."""

import http.server
import json
import threading

from appliance import wait_until


class Smo:
    """What it was told, by path, in order."""

    def __init__(self):
        smo = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                smo.told.setdefault(self.path, []).append(body)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.told = {}
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def wait(self, path, wanted, seconds=20):
        """The first notification at PATH that is WANTED."""
        return wait_until(f"a notification at {path}",
                          lambda: next((one for one in self.told.get(path, []) if wanted(one)), None), seconds)

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
