# SPDX-License-Identifier: Apache-2.0
"""docs/commands.md and what gdb's `help` says, made from the declarations of the commands.

    python3 gdbext/pyheap/manual.py            writes docs/commands.md and pyheap/helptexts.py
    python3 gdbext/pyheap/manual.py --check    says whether they are up to date

The texts of `help` are a file because gdb wants them when a command is defined: whoever
loads the extension does not wait until all that answers the commands is loaded as well.
"""

import os
import sys
from typing import Dict, Iterator

if __name__ == "__main__":  # as a script: the package is in the folder above
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from pyheap.catalog import COMMANDS
from pyheap.command import ADDRESS, Argument, Command

_HEAD = """\
# Commands

<!-- Made by `make docs` from the declarations in gdbext/pyheap: edit those. -->

In a checkout, after `make`, type `source gdbext/load.py` in gdb. Each command answers
for the target that is selected in gdb: a core file, an attached process, or a remote
target. The heap is read by the first command and kept until the process runs again.
Some answers come sooner, without it: `py-heap-types`, and the first question to a core
by `py-heap-object`, `py-heap-referents` or `py-heap-referrers`.

- Where a command takes ADDR, it takes any expression that gdb takes: `0x7f3a5c0d1e50`,
  `$rdi`, `self->ob_type`. Blanks in it need no quotes. Functions of the target are not
  called.
- `--json` prints exactly one JSON object on one line ([json.md](json.md)). What
  `--limit` cuts for people is not cut there unless `--limit` is given.
- What could not be read is counted and said. Errors are one line.
"""


_HELP_HEAD = '''\
# SPDX-License-Identifier: Apache-2.0
"""What gdb's `help` says of each command.

Made by `make docs` from the declarations in pyheap/commands: edit those.
"""

HELP = {
'''


def manual() -> str:
    """The text of docs/commands.md."""
    parts = [_HEAD, "\n".join(_index()) + "\n"]
    parts += ["\n".join(_section(command)) + "\n" for command in COMMANDS]
    return "\n".join(parts)


def _index() -> Iterator[str]:
    yield "| command | answer |"
    yield "|---|---|"
    for command in COMMANDS:
        yield f"| [`{command.name}`](#{command.name}) | {command.summary} |"


def _section(command: Command) -> Iterator[str]:
    yield f"## {command.name}"
    yield ""
    yield command.summary
    yield ""
    yield f"    {command.usage()}"
    yield ""
    yield command.text()
    yield ""
    yield "| argument | meaning |"
    yield "|---|---|"
    for argument in command.all_arguments:
        yield f"| `{_cell(argument.shown)}` | {_cell(_meaning(argument))} |"
    if command.example:
        yield ""
        yield "```"
        yield command.example.strip("\n")
        yield "```"


def _meaning(argument: Argument) -> str:
    return argument.help + ("; required" if _is_plain_required(argument) else "")


def _is_plain_required(argument: Argument) -> bool:
    return argument.required and argument.kind != ADDRESS


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def helptexts() -> str:
    """The text of pyheap/helptexts.py."""
    parts = [f'    "{c.name}": """{_quoted(c.help())}""",\n' for c in COMMANDS]
    return _HELP_HEAD + "".join(parts) + "}\n"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', '\\"""')


def _files() -> Dict[str, str]:
    """What is made, by path."""
    package = os.path.dirname(os.path.abspath(__file__))
    checkout = os.path.dirname(os.path.dirname(package))
    return {
        os.path.join(checkout, "docs", "commands.md"): manual(),
        os.path.join(package, "helptexts.py"): helptexts(),
    }


def main() -> int:
    """Writes or checks the files."""
    status = 0
    for file, text in _files().items():
        if sys.argv[1:] != ["--check"]:
            with open(file, "w", encoding="utf-8") as stream:
                stream.write(text)
        elif not _says(file, text):
            print(f"{file} is out of date: run `make docs`", file=sys.stderr)
            status = 1
    return status


def _says(file: str, text: str) -> bool:
    try:
        with open(file, encoding="utf-8") as stream:
            return stream.read() == text
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(main())
