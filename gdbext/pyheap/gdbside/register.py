# SPDX-License-Identifier: Apache-2.0
"""Makes gdb commands of the declarations.

When the extension is loaded, gdb is told the commands' names and helps. All else is loaded
with the first command that is used; nothing is imported here that gdb has not at hand.
"""

from __future__ import annotations

import gdb

from pyheap.gdbside import functions
from pyheap.helptexts import HELP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional

    from pyheap.command import Command


class GdbCommand(gdb.Command):
    """A command at gdb's prompt."""

    def __init__(self, name: str, help: str) -> None:
        self.__doc__ = help
        self._name = name
        super().__init__(name, gdb.COMMAND_DATA)

    def _command(self) -> Command:
        """Its declaration."""
        from pyheap.catalog import COMMANDS

        return next(command for command in COMMANDS if command.name == self._name)

    def invoke(self, argument: str, from_tty: bool) -> None:
        """Runs the command; whatever goes wrong is one line."""
        from pyheap.errors import HeapError, WalkError

        self.dont_repeat()
        try:
            self._run(argument)
        except WalkError as error:
            interrupted = error.code == WalkError.INTERRUPTED
            raise gdb.GdbError("interrupted" if interrupted else str(error)) from None
        except HeapError as error:
            raise gdb.GdbError(str(error)) from None
        except KeyboardInterrupt:
            raise gdb.GdbError("interrupted") from None
        except gdb.GdbError:
            raise
        except gdb.error as error:
            reason = str(error).partition("\n")[0]
            raise gdb.GdbError(f"{self._name}: {reason}") from None
        except Exception as error:
            raise gdb.GdbError(self._unexpected(error)) from None

    def _run(self, argument: str) -> None:
        from pyheap.gdbside import screen, session

        command = self._command()
        args = command.parse(argument)
        answer = command.answer(session.Session(), args)
        if args.json:
            import json

            screen.write(json.dumps(answer.document()))
        else:
            screen.write_lines(answer.lines())

    def _unexpected(self, error: Exception) -> str:
        from pyheap.gdbside.console import setting

        if setting("python print-stack") == "full":
            import traceback

            gdb.write(traceback.format_exc(), gdb.STDERR)
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        return (
            f"{self._name} failed, which is a bug ({reason}): please report it"
            " with what `set python print-stack full` adds"
        )

    def complete(self, text: str, word: Optional[str]) -> Any:
        """What can stand at the end of a command line."""
        from pyheap import completion
        from pyheap.command import ADDRESS

        command = self._command()
        if completion.kind(command, text) == ADDRESS:
            return gdb.COMPLETE_EXPRESSION
        names = completion.names(command, text, _type_names)
        return completion.tails(names, text, word)


def _type_names() -> List[str]:
    from pyheap.gdbside import session

    heap = session.known_heap()
    return (
        [type.name for type in heap.types() if type.objects and type.address]
        if heap
        else []
    )


def register() -> None:
    """Defines every command, and the functions for expressions."""
    functions.register()
    for name, help in HELP.items():
        GdbCommand(name, help)
