"""A till that sells through the port on its own machine. Arguments: port, name, file of what was confirmed.

Each line of that file is an order that was answered with OK, and when that was, in milliseconds of a clock that only goes on.
An order that was not confirmed is none: the next one has another name.
"""

import os
import socket
import sys
import time

port, name, book = int(sys.argv[1]), sys.argv[2], open(sys.argv[3], "a", buffering=1)
number = 0
while True:
    number += 1
    order = f"{name}-{os.getpid()}-{number}"
    try:
        with socket.create_connection(("127.0.0.1", port), 120) as line:
            line.settimeout(120)
            line.sendall(f"SELL {order}\n".encode())
            if line.makefile().readline() == "OK\n":
                print(order, int(time.monotonic() * 1000), file=book)
    except OSError:
        pass
    time.sleep(0.02)
