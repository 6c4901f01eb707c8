# SPDX-License-Identifier: Apache-2.0
"""What gdb's `help` says of each command.

Made by `make docs` from the declarations in pyheap/commands: edit those.
"""

HELP = {
    "py-heap-types": """Count the objects of each Python type, and their bytes.
Usage: py-heap-types [PATTERN] [--limit N] [--all] [--by count|size] [--interpreter ID]
                     [--json]

  PATTERN           only types whose name matches
  --limit N         show at most N types, 0 for all; 20 unless told
  --all             everything reachable, not only what is tracked
  --by count|size   what to sort by; count unless told
  --interpreter ID  only what the collector of this interpreter tracks
  --json            print one JSON object on one line (docs/json.md)

Counts what gc.get_objects() would return: the objects that the cyclic garbage
collector tracks. With --all, everything that is reachable from them, from the
threads' frames and from the interpreter counts too: strings, numbers, code.
Sizes are sys.getsizeof()'s. A type is named module.qualname, builtins bare.
PATTERN is a glob (`*Session`) or a part of the name (`asyncio`). In a process
with several interpreters, --interpreter takes the number of one: 0 is the main
one.""",
    "py-heap-find": """List the Python objects of a type.
Usage: py-heap-find TYPE [--limit N] [--interpreter ID] [--json]

  TYPE              the name of the type
  --limit N         show at most N objects, 0 for all; 20 unless told
  --interpreter ID  only what the collector of this interpreter tracks
  --json            print one JSON object on one line (docs/json.md)

A name with a dot is module-qualified and must match whole; one without a dot
also matches the last part of a qualified name: `Session` finds objects of
`app.Session`. A glob (`*Session`) finds those of all types that match. Objects
of subclasses are not listed.""",
    "py-heap-object": """Show a Python object: type, size, value, what it holds, what holds it.
Usage: py-heap-object ADDR [--limit N] [--json]

  ADDR       the object: any expression that gdb takes
  --limit N  show at most N references of a kind, 0 for all; 20 unless told
  --json     print one JSON object on one line (docs/json.md)

Each reference is named: `item[3]`, `value['name']`, `.attr`, `local 'job'`;
`(weak)` does not keep its object alive, `(guess)` is a word of an object of an
unknown type that looks like a reference.""",
    "py-heap-referents": """List what a Python object refers to.
Usage: py-heap-referents ADDR [--limit N] [--json]

  ADDR       the object: any expression that gdb takes
  --limit N  show at most N references, 0 for all; 20 unless told
  --json     print one JSON object on one line (docs/json.md)

As gc.get_referents(), and what the collector does not see, such as the locals
of frames. Each reference is named: `item[3]`, `value['name']`, `.attr`, `local
'job'`; `(weak)` does not keep its object alive, `(guess)` is a word of an
object of an unknown type that looks like a reference.""",
    "py-heap-referrers": """List what refers to a Python object.
Usage: py-heap-referrers ADDR [--limit N] [--json]

  ADDR       the object: any expression that gdb takes
  --limit N  show at most N references, 0 for all; 20 unless told
  --json     print one JSON object on one line (docs/json.md)

As gc.get_referrers(), and holders that the collector does not see, such as
frames, threads and code. Each reference is named: `item[3]`, `value['name']`,
`.attr`, `local 'job'`; `(weak)` does not keep its object alive, `(guess)` is a
word of an object of an unknown type that looks like a reference.""",
    "py-heap-ancestors": """Show what keeps a Python object alive, N generations up.
Usage: py-heap-ancestors ADDR [N] [--all] [--image FILE] [--limit N] [--json]

  ADDR          the object: any expression that gdb takes
  N             how many references away; `all` for no bound; 3 unless told
  --all         also through what the collector does not see
  --image FILE  draw the graph: .svg, .png and .pdf need Graphviz, .dot does not
  --limit N     show at most N lines, 0 for all; 200 unless told
  --json        print one JSON object on one line (docs/json.md)

The graph is what refcycle's ancestors(N) computes inside of the process, with
the frames, threads and other holders that it cannot see. Each object is shown
once with its holders; where it is met again, `(above)` or `(below)` says where
it is. --json prints a document that refcycle loads.""",
    "py-heap-descendants": """Show what a Python object keeps alive, N generations down.
Usage: py-heap-descendants ADDR [N] [--all] [--image FILE] [--limit N] [--json]

  ADDR          the object: any expression that gdb takes
  N             how many references away; `all` for no bound; 3 unless told
  --all         also through what the collector does not see
  --image FILE  draw the graph: .svg, .png and .pdf need Graphviz, .dot does not
  --limit N     show at most N lines, 0 for all; 200 unless told
  --json        print one JSON object on one line (docs/json.md)

The graph is what refcycle's descendants(N) computes inside of the process, with
the frames, threads and other referents that it cannot see. Each object is shown
once with its referents; where it is met again, `(above)` or `(below)` says
where it is. --json prints a document that refcycle loads.""",
    "py-heap-frames": """Show the Python stack of every thread and of every suspended greenlet.
Usage: py-heap-frames [--locals] [--suspended] [--interpreter ID] [--json]

  --locals          with the local variables of each frame
  --suspended       suspended generators and coroutines too
  --interpreter ID  only this interpreter; 0 is the main one
  --json            print one JSON object on one line (docs/json.md)

Innermost frame first. --locals adds the local variables that are bound; a cell
variable is shown with the value of its cell. Of a module's own frame only the
number of names is shown. The addresses of threads and frames can be given to
the other commands. --json always has the local variables. Where there are
several interpreters, each has its heading; a thread that runs code in several
is shown in each. A suspended greenlet is shown with the frames that it has put
aside.""",
    "py-heap-locals": """Say which local variables of which frames lead to a Python object.
Usage: py-heap-locals ADDR [N] [--limit N] [--json]

  ADDR       the object: any expression that gdb takes
  N          how many references; `all` for no bound; 5 unless told
  --limit N  the N nearest variables, 0 for all; 20 unless told
  --json     print one JSON object on one line (docs/json.md)

One line per frame, of running threads and of suspended generators: thread,
function, file and line, the local variable, and through what it leads to the
object, within N references.""",
    "py-heap-why": """Say why a Python object is alive: the shortest path from a root.
Usage: py-heap-why ADDR [--limit N] [--json]

  ADDR       the object: any expression that gdb takes
  --limit N  paths from at most N different roots, 0 for all; 1 unless told
  --json     print one JSON object on one line (docs/json.md)

Roots are the modules of sys.modules, the frames on the threads' stacks, the
threads and the interpreters. The object comes first, then its holder, then the
holder's holder, each with the name of the reference, up to the root.""",
    "py-heap-info": """Say which Python the target runs and how much of its heap could be read.
Usage: py-heap-info [--verbose] [--json]

  --verbose  name the invariants of the layout too
  --json     print one JSON object on one line (docs/json.md)

Version, file and build-id of the interpreter, where the layout of its
structures is known from, what of memory agreed with it, counts of the heap,
objects whose references are guesses, and what could not be read.""",
}
