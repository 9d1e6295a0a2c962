#!/usr/bin/env python3
"""Writes `cases.tsv`, the truth of each capture in `captures`, from `cases.py`."""
import os
from cases import CASES

here = os.path.dirname(os.path.abspath(__file__))
with open(here + "/cases.tsv", "w") as file:
    for case in CASES:
        if any(os.path.exists(f"{here}/captures/{case['name']}.{kind}.sprof") for kind in ("dump", "attach")):
            print(case["name"], case["truth"], case["cause"], case["handler"], sep="\t", file=file)
