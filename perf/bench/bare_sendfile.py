"""Serves one file over HTTP by sendfile(2) and does nothing else: what the kernel gives any server. Started by
http_boot.py as `bare_sendfile.py ADDRESS PORT FILE`."""

import os
import socketserver
import sys


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        with open(sys.argv[3], "rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode()
            while request := self.request.recv(4096):
                if b"\r\n\r\n" not in request:
                    return  # nobody here asks for more than one segment holds
                self.request.sendall(head)
                sent = 0
                while sent < size:
                    sent += os.sendfile(self.request.fileno(), file.fileno(), sent, size - sent)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        """Clients leave in the middle of a file when their time is up."""


if __name__ == "__main__":
    with Server((sys.argv[1], int(sys.argv[2])), Handler) as server:
        server.serve_forever()
