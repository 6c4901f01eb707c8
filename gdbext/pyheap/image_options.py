# SPDX-License-Identifier: Apache-2.0
"""--image and its options, which are objgraph's: the same for every command that can draw."""

from pyheap.command import FILE, FLAG, NUMBER, PATTERN, Argument

EXTRA_INFO = ("address", "size", "tracked", "type", "none")

IMAGE = (
    Argument(
        "--image",
        FILE,
        "draw it: .svg, .png, .pdf, .dot, .json; without FILE, show it",
        metavar="FILE",
        bare=True,
    ),
    Argument(
        "--too-many",
        NUMBER,
        "draw N references of an object, 0 for all; 10 unless told",
        10,
        metavar="N",
    ),
    Argument(
        "--filter",
        PATTERN,
        "draw only what is of these types: names or globs",
        metavar="TYPE,…",
        many=True,
    ),
    Argument(
        "--ignore",
        PATTERN,
        "draw nothing of these types, or at these addresses",
        metavar="TYPE|ADDR,…",
        many=True,
    ),
    Argument(
        "--highlight",
        PATTERN,
        "draw what is of these types in blue",
        metavar="TYPE,…",
        many=True,
    ),
    Argument("--refcounts", FLAG, "draw reference counts"),
    Argument("--shortnames", FLAG, "draw types without their modules: the default"),
    Argument("--longnames", FLAG, "draw types with their modules"),
    Argument(
        "--extra-info",
        PATTERN,
        f"draw {', '.join(EXTRA_INFO)}; address unless told",
        metavar="WHAT,…",
        choices=EXTRA_INFO,
        many=True,
    ),
    Argument("--no-legend", FLAG, "draw no legend"),
)
