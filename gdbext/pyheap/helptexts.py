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
Sizes are sys.getsizeof()'s, but for what some types of C modules add in a
__sizeof__ of their own. A type is named module.qualname, builtins bare. PATTERN
is a glob (`*Session`) or a part of the name (`asyncio`). In a process with
several interpreters, --interpreter takes the number of one: 0 is the main one.""",
    "py-heap-find": """List the Python objects of a type.
Usage: py-heap-find TYPE [--limit N] [--interpreter ID] [--json]

  TYPE              the name of the type
  --limit N         show at most N objects, 0 for all; 20 unless told
  --interpreter ID  only what the collector of this interpreter tracks
  --json            print one JSON object on one line (docs/json.md)

A name with a dot is module-qualified and must match whole; one without a dot
also matches the last part of a qualified name: `Session` finds objects of
`app.Session`. A glob (`Sess*`) finds those of all types that match so. Objects
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
Usage: py-heap-ancestors ADDR [N] [--all] [--limit N] [--image [FILE]] [--too-many N]
                         [--filter TYPE,…] [--ignore TYPE|ADDR,…] [--highlight TYPE,…]
                         [--refcounts] [--shortnames] [--longnames]
                         [--extra-info WHAT,…] [--no-legend] [--json]

  ADDR                  the object: any expression that gdb takes
  N                     how many references away; `all` for no bound; 3 unless told
  --all                 also through what the collector cannot see; draw beyond modules
  --limit N             show at most N lines, 0 for all; 200 unless told
  --image [FILE]        draw it: .svg, .png, .pdf, .dot, .json; without FILE, show it
  --too-many N          draw N references of an object, 0 for all; 10 unless told
  --filter TYPE,…       draw only what is of these types: names or globs
  --ignore TYPE|ADDR,…  draw nothing of these types, or at these addresses
  --highlight TYPE,…    draw what is of these types in blue
  --refcounts           draw reference counts
  --shortnames          draw types without their modules: the default
  --longnames           draw types with their modules
  --extra-info WHAT,…   draw address, size, tracked, type, none; address unless told
  --no-legend           draw no legend
  --json                print one JSON object on one line (docs/json.md)

The graph is what refcycle's ancestors(N) computes inside of the process, with
the frames, threads and other holders that it cannot see. Each object is shown
once with its holders; where it is met again, `(above)` or `(below)` says where
it is. --json prints a document that refcycle loads.""",
    "py-heap-descendants": """Show what a Python object keeps alive, N generations down.
Usage: py-heap-descendants ADDR [N] [--all] [--limit N] [--image [FILE]] [--too-many N]
                           [--filter TYPE,…] [--ignore TYPE|ADDR,…] [--highlight TYPE,…]
                           [--refcounts] [--shortnames] [--longnames]
                           [--extra-info WHAT,…] [--no-legend] [--json]

  ADDR                  the object: any expression that gdb takes
  N                     how many references away; `all` for no bound; 3 unless told
  --all                 also through what the collector cannot see; draw beyond modules
  --limit N             show at most N lines, 0 for all; 200 unless told
  --image [FILE]        draw it: .svg, .png, .pdf, .dot, .json; without FILE, show it
  --too-many N          draw N references of an object, 0 for all; 10 unless told
  --filter TYPE,…       draw only what is of these types: names or globs
  --ignore TYPE|ADDR,…  draw nothing of these types, or at these addresses
  --highlight TYPE,…    draw what is of these types in blue
  --refcounts           draw reference counts
  --shortnames          draw types without their modules: the default
  --longnames           draw types with their modules
  --extra-info WHAT,…   draw address, size, tracked, type, none; address unless told
  --no-legend           draw no legend
  --json                print one JSON object on one line (docs/json.md)

The graph is what refcycle's descendants(N) computes inside of the process, with
the frames, threads and other referents that it cannot see. Each object is shown
once with its referents; where it is met again, `(above)` or `(below)` says
where it is. --json prints a document that refcycle loads.""",
    "py-heap-frames": """Show the Python stack of every thread and of every suspended greenlet.
Usage: py-heap-frames [--locals] [--suspended] [--limit N] [--interpreter ID] [--json]

  --locals          with the local variables of each frame
  --suspended       suspended generators and coroutines too
  --limit N         of each stack at most N frames, 0 for all; 100 unless told
  --interpreter ID  only this interpreter; 0 is the main one
  --json            print one JSON object on one line (docs/json.md)

Innermost frame first. --locals adds the local variables that are bound; a cell
variable is shown with the value of its cell. Of a module's own frame only the
number of names is shown, and the variables of a comprehension that runs as a
part of it. The addresses of threads and frames can be given to the other
commands. Of a deep stack both ends are shown. --json always has all frames with
their local variables. Where there are several interpreters, each has its
heading; a thread that runs code in several is shown in each. A suspended
greenlet is shown with the frames that it has put aside.""",
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
Usage: py-heap-why ADDR [--limit N] [--image [FILE]] [--too-many N] [--filter TYPE,…]
                   [--ignore TYPE|ADDR,…] [--highlight TYPE,…] [--refcounts]
                   [--shortnames] [--longnames] [--extra-info WHAT,…] [--no-legend]
                   [--json]

  ADDR                  the object: any expression that gdb takes
  --limit N             paths from at most N different roots, 0 for all; 1 unless told
  --image [FILE]        draw it: .svg, .png, .pdf, .dot, .json; without FILE, show it
  --too-many N          draw N references of an object, 0 for all; 10 unless told
  --filter TYPE,…       draw only what is of these types: names or globs
  --ignore TYPE|ADDR,…  draw nothing of these types, or at these addresses
  --highlight TYPE,…    draw what is of these types in blue
  --refcounts           draw reference counts
  --shortnames          draw types without their modules: the default
  --longnames           draw types with their modules
  --extra-info WHAT,…   draw address, size, tracked, type, none; address unless told
  --no-legend           draw no legend
  --json                print one JSON object on one line (docs/json.md)

Roots are the modules of sys.modules, the frames on the threads' stacks, the
threads and the interpreters. The object comes first, then its holder, then the
holder's holder, each with the name of the reference, up to the root.""",
    "py-heap-chain": """Show a shortest chain of references up to a module, a frame, a type, an object.
Usage: py-heap-chain ADDR [--to GOAL] [--max-depth N] [--ignore TYPE|ADDR,…] [--forward]
                     [--image [FILE]] [--too-many N] [--filter TYPE,…]
                     [--highlight TYPE,…] [--refcounts] [--shortnames] [--longnames]
                     [--extra-info WHAT,…] [--no-legend] [--json]

  ADDR                  the object: any expression that gdb takes
  --to GOAL             `module`, `frame`, the name of a type, or an expression
  --max-depth N         at most N references; 20 unless told
  --ignore TYPE|ADDR,…  do not go through these types, names or globs, or addresses
  --forward             from the object down, to what it refers to
  --image [FILE]        draw it: .svg, .png, .pdf, .dot, .json; without FILE, show it
  --too-many N          draw N references of an object, 0 for all; 10 unless told
  --filter TYPE,…       draw only what is of these types: names or globs
  --highlight TYPE,…    draw what is of these types in blue
  --refcounts           draw reference counts
  --shortnames          draw types without their modules: the default
  --longnames           draw types with their modules
  --extra-info WHAT,…   draw address, size, tracked, type, none; address unless told
  --no-legend           draw no legend
  --json                print one JSON object on one line (docs/json.md)

objgraph's find_backref_chain, and with --forward its find_ref_chain, with the
frames, threads and other holders that it cannot see. The goal is a module of
sys.modules unless --to says otherwise: `frame` (of a thread's stack, or put
aside by a greenlet), the name of a type as py-heap-find takes it, or another
object, as any expression that is not just a name: `0x…`, `$rdi`, `&*self`.""",
    "py-heap-path": """Show a shortest path of references from one Python object down to another.
Usage: py-heap-path A B [--image [FILE]] [--too-many N] [--filter TYPE,…]
                    [--ignore TYPE|ADDR,…] [--highlight TYPE,…] [--refcounts]
                    [--shortnames] [--longnames] [--extra-info WHAT,…] [--no-legend]
                    [--json]

  A                     who refers: any expression that gdb takes
  B                     to what it leads
  --image [FILE]        draw it: .svg, .png, .pdf, .dot, .json; without FILE, show it
  --too-many N          draw N references of an object, 0 for all; 10 unless told
  --filter TYPE,…       draw only what is of these types: names or globs
  --ignore TYPE|ADDR,…  draw nothing of these types, or at these addresses
  --highlight TYPE,…    draw what is of these types in blue
  --refcounts           draw reference counts
  --shortnames          draw types without their modules: the default
  --longnames           draw types with their modules
  --extra-info WHAT,…   draw address, size, tracked, type, none; address unless told
  --no-legend           draw no legend
  --json                print one JSON object on one line (docs/json.md)

refcycle's shortest_path, but through everything that is known, not only what
the collector tracks. A and B are expressions; where one has blanks or commas, a
comma stands between them: `py-heap-path $rdi + 8, self->ob_type`. Commas in
brackets or quotes are the expression's own.""",
    "py-heap-cycle": """Show a shortest cycle of references through a Python object.
Usage: py-heap-cycle ADDR [--image [FILE]] [--too-many N] [--filter TYPE,…]
                     [--ignore TYPE|ADDR,…] [--highlight TYPE,…] [--refcounts]
                     [--shortnames] [--longnames] [--extra-info WHAT,…] [--no-legend]
                     [--json]

  ADDR                  the object: any expression that gdb takes
  --image [FILE]        draw it: .svg, .png, .pdf, .dot, .json; without FILE, show it
  --too-many N          draw N references of an object, 0 for all; 10 unless told
  --filter TYPE,…       draw only what is of these types: names or globs
  --ignore TYPE|ADDR,…  draw nothing of these types, or at these addresses
  --highlight TYPE,…    draw what is of these types in blue
  --refcounts           draw reference counts
  --shortnames          draw types without their modules: the default
  --longnames           draw types with their modules
  --extra-info WHAT,…   draw address, size, tracked, type, none; address unless told
  --no-legend           draw no legend
  --json                print one JSON object on one line (docs/json.md)

refcycle's shortest_cycle, but through everything that is known, not only what
the collector tracks: from the object down, and back to it.""",
    "py-heap-cycles": """List the cycles of references: strongly connected components of Python objects.
Usage: py-heap-cycles [--by count|size] [--limit N] [--all] [--image [FILE]]
                      [--too-many N] [--filter TYPE,…] [--ignore TYPE|ADDR,…]
                      [--highlight TYPE,…] [--refcounts] [--shortnames] [--longnames]
                      [--extra-info WHAT,…] [--no-legend] [--json]

  --by count|size       what to sort by; count unless told
  --limit N             show at most N components, 0 for all; 10 unless told
  --all                 also through what the collector does not see
  --image [FILE]        draw it: .svg, .png, .pdf, .dot, .json; without FILE, show it
  --too-many N          draw N references of an object, 0 for all; 10 unless told
  --filter TYPE,…       draw only what is of these types: names or globs
  --ignore TYPE|ADDR,…  draw nothing of these types, or at these addresses
  --highlight TYPE,…    draw what is of these types in blue
  --refcounts           draw reference counts
  --shortnames          draw types without their modules: the default
  --longnames           draw types with their modules
  --extra-info WHAT,…   draw address, size, tracked, type, none; address unless told
  --no-legend           draw no legend
  --json                print one JSON object on one line (docs/json.md)

Each component is a set of objects that all lead to each other. It is shown with
its objects, bytes and most frequent types, and with a shortest cycle through
one of its objects. The graph is refcycle's snapshot: the objects that the
collector tracks, and the references that it sees. With --all it is everything,
frames, threads and interpreters too. Most components of a healthy program are
classes and modules; `garbage` marks what only keeps itself alive.""",
    "py-heap-garbage": """Show what Python's garbage collector would find if it ran now.
Usage: py-heap-garbage [--limit N] [--by count|size] [--interpreter ID] [--json]

  --limit N         show at most N types, and of key cycles, 0 for all; 20 unless told
  --by count|size   what to sort by; count unless told
  --interpreter ID  what the collector of this interpreter would find
  --json            print one JSON object on one line (docs/json.md)

The collector's own algorithm: objects that are referred to by nothing but each
other, counted per type. Objects whose finalizer (`__del__`) would be called are
told apart, and so is what is in gc.garbage already. Key cycles, as refcycle
calls them, are those that no other garbage refers to: without them the rest
would be freed, too. Objects that gc.freeze() put aside are not looked at, as in
CPython.""",
    "py-heap-leaks": """List the tracked Python objects that nothing known refers to.
Usage: py-heap-leaks [PATTERN] [--limit N] [--by count|size] [--json]

  PATTERN          only types whose name matches
  --limit N        show at most N types, and of objects, 0 for all; 20 unless told
  --by count|size  what to sort by; count unless told
  --json           print one JSON object on one line (docs/json.md)

objgraph's get_leaking_objects: tracked objects to which no tracked object
refers, as gc.get_referents() sees it. Many have another holder: a local
variable of a frame, code, the interpreter. `unheld` are those to which nothing
that can be read refers: a C library or a C variable holds them, or a reference
was never given back. PATTERN is a glob or a part of the type's name, as for py-
heap-types.""",
    "py-heap-growth": """Show what grew since an earlier heap, and what holds the new objects.
Usage: py-heap-growth FIRST [SECOND] [--limit N] [--by count|size] [--all] [--new TYPE]
                      [--ids] [--untracked] [--json]

  FIRST            a core, a file of py-heap-save, or `last`
  SECOND           likewise; a later one
  --limit N        show at most N types, 0 for all; 10 unless told
  --by count|size  what to compare; count unless told
  --all            types that lost objects, too
  --new TYPE       list the new objects of this type
  --ids            the columns of objgraph's get_new_ids
  --untracked      everything reachable, not only tracked
  --json           print one JSON object on one line (docs/json.md)

FIRST is another core, a file of py-heap-save, or `last`: the heap of the
previous stop in this gdb session, if a command read it. Types are matched by
name; an object is new when FIRST has none of its type at its address. New
objects come first, by what they have in common: the nearest node that holds
them all, and how it is reached; `py-heap-growth FIRST --new TYPE` asks that of
one type, and lists its objects. Then objgraph's table: type, count, delta, the
most growth first. Dicts that are the `__dict__` of new objects (up to 3.10 each
instance has one) are not counted for that order: they grow with the class. If
FIRST is of another process of the program, counts compare, all objects are new,
and what holds them is asked of the three types that grew most. With SECOND, a
heap between FIRST and this one, only what appeared between the two and is still
there counts as new. Tracked objects are counted; with --untracked strings,
numbers and others too.""",
    "py-heap-save": """Save the heap to a file, to ask it later or to compare with it.
Usage: py-heap-save FILE [--no-values] [--json]

  FILE         what to write; it is replaced
  --no-values  leave out values, and keys of dicts
  --json       print one JSON object on one line (docs/json.md)

The file (docs/heap-file.md) answers every question about objects, references
and frames that the core did, is a fraction of its size, and needs neither core
nor binaries. With --no-values the reprs of str, bytes, int and all other values
are not in it, nor the keys of dicts: `value['name']` becomes `value[…]`. What
stays is what code is called: types, functions, modules, files, attributes,
variables, threads; and addresses, sizes, counts of references.""",
    "py-heap-load": """Ask a saved heap from now on.
Usage: py-heap-load [FILE] [--off] [--json]

  FILE    a file of py-heap-save
  --off   ask the selected target again
  --json  print one JSON object on one line (docs/json.md)

All commands answer from the file, until another is loaded, another target is
selected, the process runs, or `py-heap-load --off`. No target is needed.""",
    "py-heap-info": """Say which Python the target runs and how much of its heap could be read.
Usage: py-heap-info [--verbose] [--json]

  --verbose  name the invariants of the layout too
  --json     print one JSON object on one line (docs/json.md)

Version, file and build-id of the interpreter, where the layout of its
structures is known from, what of memory agreed with it, counts of the heap,
objects whose references are guesses, what could not be read, and files of the
target that are not used or not proven to be its own.""",
}
