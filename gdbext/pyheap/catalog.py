# SPDX-License-Identifier: Apache-2.0
"""Every command, in the order of the manual."""

from pyheap.commands import (
    find,
    graph,
    growth,
    info,
    objects,
    paths,
    saved,
    stacks,
    types,
)

COMMANDS = (
    *types.COMMANDS,
    *find.COMMANDS,
    *objects.COMMANDS,
    *graph.COMMANDS,
    *stacks.COMMANDS,
    *paths.COMMANDS,
    *growth.COMMANDS,
    *saved.COMMANDS,
    *info.COMMANDS,
)
