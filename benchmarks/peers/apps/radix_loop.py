"""Looks addresses up in a radix tree one by one, and prints how many a second. Runs where pytricia is."""

import json
import sys
import time
from pathlib import Path

import pytricia


def main() -> None:
    """Arguments: a file of networks, a file of addresses."""
    nets, asked = (Path(name).read_text().splitlines() for name in sys.argv[1:3])
    tree = pytricia.PyTricia(32)
    for place, net in enumerate(nets):
        tree[net] = place
    begun = time.perf_counter()
    found = 0
    for address in asked:
        if tree.get(address) is not None:
            found += 1
    taken = time.perf_counter() - begun
    print(json.dumps({"rate": len(asked) / taken, "found": found}))


main()
