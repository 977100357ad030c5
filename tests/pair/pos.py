"""A POS server for tests: answers PING with PONG. Arguments: port, file of starts, mode.

never: does not listen. dies: ends with 3 once somebody has asked it, the first time. deaf: does not hear TERM, nor does its
child. outlived: has a child that does not hear TERM and goes on when it ends.
"""

import os
import signal
import socketserver
import sys

port, starts, mode = int(sys.argv[1]), sys.argv[2], sys.argv[3]
with open(starts, "a") as file:
    print(os.getpid(), file=file)
with open(starts) as file:
    is_first = len(file.readlines()) == 1
print("POS server", mode, flush=True)

if mode in ("deaf", "outlived"):
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with open(starts + ".child", "w") as file:
            print(os.getpid(), file=file)
        while True:
            signal.pause()
if mode == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if mode == "never":
    while True:
        signal.pause()


class Asked(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            if line == b"PING\n":
                self.wfile.write(b"PONG\n")
            if mode == "dies" and is_first:
                print("no paper", flush=True)
                os._exit(3)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", port), Asked).serve_forever()
