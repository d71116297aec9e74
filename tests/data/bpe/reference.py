"""Byte-pair encoding in the plain form of Sennrich et al., 2016: writes the merges and the tokens of a text as JSON.

/usr/bin/python3 tests/data/bpe/reference.py > tests/data/bpe/reference.json
"""

import collections
import json
import os
import re

here = os.path.dirname(os.path.abspath(__file__))
text = open(os.path.join(here, "verse.txt"), encoding="utf-8").read()
words = re.findall(r"\s*\S+|\s+$", text)
vocabulary = collections.Counter(tuple(word) for word in words)



def joined(parts, pair):
    """From left to right, each part used once."""
    out = []
    i = 0
    while i < len(parts):
        if tuple(parts[i : i + 2]) == pair:
            out.append(parts[i] + parts[i + 1])
            i += 2
        else:
            out.append(parts[i])
            i += 1
    return tuple(out)


merges = []
while len(merges) < 120:
    pairs = collections.Counter()
    for parts, count in vocabulary.items():
        for pair in zip(parts, parts[1:]):
            pairs[pair] += count
    best = max(pairs, key=lambda pair: (pairs[pair], pair))
    if pairs[best] < 2:
        break
    merges.append(best)
    vocabulary = {joined(parts, best): count for parts, count in vocabulary.items()}


def cut(word):
    parts = tuple(word)
    for pair in merges:
        parts = joined(parts, pair)
    return parts


tokens = [token for word in words for token in cut(word)]
print(json.dumps({"merges": merges, "tokens": tokens}, ensure_ascii=False))
