"""A shop's program that sells so many orders a second, and leaves files whose parts must fit together.

torn/writer.py KIND FOLDER RATE [BYTES]: works until its input ends. BYTES of old sales are there when it begins.
"""
import mmap
import os
import random
import sqlite3
import struct
import sys
import threading
import time
import zlib

# A shop's server is not kept waiting by whatever else runs on this machine.
try:
    os.nice(-10)
except OSError:
    pass

kind, folder, rate, old = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
dice = random.Random(7)
at = lambda name: os.path.join(folder, name)


class Database:
    """Two tables: what was sold, and what lies in the drawer. Their sums are the same after each commit."""

    def __init__(self, mode, pages=1000):
        self.db = sqlite3.connect(at("shop.db"), isolation_level=None, timeout=10)
        self.db.execute("PRAGMA journal_mode = %s" % mode)
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.execute("PRAGMA wal_autocheckpoint = %d" % pages)
        self.db.execute("CREATE TABLE sales (number INTEGER PRIMARY KEY, cents INTEGER, what BLOB)")
        self.db.execute("CREATE TABLE drawer (till INTEGER PRIMARY KEY, sales INTEGER, cents INTEGER)")
        self.number = 0
        self.db.execute("BEGIN")
        for till in range(8):
            self.db.execute("INSERT INTO drawer VALUES (?, 0, 0)", (till,))
        while self.number * 1000 < old:
            self.row()
        self.db.execute("COMMIT")

    def row(self):
        cents = dice.randrange(10000)
        self.db.execute("INSERT INTO sales VALUES (?, ?, ?)", (self.number, cents, dice.randbytes(950)))
        self.db.execute("UPDATE drawer SET sales = sales + 1, cents = cents + ? WHERE till = ?", (cents, dice.randrange(8)))
        self.number += 1

    def sell(self):
        self.db.execute("BEGIN IMMEDIATE")
        self.row()
        # A void of long ago.
        self.db.execute("UPDATE sales SET what = ? WHERE number = ?", (dice.randbytes(950), dice.randrange(self.number)))
        self.db.execute("COMMIT")


class Isam:
    """Records, an index beside them, and a counter that is cut off and written anew each time: all say how many there are."""

    RECORD = 512

    def __init__(self):
        self.data = open(at("ORDERS.DAT"), "w+b", buffering=0)
        self.index = open(at("ORDERS.IDX"), "w+b", buffering=0)
        self.count = old // self.RECORD
        self.data.write(struct.pack("<Q", self.count).ljust(self.RECORD, b"\0"))
        self.index.write(struct.pack("<Q", self.count).ljust(64, b"\0"))
        for number in range(self.count):
            self.data.write(self.record(number))
            self.index.write(struct.pack("<Q", number))
        self.counter()

    def record(self, number):
        body = struct.pack("<Q", number) + dice.randbytes(self.RECORD - 12)
        return body + struct.pack("<I", zlib.crc32(body))

    def counter(self):
        with open(at("ORDERS.SEQ"), "w") as counter:
            counter.write("%08d\n" % self.count)

    def sell(self):
        os.pwrite(self.data.fileno(), self.record(self.count), (self.count + 1) * self.RECORD)
        voided = dice.randrange(self.count)
        os.pwrite(self.data.fileno(), self.record(voided), (voided + 1) * self.RECORD)
        os.pwrite(self.index.fileno(), struct.pack("<Q", self.count), 64 + self.count * 8)
        self.count += 1
        os.pwrite(self.data.fileno(), struct.pack("<Q", self.count), 0)
        os.pwrite(self.index.fileno(), struct.pack("<Q", self.count), 0)
        self.counter()


class Queue:
    """Lines with a sum each, written in two pieces."""

    def __init__(self):
        self.queue = open(at("ORDER.QUE"), "wb", buffering=0)
        self.number = 0
        while self.number * 100 < old:
            self.queue.write(self.line())

    def line(self):
        text = "%08d;CAJA-%d;%s" % (self.number, dice.randrange(8), dice.randbytes(38).hex())
        self.number += 1
        return ("%s;%08x\n" % (text, zlib.crc32(text.encode()))).encode()

    def sell(self):
        line = self.line()
        self.queue.write(line[:30])
        time.sleep(0.0015)
        self.queue.write(line[30:])


class Mapped(Queue):
    """The same, with a count of them that is stored through memory: nobody hears of that."""

    def __init__(self):
        super().__init__()
        with open(at("ORDERS.MAP"), "wb") as new:
            new.write(bytes(4096))
        self.file = open(at("ORDERS.MAP"), "r+b")
        self.memory = mmap.mmap(self.file.fileno(), 4096)
        self.memory[:8] = struct.pack("<Q", self.number)

    def sell(self):
        super().sell()
        self.memory[:8] = struct.pack("<Q", self.number)


KINDS = {"mapped": Mapped, "wal": lambda: Database("WAL"), "checkpoints": lambda: Database("WAL", 8), "journal": lambda: Database("DELETE"), "isam": Isam, "queue": Queue}
shop = KINDS[kind]()
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
print("ready", flush=True)
due = time.monotonic()
while not over.is_set():
    shop.sell()
    due += 1 / rate
    over.wait(max(0, due - time.monotonic()))
