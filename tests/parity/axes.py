"""Records tests/goldens/sets/axes.json: what A1111's X/Y/Z plot makes of the values of an axis.

The values come from numpy and Python's csv, which A1111's script asks, by the notations that the script knows.
"""

import csv
import json
import re
from io import StringIO
from itertools import chain, permutations
from pathlib import Path

import numpy as np

GOLDENS = Path(__file__).resolve().parents[1] / "goldens" / "sets"

INT = re.compile(r"\s*([+-]?\s*\d+)\s*-\s*([+-]?\s*\d+)(?:\s*\(([+-]\d+)\s*\))?\s*")
FLOAT = re.compile(r"\s*([+-]?\s*\d+(?:.\d*)?)\s*-\s*([+-]?\s*\d+(?:.\d*)?)(?:\s*\(([+-]\d+(?:.\d*)?)\s*\))?\s*")
INT_COUNT = re.compile(r"\s*([+-]?\s*\d+)\s*-\s*([+-]?\s*\d+)(?:\s*\[(\d+)\s*\])?\s*")
FLOAT_COUNT = re.compile(r"\s*([+-]?\s*\d+(?:.\d*)?)\s*-\s*([+-]?\s*\d+(?:.\d*)?)(?:\s*\[(\d+(?:.\d*)?)\s*\])?\s*")


def listed(text):
    return list(map(str.strip, chain.from_iterable(csv.reader(StringIO(text), skipinitialspace=True))))


def integers(text):
    values = []
    for value in listed(text):
        if not value.strip():
            continue
        if m := INT.fullmatch(value):
            values += range(int(m[1]), int(m[2]) + 1, int(m[3]) if m[3] else 1)
        elif m := INT_COUNT.fullmatch(value):
            values += [int(x) for x in np.linspace(start=int(m[1]), stop=int(m[2]), num=int(m[3])).tolist()]
        else:
            values.append(int(value))
    return values


def floats(text):
    values = []
    for value in listed(text):
        if not value.strip():
            continue
        if m := FLOAT.fullmatch(value):
            start, end, step = float(m[1]), float(m[2]), float(m[3]) if m[3] else 1
            values += np.arange(start, end + step, step).tolist()
        elif m := FLOAT_COUNT.fullmatch(value):
            values += np.linspace(start=float(m[1]), stop=float(m[2]), num=int(m[3])).tolist()
        else:
            values.append(float(value))
    return values


cases = {"listed": {}, "integers": {}, "floats": {}, "orders": {}}
for text in ["a, b,c", '"a, b", c', 'a "b" c, d', '"say ""hi""", x', "a,,b", "", "a\nb, c", " a , 'b, c' ", '"a', "甲, 乙", '"a" b, c', ","]:
    cases["listed"][text] = listed(text)
for text in ["1-5", "1-5 (+2)", "10-5 (-3)", "10-1 (-1)", "1-10 [5]", "1-10[4]", "20", "-1", "1 - 3, 7, 10-20 (+5)", "-3--1", "0-100 [7]",
             "5-5", "10-1 [4]", "1-2 [1]", " 8 , 12-14", "4294967290-4294967294 (+2)", "1-10 (+4)"]:
    cases["integers"][text] = integers(text)
for text in ["1-2 (+0.1)", "5-9", "7.5", "0-1 [5]", "1-10 [4]", "0.1-0.9 (+0.2)", "10-5 (-2.5)", "1.5-3.5 (+0.5)", "3-1 [3]", "0.05", "1-1",
             "0-0.3 (+0.1)", "-1-1 (+0.5)", "0.3-0.9 [7]", "1.-2.", "0-1 (+0.3)", "1-2 [1]"]:
    cases["floats"][text] = floats(text)
for text in ["a,b,c", "x", "a,b"]:
    cases["orders"][text] = [", ".join(x) for x in permutations(listed(text))]
GOLDENS.mkdir(exist_ok=True)
(GOLDENS / "axes.json").write_text(json.dumps(cases, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
