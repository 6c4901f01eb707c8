# SPDX-License-Identifier: Apache-2.0
"""--image and its options, which are objgraph's: the same for every command that can draw."""

from pyheap.command import FILE, FLAG, NUMBER, PATTERN, Argument

EXTRA_INFO = ("address", "size", "tracked", "type", "none")

IMAGE = (
    Argument(
        "--image",
        FILE,
        "draw the graph into a file: .svg, .png and .pdf need Graphviz, .dot and .json"
        " do not; without FILE show it by xdot, or write a temporary .png",
        metavar="FILE",
        bare=True,
    ),
    Argument(
        "--too-many",
        NUMBER,
        "draw at most N references per object, and how many more there are; 0 for all;"
        " 10 unless told",
        10,
        metavar="N",
    ),
    Argument(
        "--filter",
        PATTERN,
        "draw only objects of these types (names or globs), and the start",
        metavar="TYPE,…",
        many=True,
    ),
    Argument(
        "--ignore",
        PATTERN,
        "draw neither objects of these types nor those at these addresses",
        metavar="TYPE|ADDR,…",
        many=True,
    ),
    Argument(
        "--highlight",
        PATTERN,
        "draw objects of these types in blue",
        metavar="TYPE,…",
        many=True,
    ),
    Argument("--refcounts", FLAG, "draw the reference counts"),
    Argument(
        "--shortnames", FLAG, "draw the types' names without modules: the default"
    ),
    Argument("--longnames", FLAG, "draw the types' names with their modules"),
    Argument(
        "--extra-info",
        PATTERN,
        f"what else to draw of each object: {', '.join(EXTRA_INFO)}; address unless"
        " told",
        metavar="WHAT,…",
        choices=EXTRA_INFO,
        many=True,
    ),
    Argument("--no-legend", FLAG, "draw no legend"),
)
