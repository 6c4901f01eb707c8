# SPDX-License-Identifier: Apache-2.0
"""Every command, in the order of the manual."""

from pyheap.commands import (
    chains,
    cycles,
    find,
    graph,
    info,
    objects,
    paths,
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
    *chains.COMMANDS,
    *cycles.COMMANDS,
    *info.COMMANDS,
)
