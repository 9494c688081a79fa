#!/usr/bin/env python3
"""Prints ticks of a server: python3 docs/client.py http://127.0.0.1:8080 [COUNT]
Reads the binary encoding by long polling; docs/wire.md says what the bytes mean."""
import itertools
import json
import sys
import urllib.request
from decimal import Decimal

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Bytes:  # A reader of postcard's numbers and texts.
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        piece = self.data[self.at : self.at + count]
        if len(piece) < count:
            raise ValueError("it ends too early")
        self.at += count
        return piece

    def u(self):
        number, shift = 0, 0
        while True:
            byte = self.take(1)[0]
            number |= (byte & 127) << shift
            if byte < 128:
                return number
            shift += 7

    def i(self):
        number = self.u()
        return number >> 1 ^ -(number & 1)

    def option(self, read):
        return read() if self.take(1) == b"\1" else None

    def decimal(self):
        return Decimal(self.i()).scaleb(-self.take(1)[0])


def tick(b, base, seq, instruments):
    form, index, after = b.u(), b.u(), b.u()
    symbol, prices, quantities = instruments[index]
    found = {"seq": seq, "symbol": symbol, "time": base + after}
    price = lambda digits: Decimal(digits).scaleb(-prices)
    size = lambda: Decimal(b.u()).scaleb(-quantities)
    if form in (0, 1):
        at, found["qty"], spread = b.i(), size(), b.u()
        bid = at - spread if form == 0 else at
        found |= {"price": price(at), "side": ("buy", "sell")[form]}
    elif form == 2:
        bid, found["bid_qty"], spread, found["ask_qty"] = b.i(), size(), b.u(), size()
    if form < 3:
        found |= {"bid": price(bid), "ask": price(bid + spread)}
    else:
        later = b.option(b.i)
        found["at"] = None if later is None else found["time"] + later
        if form == 3:
            found["id"] = b.option(lambda: b.take(b.u()).decode())
            found["price"], found["qty"] = b.decimal(), b.decimal()
            found["side"] = b.option(lambda: ("buy", "sell")[b.u()])
        for name in ("bid", "ask") if form == 3 else ("bid", "bid_qty", "ask", "ask_qty"):
            found[name] = b.option(b.decimal)
    return {name: value for name, value in found.items() if value is not None}


def follow(server):
    cursor, instruments = "", {}
    while True:
        request = urllib.request.Request(f"{server}/api/ticks?wait_ms=10000{cursor}")
        request.add_header("Accept", "application/vnd.tickwire.v1")
        answer = Bytes(urllib.request.urlopen(request).read())
        epoch, _, position, name = answer.u(), answer.u(), answer.u(), ""
        while epoch:
            epoch, name = epoch // 36, DIGITS[epoch % 36] + name
        cursor = f"&cursor={name}-{position}"
        while answer.at < len(answer.data):
            b = Bytes(answer.take(answer.u()))
            if b.u() == 0:
                for state in json.loads(b.data[1:]).get("symbols", []):
                    known = state["symbol"], state["decimals"], state["qty_decimals"]
                    instruments[state["index"]] = known
                continue
            b.u(), b.u(), b.u(), b.u()  # Epoch, from, length, skipped.
            while b.at < len(b.data):
                base, seq, count = b.i(), b.u(), b.u()
                for _ in range(count // 2):
                    seq += b.u() if count % 2 else 1
                    yield tick(b, base, seq, instruments)


if __name__ == "__main__":
    count = int(sys.argv[2]) if len(sys.argv) > 2 else None
    for found in itertools.islice(follow(sys.argv[1]), count):
        print(json.dumps(found, default=str), flush=True)
