"""A bad line: two TAP devices with this program between them, which is the cable.

    python3 wire.py SEED NEAR FAR [SETTING...]

makes the devices NEAR and FAR and carries frames from each to the other until its input ends. Settings hold for both ways, or
behind `near.` and `far.` for what comes from that side alone:

    delay=200    milliseconds that a frame takes
    jitter=100   so many milliseconds more or less: frames overtake each other
    loss=20      of a hundred frames so many are lost
    damage=1     so many have one bit turned over, which the checksum of TCP finds
    swap=1       so many have two words exchanged, which the checksum of TCP does not find
    early=25     so many are not delayed at all

A line of settings on the input replaces those before; what was already on its way arrives as it would have. Each is answered
by one line. When the input ends it says what it did to how many frames.
"""

import fcntl
import heapq
import itertools
import os
import random
import selectors
import struct
import sys
import time

SIDES = ("near", "far")
CLEAN = {"delay": 0.0, "jitter": 0.0, "loss": 0.0, "damage": 0.0, "swap": 0.0, "early": 0.0}
# Frames that are on their way at the most, in each direction: those beyond are lost, as a switch loses them.
WAITING = 2000
# Bytes before the payload of TCP in IPv4 over Ethernet, with the usual options.
HEADS = 14 + 20 + 32
ARP = b"\x08\x06"
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000


def tap(name):
    """A TAP device; it lasts as long as its file is open."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return device


def settings(words):
    """How each direction is."""
    lines = [dict(CLEAN), dict(CLEAN)]
    for word in words:
        name, _, value = word.partition("=")
        side, _, name = name.rpartition(".")
        for index in [SIDES.index(side)] if side else [0, 1]:
            if name not in CLEAN:
                sys.exit(f"no such setting: {word}")
            lines[index][name] = float(value)
    return lines


class Wire:
    def __init__(self, seed, devices, lines):
        self.random = random.Random(seed)
        self.devices, self.lines = devices, lines
        self.due, self.number, self.waiting = [], itertools.count(), [0, 0]
        self.did = {"carried": 0, "lost": 0, "damaged": 0, "swapped": 0, "early": 0}

    def happens(self, line, what):
        return line[what] > 0 and self.random.random() * 100 < line[what]

    def take(self, side):
        """Takes in what `side` has sent, and decides what becomes of it."""
        for _ in range(64):
            try:
                frame = os.read(self.devices[side], 65536)
            except OSError:
                return
            line = self.lines[side]
            if self.happens(line, "loss") or self.waiting[side] >= WAITING:
                self.did["lost"] += 1
                continue
            if self.happens(line, "damage"):
                if frame[12:14] == ARP:
                    # It has no checksum of its own: one that was let through would lead astray for half a minute.
                    self.did["lost"] += 1
                    continue
                frame, self.did["damaged"] = self.turned(frame), self.did["damaged"] + 1
            if self.happens(line, "swap"):
                frame, self.did["swapped"] = self.exchanged(frame), self.did["swapped"] + 1
            wait = max(0.0, line["delay"] + self.random.uniform(-1, 1) * line["jitter"]) / 1000
            if self.happens(line, "early"):
                wait, self.did["early"] = 0.0, self.did["early"] + 1
            self.waiting[side] += 1
            # What is due at once arrives in the order in which it came.
            heapq.heappush(self.due, (time.monotonic() + wait, next(self.number), side, frame))

    def turned(self, frame):
        frame, bit = bytearray(frame), self.random.randrange(len(frame) * 8)
        frame[bit // 8] ^= 1 << bit % 8
        return bytes(frame)

    def exchanged(self, frame):
        words = range(HEADS, len(frame) - 1, 2)
        if len(words) < 2:
            return frame
        frame, (a, b) = bytearray(frame), self.random.sample(words, 2)
        frame[a : a + 2], frame[b : b + 2] = frame[b : b + 2], frame[a : a + 2]
        return bytes(frame)

    def deliver(self):
        """Delivers what is due. Returns in how many seconds the next frame is."""
        while self.due:
            wait = self.due[0][0] - time.monotonic()
            if wait > 0:
                return wait
            _, _, side, frame = heapq.heappop(self.due)
            self.waiting[side] -= 1
            try:
                os.write(self.devices[1 - side], frame)
                self.did["carried"] += 1
            except OSError:
                # Nobody has it switched on there.
                self.did["lost"] += 1
        return None

    def run(self):
        selector = selectors.DefaultSelector()
        for side, device in enumerate(self.devices):
            selector.register(device, selectors.EVENT_READ, side)
        selector.register(sys.stdin, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select(self.deliver()):
                if key.data is not None:
                    self.take(key.data)
                    continue
                line = sys.stdin.readline()
                if not line:
                    return
                self.lines = settings(line.split())
                print(f"now: {line.strip()}", flush=True)


def main():
    seed, names, words = int(sys.argv[1]), sys.argv[2:4], sys.argv[4:]
    lines = settings(words)
    wire = Wire(seed, [tap(name) for name in names], lines)
    print(f"seed {seed}: {' '.join(words)}", flush=True)
    wire.run()
    print(" ".join(f"{what}={count}" for what, count in wire.did.items()), flush=True)


main()
