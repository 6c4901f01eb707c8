# SPDX-License-Identifier: Apache-2.0
"""Makes gdb commands of the declarations."""

from typing import Any, List, Optional

import gdb

from pyheap import completion
from pyheap.catalog import COMMANDS
from pyheap.command import ADDRESS, Command
from pyheap.errors import HeapError, WalkError
from pyheap.gdbside import functions
from pyheap.gdbside.console import setting


class GdbCommand(gdb.Command):
    """A command at gdb's prompt."""

    def __init__(self, command: Command) -> None:
        self.__doc__ = command.help()
        self._command = command
        super().__init__(command.name, gdb.COMMAND_DATA)

    def invoke(self, argument: str, from_tty: bool) -> None:
        """Runs the command; whatever goes wrong is one line."""
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
            raise gdb.GdbError(f"{self._command.name}: {reason}") from None
        except Exception as error:
            raise gdb.GdbError(self._unexpected(error)) from None

    def _run(self, argument: str) -> None:
        from pyheap.gdbside import screen, session

        args = self._command.parse(argument)
        answer = self._command.answer(session.Session(), args)
        if args.json:
            import json

            screen.write(json.dumps(answer.document()))
        else:
            screen.write_lines(answer.lines())

    def _unexpected(self, error: Exception) -> str:
        if setting("python print-stack") == "full":
            import traceback

            gdb.write(traceback.format_exc(), gdb.STDERR)
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        return (
            f"{self._command.name} failed, which is a bug ({reason}): please report it"
            " with what `set python print-stack full` adds"
        )

    def complete(self, text: str, word: Optional[str]) -> Any:
        """What can stand at the end of a command line."""
        if completion.kind(self._command, text) == ADDRESS:
            return gdb.COMPLETE_EXPRESSION
        names = completion.names(self._command, text, _type_names)
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
    for command in COMMANDS:
        GdbCommand(command)
