"""A POS server for drills: writes into its data as it begins, answers PING with PONG. Arguments: folder of its data, port, file in
which it says how it was started, mode.

never: does not listen. closed: answers, and sells nothing. slow: the first time it takes its port, answers nothing, and ends only
when something is written into a pipe beside the file.
"""

import os
import signal
import socket
import socketserver
import sys

data, port, said, mode = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
with open(os.path.join(data, "ORDER.QUE"), "a") as file:
    print("opened", file=file)
is_first = not os.path.exists(said)
with open(said, "a") as file:
    print(os.environ.get("ESPEJO_TRAINING", "no training"), data, len(socket.if_nameindex()), file=file)
if mode == "slow" and is_first:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    taken = socket.create_server(("127.0.0.1", port))
    os.mkfifo(said + ".go")
    open(said + ".go").read()
    sys.exit()
if mode == "never":
    while True:
        signal.pause()


class Asked(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            if line == b"PING\n":
                self.wfile.write(b"PONG\n")
            if line == b"SELL\n":
                self.wfile.write(b"CLOSED\n" if mode == "closed" else b"SOLD\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", port), Asked).serve_forever()
