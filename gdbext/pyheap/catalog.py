# SPDX-License-Identifier: Apache-2.0
"""Every command, in the order of the manual."""

from pyheap.commands import (
    chains,
    cycles,
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
    *chains.COMMANDS,
    *cycles.COMMANDS,
    *growth.COMMANDS,
    *saved.COMMANDS,
    *info.COMMANDS,
)
