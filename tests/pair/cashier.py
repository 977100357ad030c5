"""A cashier at one machine: sells until standard input is closed, and writes down each order that was confirmed.

cashier.py NAME PORT FILE: one line an order, its id, written after the POS server said OK. An order keeps its id however often
it is sent; one that was never confirmed is never written down.
"""

import select
import socket
import sys

NAME, PORT, FILE = sys.argv[1], int(sys.argv[2]), sys.argv[3]
MOST = 20_000


def is_over(seconds):
    return bool(select.select([sys.stdin], [], [], seconds)[0])


def ask(line, order):
    line.sendall(f"SELL {NAME} {order} 350\n".encode())
    said = b""
    while not said.endswith(b"\n"):
        more = line.recv(200)
        if not more:
            raise OSError("closed")
        said += more
    if not said.startswith(b"OK "):
        raise OSError(said)


def main():
    line, number = None, 1
    with open(FILE, "a", encoding="ascii") as confirmed:
        while number < MOST and not is_over(0.02):
            order = f"{NAME}-{number}"
            try:
                if line is None:
                    line = socket.create_connection(("127.0.0.1", PORT), timeout=2)
                ask(line, order)
            except OSError:
                line = None
                if is_over(0.05):
                    return
                continue
            confirmed.write(order + "\n")
            confirmed.flush()
            number += 1


main()
