"""A POS server that sells. Arguments: port, folder of the data, census, and where it listens if not
on loopback.

"SELL ID" books an order in ORDER.QUE, on disk before it is answered with OK. A till holds the lock on the census while it runs: one
that finds it held by another writes TWICE into it, for there is to be one server.
"""

import fcntl
import os
import socketserver
import sys
import threading

port, folder, census = int(sys.argv[1]), sys.argv[2], open(sys.argv[3], "a")
try:
    fcntl.flock(census, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    print("TWICE: port", port, file=census, flush=True)
print("began", port, os.getpid(), file=census, flush=True)
queue = os.open(os.path.join(folder, "ORDER.QUE"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
one_by_one = threading.Lock()


def book(order):
    with one_by_one:
        size = os.fstat(queue).st_size
        if os.write(queue, order) != len(order):
            # There was room for a part of it only.
            os.ftruncate(queue, size)
            raise OSError("the disk is full")
        os.fdatasync(queue)


class Asked(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            if line == b"PING\n":
                self.wfile.write(b"PONG\n")
            elif line.startswith(b"SELL "):
                try:
                    book(line[5:])
                    self.wfile.write(b"OK\n")
                except OSError as error:
                    self.wfile.write(f"NO {error}\n".encode())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    # A whole shop may come at once.
    request_queue_size = 128


host = sys.argv[4] if len(sys.argv) > 4 else "127.0.0.1"
Server((host, port), Asked).serve_forever()
