"""A POS server that writes through memory: what it stores shows in no stamp. It stores once more when it is told to, and when it ends."""

import mmap
import os
import signal
import sys

data = sys.argv[1]
path = os.path.join(data, "MAPPED.DAT")
if not os.path.exists(path):
    with open(path, "wb") as new:
        new.write(bytes(4096))
file = open(path, "r+b")
memory = mmap.mmap(file.fileno(), 4096)
memory[0:5] = b"first"


def again(*_):
    memory[50:56] = b"second"


def end(*_):
    memory[100:104] = b"last"
    os._exit(0)


signal.signal(signal.SIGUSR1, again)
signal.signal(signal.SIGTERM, end)
with open(os.path.join(os.path.dirname(data), "mapper.pid"), "w") as pid:
    pid.write(str(os.getpid()))
while True:
    signal.pause()
