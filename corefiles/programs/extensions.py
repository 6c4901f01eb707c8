# SPDX-License-Identifier: Apache-2.0
"""Objects of the types that are written in C: those of the standard library's modules, and of the interpreter.

`KEPT` has them by label, and so has the truth.  What an interpreter or its standard
library does not have is left out, as long as there are enough.
"""

import builtins
import importlib
import os
import sys
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402

LEAST_OBJECTS = 250
LEAST_TYPES = 120

KEPT = {}
LEFT_OUT = {}
MAKERS = []


class Payload:
    """What only an object of C code refers to."""

    def __init__(self, name):
        self.name = name

    def __call__(self, *arguments):
        return arguments[0] if arguments else self


def payload(*name):
    return Payload("-".join(map(str, name)))


def payloads(number, *name):
    return [payload(*name + (i,)) for i in range(number)]


def started(iterator, steps=1):
    """An iterator that has been asked."""
    for _ in range(steps):
        next(iterator)
    return iterator


def held(holder, type_name):
    """What an object refers to and no attribute gives, by the name of its type."""
    gc = importlib.import_module("gc")
    for referent in gc.get_referents(holder):
        if type(referent).__name__ == type_name:
            return referent
    raise AttributeError(type_name)


def of(*names):
    """Call the function with these modules, if they are all there; it returns makers by label."""

    def register(function):
        MAKERS.append((names, function))
        return function

    return register


def make_all():
    """Fill KEPT."""
    warnings.simplefilter("ignore")  # what is deprecated has its objects too
    for names, function in MAKERS:
        try:
            modules = [importlib.import_module(name) for name in names]
        except ImportError as error:
            LEFT_OUT[names[0]] = str(error)
            continue
        for label, maker in function(*modules).items():
            label = "%s: %s" % (names[0], label)
            try:
                KEPT[label] = maker()
            except (AttributeError, ImportError, NotImplementedError) as error:
                LEFT_OUT[label] = str(error)
            except OSError as error:  # of the machine: no /dev/shm, no socket
                LEFT_OUT[label] = str(error)


# Iterators.


@of("itertools")
def make_itertools(itertools):
    class Iterable:
        """What is iterated by __getitem__."""

        def __getitem__(self, index):
            return payload("sequence", index)

    def fresh(name):
        items = payloads(4, name)
        tell = payload(name, "function")
        arguments = {
            "accumulate": (items, lambda a, b: b),
            "batched": (items, 3),
            "chain": (items, [tell], iter(items)),
            "combinations": (items, 2),
            "combinations_with_replacement": (items, 2),
            "compress": (items, [1, 0, 1, 1]),
            "count": (1 << 80, 3),
            "cycle": (items,),
            "dropwhile": (lambda item: False, items),
            "filterfalse": (lambda item: None, items),
            "groupby": (items, lambda item: tell),
            "islice": (iter(items), 1, 4, 2),
            "pairwise": (items,),
            "permutations": (items, 2),
            "product": (items, [tell]),
            "repeat": (tell, 5),
            "starmap": (lambda *all: all, [items, items]),
            "takewhile": (lambda item: True, items),
            "zip_longest": (items, [tell]),
        }[name]
        options = {"zip_longest": {"fillvalue": payload("fill")}}.get(name, {})
        return getattr(itertools, name)(*arguments, **options)

    names = """accumulate batched chain combinations combinations_with_replacement
    compress count cycle dropwhile filterfalse groupby islice pairwise permutations
    product repeat starmap takewhile zip_longest""".split()
    makers = {name: lambda name=name: fresh(name) for name in names}
    for name in names:
        makers[name + ", started"] = lambda name=name: started(fresh(name))
        makers[name + ", at its end"] = lambda name=name: ended(fresh(name))

    def ended(iterator):
        for _ in zip(range(100), iterator):
            pass
        return iterator

    def tees():
        first, second = itertools.tee(iter(payloads(130, "tee")))
        return started(first, 100), second

    makers["from_iterable"] = lambda: started(
        itertools.chain.from_iterable(iter([payloads(2, "chained")]))
    )
    makers["grouper"] = lambda: next(fresh("groupby"))[1]
    makers["tee"] = lambda: tees()[0]
    makers["tee, other"] = lambda: tees()[1]
    makers["tee data"] = lambda: held(tees()[1], "_tee_dataobject")
    makers["of a sequence"] = lambda: started(iter(Iterable()))
    return makers


@of("collections")
def make_iterators(collections):
    items = payloads(5, "iterated")
    named = {str(i): item for i, item in enumerate(items)}
    ordered = collections.OrderedDict(named)

    def generator():
        inner = payload("in a generator")
        yield inner
        yield inner

    makers = {
        "callable": lambda: started(iter(payload("called"), None)),
        "enumerate": lambda: started(enumerate(items)),
        "enumerate, large": lambda: started(enumerate(items, 1 << 70), 2),
        "filter": lambda: started(filter(payload("predicate"), items)),
        "map": lambda: started(map(payload("function"), items, list(items))),
        "zip": lambda: started(zip(items, list(items), generator())),
        "reversed": lambda: started(reversed(Sequence(items))),
        "generator": lambda: started(generator()),
        "range": lambda: started(iter(range(10))),
        "large range": lambda: started(iter(range(1 << 70, 1 << 71))),
        "bytes": lambda: started(iter(b"bytes")),
        "bytearray": lambda: started(iter(bytearray(b"bytearray"))),
        "str": lambda: started(iter("\xfc\u20ac")),
        "ASCII": lambda: started(iter("ascii")),
        "memoryview": lambda: started(iter(memoryview(b"bytes"))),
    }
    for label, iterable in (
        ("list", items),
        ("tuple", tuple(items)),
        ("set", set(items)),
        ("dict", named),
        ("dict keys", named.keys()),
        ("dict values", named.values()),
        ("dict items", named.items()),
        ("OrderedDict", ordered),
        ("OrderedDict values", ordered.values()),
        ("OrderedDict items", ordered.items()),
        ("deque", collections.deque(items)),
    ):
        makers[label] = lambda of=iterable: started(iter(of))
        makers[label + ", fresh"] = lambda of=iterable: iter(of)
        if hasattr(iterable, "__reversed__"):
            makers[label + ", reversed"] = lambda of=iterable: started(reversed(of))
    for name in ("keys", "values", "items"):
        makers["view of " + name] = lambda name=name: getattr(named, name)()
        makers["view of ordered " + name] = lambda name=name: getattr(ordered, name)()
    return makers


class Sequence:
    """What is reversed by __len__ and __getitem__."""

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


# Containers and functions.


@of("functools")
def make_functools(functools):
    def cached(size, calls):
        function = functools.lru_cache(size, typed=size == 8)(payload("cached", size))
        for item in payloads(calls, "argument"):
            function(item, 1)
        function.attribute = payload("of a cache")
        return function

    def attributed():
        made = functools.partial(payload("function"), payload("argument"))
        made.attribute = payload("of a partial")
        return made

    return {
        "partial": lambda: functools.partial(
            payload("f"), 1, payload("a"), key=payload("k")
        ),
        "partial without arguments": lambda: functools.partial(payload("f")),
        "partial with attribute": attributed,
        "partial of partial": lambda: functools.partial(attributed(), payload("a")),
        "partial with placeholder": lambda: functools.partial(
            payload("f"), functools.Placeholder, payload("a")
        ),
        "placeholder": lambda: functools.Placeholder,
        "cache": lambda: cached(8, 20),
        "unbounded cache": lambda: cached(None, 5),
        "empty cache": lambda: cached(8, 0),
        "no cache": lambda: cached(0, 2),
        "method of a cache": lambda: cached(8, 3).cache_info,
        "cache information": lambda: cached(8, 3).cache_info(),
        "comparison": lambda: functools.cmp_to_key(payload("compare")),
        "compared": lambda: functools.cmp_to_key(payload("compare"))(payload("object")),
    }


@of("collections")
def make_collections(collections):
    def rotated(number, maximum=None):
        made = collections.deque(payloads(number, "deque"), maximum)
        made.rotate(7)
        return made

    def default():
        made = collections.defaultdict(payload("factory"))
        made["missing"]
        return made

    point = collections.namedtuple("point", "x y")
    return {
        "deque": lambda: rotated(3),
        "empty deque": lambda: collections.deque(),
        "long deque": lambda: rotated(200),
        "bounded deque": lambda: rotated(90, 70),
        "defaultdict": default,
        "OrderedDict": lambda: collections.OrderedDict.fromkeys(
            "abc", payload("value")
        ),
        "namedtuple's field": lambda: point.x,
        "namedtuple": lambda: point(payload("x"), payload("y")),
    }


@of("operator")
def make_operator(operator):
    return {
        "itemgetter": lambda: operator.itemgetter(payload("key")),
        "itemgetter of some": lambda: operator.itemgetter(
            payload("key"), payload("other")
        ),
        "attrgetter": lambda: operator.attrgetter("an_attribute"),
        "attrgetter of some": lambda: operator.attrgetter("first.second", "third"),
        "methodcaller": lambda: operator.methodcaller("method"),
        "methodcaller with arguments": lambda: operator.methodcaller(
            "method", payload("argument"), key=payload("keyword")
        ),
        "methodcaller, called": lambda: called(
            operator.methodcaller("__call__", payload("c"))
        ),
    }


def called(function):
    function(payload("receiver"))
    return function


@of("array", "struct")
def make_data(array, struct):
    class Holder:
        """Something that exports nothing."""

    return {
        "array": lambda: array.array("i", range(100)),
        "empty array": lambda: array.array("d"),
        "array iterator": lambda: started(iter(array.array("i", range(3)))),
        "Struct": lambda: struct.Struct("<iQ4s2x"),
        "unpacking": lambda: started(struct.Struct("<i").iter_unpack(bytes(8))),
        "memoryview of an array": lambda: memoryview(array.array("i", range(3))),
        "memoryview of bytes": lambda: memoryview(b"0123456789")[2:8:2],
        "memoryview of a bytearray": lambda: memoryview(bytearray(12)).cast(
            "B", (3, 4)
        ),
        "managed buffer": lambda: held(memoryview(b"0123456789"), "managedbuffer"),
        "released memoryview": lambda: released(memoryview(b"released")),
    }


def released(view):
    view.release()
    return view


# Input and output.


@of("_io", "io", "os", "tempfile")
def make_io(_io, io, os, tempfile):
    def exported():
        buffer = io.BytesIO(b"exported")
        return buffer.getbuffer()

    def attributed(made):
        made.attribute = payload("of", type(made).__name__)
        return made

    def partly_read():
        text = io.TextIOWrapper(io.BytesIO("first\r\nsecond \xfc".encode()), "utf-8")
        text.readline()
        return text

    def pending():
        text = io.TextIOWrapper(attributed(io.BytesIO()), "utf-16", write_through=False)
        text.write("pending")
        return attributed(text)

    def pair():
        reading, writing = os.pipe()
        return io.BufferedRWPair(io.FileIO(reading, "r"), io.FileIO(writing, "w"))

    return {
        "FileIO": lambda: attributed(io.FileIO(os.devnull, "r")),
        "FileIO with opener": lambda: io.FileIO(
            os.devnull, opener=lambda *a: os.open(*a)
        ),
        "closed FileIO": lambda: closed(io.FileIO(os.devnull)),
        "BufferedReader": lambda: attributed(open(os.devnull, "rb")),
        "BufferedWriter": lambda: attributed(open(os.devnull, "wb")),
        "BufferedRandom": lambda: attributed(tempfile.TemporaryFile()),
        "BufferedRWPair": pair,
        "detached buffer": lambda: detached(open(os.devnull, "rb")),
        "BytesIO": lambda: attributed(io.BytesIO(b"bytes")),
        "BytesIO, written": lambda: written(io.BytesIO(), b"written"),
        "buffer of a BytesIO": lambda: exported().obj,
        "StringIO": lambda: attributed(io.StringIO("text\n")),
        "StringIO, written": lambda: written(io.StringIO(newline=None), "written\r\n"),
        "TextIOWrapper": partly_read,
        "TextIOWrapper, written": pending,
        "TextIOWrapper of ASCII": lambda: open(
            os.devnull, encoding="ascii", errors="replace"
        ),
        "newlines": lambda: io.IncrementalNewlineDecoder(payload("decoder"), True),
        "standard error": lambda: sys.__stderr__,
        "base": lambda: io.BufferedIOBase(),
        "raw base": lambda: attributed(io.RawIOBase()),
        "text base": lambda: io.TextIOBase(),
        "blocking": lambda: BlockingIOError(11, "text", 3),
    }


def written(file, data):
    file.write(data)
    return file


def closed(file):
    file.close()
    return file


def detached(file):
    raw = file.detach()
    file_and_raw = file
    KEPT.setdefault("io: raw of a detached buffer", raw)
    return file_and_raw


@of("select", "socket", "mmap", "os")
def make_system(select, socket, mmap, os):
    def polling():
        poll = select.poll()
        poll.register(0)
        return poll

    def connected():
        pair = socket.socketpair()
        pair[0].settimeout(3.5)
        return pair[0]

    def scanning():
        return os.scandir("/")

    return {
        "poll": polling,
        "epoll": lambda: select.epoll(),
        "socket": connected,
        "socket of C": lambda: importlib.import_module("_socket").socket(),
        "closed socket": lambda: closed(socket.socket()),
        "anonymous mmap": lambda: mmap.mmap(-1, 4096),
        "closed mmap": lambda: closed(mmap.mmap(-1, 4096)),
        "memoryview of an mmap": lambda: memoryview(mmap.mmap(-1, 4096)),
        "scandir": scanning,
        "scandir, started": lambda: started(scanning()),
        "directory entry": lambda: entry_with_stat(next(scanning())),
        "stat": lambda: os.stat("/"),
        "uname": lambda: os.uname(),
        "times": lambda: os.times(),
        "terminal size": lambda: os.terminal_size((80, 25)),
        "scheduling": lambda: os.sched_param(0),
    }


def entry_with_stat(entry):
    entry.is_dir()
    entry.stat()
    entry.stat(follow_symlinks=False)
    return entry


@of("ssl", "_ssl")
def make_ssl(ssl, _ssl):
    def context(kind="PROTOCOL_TLS_CLIENT"):
        made = ssl.SSLContext(getattr(ssl, kind))
        made.attribute = payload("of a context")
        if "CLIENT" in kind:
            made.check_hostname = False
            made.verify_mode = ssl.CERT_NONE
        made.set_ciphers("aNULL:ALL:@SECLEVEL=0")
        made.options |= getattr(ssl, "OP_NO_TLSv1_3", 0)
        return made

    def with_callbacks():
        made = context("PROTOCOL_TLS_SERVER")
        if hasattr(made, "sni_callback"):
            made.sni_callback = payload("sni")
        if hasattr(type(made), "_msg_callback"):
            made._msg_callback = payload("message")
        if hasattr(made, "set_psk_server_callback"):
            made.set_psk_server_callback(payload("key"))
        return made

    def wrapped(kind="PROTOCOL_TLS_CLIENT", of=None, **options):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        made = (of or context(kind)).wrap_bio(incoming, outgoing, **options)
        return made, incoming, outgoing

    def connected():
        client, from_server, to_server = wrapped()
        server, from_client, to_client = wrapped(
            of=context("PROTOCOL_TLS_SERVER"), server_side=True
        )
        for _ in range(4):
            for side in (client, server):
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    pass
            from_client.write(to_server.read())
            from_server.write(to_client.read())
        return client

    def session():
        made = connected().session
        if made is None:
            raise AttributeError("no session")
        return made

    return {
        "context": context,
        "context of C": lambda: _ssl._SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        "context with callbacks": with_callbacks,
        "memory": lambda: written(ssl.MemoryBIO(), b"bytes"),
        "object": lambda: wrapped()[0],
        "object of C": lambda: wrapped()[0]._sslobj,
        "connected": lambda: connected()._sslobj,
        "session": session,
        "error": lambda: ssl.SSLError(1, "text", payload("error")),
    }


# Text and formats.


@of("_csv", "_json", "json.decoder", "json.encoder", "io")
def make_formats(_csv, _json, decoder, encoder, io):
    class Dialect(importlib.import_module("csv").excel):
        """A dialect with characters that are not Latin."""

        delimiter = "\u20ac"
        lineterminator = "line"

    return {
        "reader": lambda: started(
            _csv.reader(iter(["a,b", "c,d"]), lineterminator="x")
        ),
        "writer": lambda: _csv.writer(io.StringIO(), Dialect),
        "dialect": lambda: _csv.reader([], Dialect).dialect,
        "scanner": lambda: _json.make_scanner(
            decoder.JSONDecoder(
                object_hook=payload("hook"), parse_float=payload("float")
            )
        ),
        "encoder": lambda: _json.make_encoder(
            {}, payload("default"), payload("text"), None, ":", ",", False, False, True
        ),
    }


@of("_pickle", "io")
def make_pickle(_pickle, io):
    class Pickler(_pickle.Pickler):
        """With a method that C code looks for."""

        def persistent_id(self, obj):
            return None

    class Unpickler(_pickle.Unpickler):
        """With a method that C code looks for."""

        def persistent_load(self, obj):
            return None

    def pickler():
        made = Pickler(io.BytesIO(), 2)
        made.dump([payload("pickled"), payload("also pickled")])
        made.dispatch_table = {Payload: payload("reduce")}
        return made

    def unpickler():
        made = Unpickler(io.BytesIO(_pickle.dumps([payload("pickled"), b"x" * 9])))
        made.load()
        return made

    return {
        "pickler": pickler,
        "pickler of C": lambda: _pickle.Pickler(io.BytesIO()),
        "unpickler of C": lambda: _pickle.Unpickler(io.BytesIO()),
        "memo of a pickler": lambda: pickler().memo,
        "unpickler": unpickler,
        "memo of an unpickler": lambda: unpickler().memo,
        "buffer": lambda: _pickle.PickleBuffer(bytearray(9)),
        "error": lambda: _pickle.PicklingError(payload("reason")),
    }


@of("sqlite3")
def make_sqlite(sqlite3):
    def connection():
        made = sqlite3.connect(":memory:")
        made.row_factory = sqlite3.Row
        made.text_factory = payload("text")
        made.create_function("f", 1, payload("function"))
        made.create_aggregate("g", 1, Payload)
        made.create_collation("h", payload("collation"))
        made.set_progress_handler(lambda: 0, 10000)
        made.set_trace_callback(payload("trace"))
        return made

    def used_connection():
        made = sqlite3.connect(":memory:")
        made.execute("select 1").fetchone()
        return made

    def cursor():
        made = connection().cursor()
        made.row_factory = payload("row")
        made.execute("create table t (a, b)")
        made.executemany("insert into t values (?, ?)", [(1, b"one"), (2, b"two")])
        made.execute("select a, b from t")
        return made

    def row():
        made = sqlite3.connect(":memory:")
        made.row_factory = sqlite3.Row
        return made.execute("select 1 as one, x'00' as blob").fetchone()

    def blob():
        cursor_ = cursor()
        cursor_.connection.text_factory = str
        return cursor_.connection.blobopen("t", "b", 1)

    return {
        "connection": connection,
        "cursor": cursor,
        "cursor with a row": lambda: started(cursor()),
        "statement": lambda: held(cursor(), "Statement"),
        "statements": lambda: held(used_connection(), "_lru_cache_wrapper"),
        "row": row,
        "row iterator": lambda: started(iter(row())),
        "blob": blob,
        "closed connection": lambda: closed(connection()),
        "protocol": lambda: sqlite3.PrepareProtocol(),
        "error": lambda: sqlite3.IntegrityError(payload("reason")),
    }


@of("pyexpat", "_elementtree", "xml.etree.ElementTree")
def make_xml(pyexpat, _elementtree, etree):
    def parser(**options):
        made = pyexpat.ParserCreate(**options)
        made.StartElementHandler = payload("start")
        made.EndElementHandler = payload("end")
        made.buffer_text = True
        made.Parse(b"<a><b>text")
        return made

    def element():
        made = etree.fromstring(
            "<a x='1' y='2'>text<b>inner</b>tail<c/><d/><e/><f/><g/></a>"
        )
        made.text = payload("text")
        made[0].tail = payload("tail")
        return made

    def builder():
        made = etree.TreeBuilder(lambda tag, attributes: etree.Element(tag, attributes))
        made.start("a", {})
        made.data("text")
        made.start("b", {"key": "value"})
        made.data("more")
        return made

    def full_builder():
        options = {}
        if sys.version_info >= (3, 8):
            options = {
                "comment_factory": payload("comment"),
                "pi_factory": payload("pi"),
                "insert_comments": True,
            }
        return etree.TreeBuilder(**options)

    def xml_parser(**options):
        made = etree.XMLParser(**options)
        made.feed("<a x='1'><b>text")
        return made

    def pulled():
        made = etree.XMLPullParser(["start", "end", "start-ns", "end-ns"])
        made.feed("<a xmlns='x'><b/>")
        return made

    return {
        "parser": parser,
        "parser of names": lambda: parser(
            namespace_separator=" ", intern={"a": payload("a")}
        ),
        "subparser": lambda: parser().ExternalEntityParserCreate(None),
        "element": element,
        "element without children": lambda: etree.Element("tag"),
        "element with attributes": lambda: etree.Element(
            "tag", {"key": "value"}, other="x"
        ),
        "element with one child": lambda: parent(etree),
        "elements": lambda: started(element().iter(), 2),
        "some elements": lambda: element().iter("c"),
        "texts": lambda: started(etree.fromstring("<a>text<b>more</b></a>").itertext()),
        "builder": builder,
        "builder with factories": full_builder,
        "XML parser": xml_parser,
        "XML parser with a target": lambda: xml_parser(target=Target()),
        "XML parser with events": lambda: pulled()._parser,
        "error": lambda: pyexpat.ExpatError(payload("reason")),
    }


class Target:
    """The target of a parser of XML."""

    def __init__(self):
        self.seen = []

    def start(self, tag, attributes):
        self.seen.append((tag, attributes))

    def end(self, tag):
        self.seen.append(tag)

    def data(self, data):
        self.seen.append(data)

    comment = pi = data

    def close(self):
        return self.seen


def parent(etree):
    made = etree.Element("parent")
    etree.SubElement(made, "child").text = "text"
    return made


@of("re")
def make_re(re):
    pattern = re.compile(r"(?P<word>\w+)\s*=\s*(\d+)?")
    text = Text("key = 17, other = 18")
    return {
        "pattern": lambda: pattern,
        "pattern of bytes": lambda: re.compile(b"(a|b)*c"),
        "match": lambda: pattern.match(text),
        "match of bytes": lambda: re.match(b".*", bytearray(b"bytes")),
        "scanner": lambda: pattern.scanner(text),
        "matches": lambda: started(pattern.finditer(text)),
        "template": lambda: importlib.import_module("_sre").template(
            pattern, ["", 1, "x"]
        ),
    }


class Text(str):
    """A str with attributes, which the collector tracks."""


@of("codecs", "_string", "unicodedata")
def make_text(codecs, _string, unicodedata):
    import io

    return {
        "UCD": lambda: unicodedata.ucd_3_2_0,
        "charmap": lambda: codecs.charmap_build("".join(map(chr, range(256, 512)))),
        "codec": lambda: codecs.lookup("shift_jis").encode.__self__,
        "codec information": lambda: codecs.lookup("shift_jis"),
        "encoder": lambda: codecs.getincrementalencoder("shift_jis")(
            payload("errors").name
        ),
        "decoder": lambda: codecs.getincrementaldecoder("euc_kr")("replace"),
        "reader": lambda: codecs.getreader("big5")(io.BytesIO(b"text")),
        "writer": lambda: codecs.getwriter("gb18030")(io.BytesIO(), "callback"),
        "format": lambda: started(_string.formatter_parser("{a}{b!r:>3}"), 1),
        "field names": lambda: started(
            _string.formatter_field_name_split("a.b[c].d")[1]
        ),
    }


@of("bz2", "lzma", "zlib")
def make_compression(bz2, lzma, zlib):
    unused = zlib.compress(b"text") + b"unused"

    def decompressed(made, data):
        made.decompress(data, 1)
        return made

    return {
        "BZ2 compressor": lambda: bz2.BZ2Compressor(),
        "BZ2 decompressor": lambda: decompressed(
            bz2.BZ2Decompressor(), bz2.compress(b"text") + b"x"
        ),
        "LZMA compressor": lambda: lzma.LZMACompressor(preset=0),
        "LZMA decompressor": lambda: decompressed(
            lzma.LZMADecompressor(), lzma.compress(b"text", preset=0) + b"x"
        ),
        "zlib compressor": lambda: zlib.compressobj(1, zdict=b"dictionary"),
        "zlib decompressor": lambda: decompressed(zlib.decompressobj(), unused),
        "zlib decompressor with a dictionary": lambda: zlib.decompressobj(
            zdict=b"dictionary"
        ),
        "newer zlib decompressor": lambda: decompressed(
            zlib._ZlibDecompressor(), unused
        ),
        "error": lambda: zlib.error(payload("reason")),
    }


@of("compression.zstd")
def make_zstd(zstd):
    return {
        "compressor": lambda: zstd.ZstdCompressor(level=1),
        "decompressor": lambda: zstd.ZstdDecompressor(),
        "dictionary": lambda: zstd.ZstdDict(b"dictionary", is_raw=True),
        "compressor with a dictionary": lambda: zstd.ZstdCompressor(
            zstd_dict=zstd.ZstdDict(b"dictionary", is_raw=True)
        ),
        "decompressor with a dictionary": lambda: zstd.ZstdDecompressor(
            zstd.ZstdDict(b"dictionary", is_raw=True)
        ),
    }


@of("hashlib")
def make_hashes(hashlib):
    def own(module, name):
        return getattr(importlib.import_module(module), name)(b"text")

    makers = {
        "OpenSSL": lambda: hashlib.sha256(b"text"),
        "OpenSSL, extendable": lambda: importlib.import_module(
            "_hashlib"
        ).openssl_shake_128(),
        "OpenSSL's HMAC": lambda: importlib.import_module("_hashlib").hmac_new(
            b"key", digestmod="sha256"
        ),
        "HMAC": lambda: importlib.import_module("hmac").new(b"key", digestmod="sha512"),
        "HMAC of C": lambda: importlib.import_module("_hmac").new(
            b"key", digestmod="sha256"
        ),
        "keyed": lambda: hashlib.blake2b(b"text", key=b"key"),
    }
    for names in """_md5.md5 _sha1.sha1 _sha256.sha256 _sha256.sha224 _sha512.sha512 _sha512.sha384 _sha2.sha224
    _sha2.sha256 _sha2.sha384 _sha2.sha512 _sha3.sha3_224 _sha3.sha3_256 _sha3.sha3_384 _sha3.sha3_512
    _sha3.shake_128 _sha3.shake_256 _blake2.blake2b _blake2.blake2s""".split():
        makers[names] = lambda names=names: own(*names.split("."))
    return makers


# Numbers and dates.


@of("decimal", "_decimal")
def make_decimal(decimal, _decimal):
    def context():
        made = decimal.Context(prec=50, traps=[decimal.Inexact])
        return made

    return {
        "Decimal": lambda: decimal.Decimal("1.5"),
        "long Decimal": lambda: decimal.Decimal("1" * 200),
        "context": context,
        "flags": lambda: context().flags,
        "traps": lambda: context().traps,
        "manager": lambda: decimal.localcontext(context()),
        "manager, entered": lambda: entered(decimal.localcontext(context())),
        "tuple": lambda: decimal.Decimal("1.5").as_tuple(),
        "error": lambda: decimal.InvalidOperation(payload("reason")),
    }


def entered(manager):
    manager.__enter__()
    return manager


@of("datetime")
def make_datetime(datetime):
    class Zone(datetime.tzinfo):
        """A time zone with attributes."""

        def utcoffset(self, when):
            return datetime.timedelta(0)

        tzname = dst = utcoffset

    def zone():
        made = Zone()
        made.attribute = payload("of a zone")
        return made

    hour = datetime.timedelta(hours=1)
    return {
        "date": lambda: datetime.date(2026, 11, 21),
        "time": lambda: datetime.time(9, 30),
        "time with a zone": lambda: datetime.time(9, 30, tzinfo=zone()),
        "datetime": lambda: datetime.datetime(2026, 11, 21),
        "datetime with a zone": lambda: datetime.datetime(2026, 11, 21, tzinfo=zone()),
        "datetime with an offset": lambda: datetime.datetime(
            2026, 11, 21, tzinfo=datetime.timezone(hour)
        ),
        "timedelta": lambda: hour,
        "timezone": lambda: datetime.timezone(hour, Text("name")),
        "tzinfo": zone,
        "calendar": lambda: datetime.date(2026, 11, 21).isocalendar(),
        "API": lambda: datetime.datetime_CAPI,
    }


@of("zoneinfo", "io", "struct", "datetime")
def make_zoneinfo(zoneinfo, io, struct, datetime):
    def zone(key):
        counts = struct.pack(">6l", 0, 0, 0, 2, 2, 8)
        transitions = struct.pack(">2l2B", 0, 1000000, 0, 1)
        kinds = struct.pack(">lBBlBB", 0, 0, 0, 3600, 1, 4)
        body = counts + transitions + kinds + b"ONE\0TWO\0"
        return zoneinfo.ZoneInfo.from_file(
            io.BytesIO(b"TZif" + bytes(16) + body), key=key
        )

    return {
        "ZoneInfo": lambda: zone("Here/There"),
        "ZoneInfo without a key": lambda: zone(None),
        "datetime": lambda: datetime.datetime(2026, 11, 21, tzinfo=zone("a")),
    }


@of("_random", "random")
def make_random(_random, random):
    return {
        "of C": lambda: _random.Random(1),
        "of Python": lambda: random.Random(1),
    }


# ctypes.


@of("ctypes", "_ctypes")
def make_ctypes(ctypes, _ctypes):
    class Structure(ctypes.Structure):
        """With an object, a pointer and bits."""

        _fields_ = [
            ("object", ctypes.py_object),
            ("pointer", ctypes.POINTER(ctypes.c_int)),
            ("text", ctypes.c_char_p),
            ("bits", ctypes.c_int, 3),
            ("numbers", ctypes.c_int * 3),
        ]

    class Union(ctypes.Union):
        """With an anonymous structure."""

        _anonymous_ = ["inner"]
        _fields_ = [("inner", Structure), ("number", ctypes.c_long)]

    class Swapped(ctypes.BigEndianStructure):
        """Of the other order of bytes."""

        _fields_ = [("number", ctypes.c_int)]

    function = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.py_object)

    def structure():
        made = Structure()
        made.object = payload("in a structure")
        made.pointer = ctypes.pointer(ctypes.c_int(3))
        made.text = b"text"
        made.attribute = payload("of a structure")
        return made

    def union():
        made = Union()
        made.inner = structure()
        return made

    def array():
        made = (Structure * 2)()
        made[1] = structure()
        return made

    def declared():
        made = ctypes.PyDLL(None)["PyNumber_Add"]
        made.restype = ctypes.py_object
        made.argtypes = [ctypes.py_object, ctypes.py_object]
        made.errcheck = payload("check")
        return made

    def pointers():
        made = (ctypes.c_char_p * 3)()
        made[1] = b"kept"
        return made

    def with_handler():
        made = function(payload("callback"))
        made.attribute = payload("of a function")
        return made

    return {
        "structure": structure,
        "field of a structure": lambda: structure().numbers,
        "union": union,
        "part of a union": lambda: union().inner,
        "swapped": lambda: Swapped(5),
        "array": array,
        "array of pointers": pointers,
        "item of an array": lambda: array()[1],
        "array from a buffer": lambda: (ctypes.c_char * 4).from_buffer(bytearray(4)),
        "buffer": lambda: ctypes.create_string_buffer(b"text"),
        "pointer": lambda: ctypes.pointer(structure()),
        "contents of a pointer": lambda: ctypes.pointer(structure()).contents,
        "cast pointer": lambda: ctypes.cast(array(), ctypes.POINTER(Structure)),
        "null pointer": lambda: ctypes.POINTER(Union)(),
        "reference": lambda: ctypes.byref(structure()),
        "int": lambda: ctypes.c_int(7),
        "int with an attribute": lambda: attributed(ctypes.c_int(7)),
        "char pointer": lambda: ctypes.c_char_p(b"text"),
        "wide pointer": lambda: ctypes.c_wchar_p("text"),
        "void pointer": lambda: ctypes.c_void_p(16),
        "object": lambda: ctypes.py_object(payload("object")),
        "null object": lambda: ctypes.py_object(),
        "callback": with_handler,
        "thunk": lambda: with_handler()._objects["0"],
        "function": declared,
        "foreign function": lambda: function(("strlen", ctypes.CDLL(None))),
        "prototype": lambda: function(
            ("strlen", ctypes.CDLL(None)), ((1, "a"), (1, "b", 3))
        ),
        "library": lambda: ctypes.CDLL(None),
        "field": lambda: Structure.pointer,
        "bit field": lambda: Structure.bits,
        "parameter": lambda: ctypes.c_int.from_param(7),
        "text parameter": lambda: ctypes.c_char_p.from_param(b"text"),
        "structure's type": lambda: Structure,
        "union's type": lambda: Union,
        "array's type": lambda: Structure * 2,
        "pointer's type": lambda: ctypes.POINTER(Structure),
        "function's type": lambda: function,
        "simple type": lambda: type("Simple", (ctypes.c_int,), {}),
        "argument error": lambda: ctypes.ArgumentError(payload("reason")),
    }


def attributed(made):
    made.attribute = payload("of", type(made).__name__)
    return made


# Running and waiting.


@of("asyncio", "_asyncio")
def make_asyncio(asyncio, _asyncio):
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    async def wait(future):
        mine = payload("in a coroutine")
        await future
        return mine

    async def fail():
        raise ValueError(payload("failed"))

    async def give():
        return payload("given")

    def step():
        loop.call_soon(loop.stop)
        loop.run_forever()

    def future(**options):
        return asyncio.Future(loop=loop, **options)

    def task(coroutine, cls=asyncio.Task):
        return cls(coroutine, loop=loop)

    def stepped(made):
        step()
        step()
        return made

    def called_back():
        made = future()
        made.add_done_callback(payload("callback"))
        made.add_done_callback(payload("second callback"))
        made.add_done_callback(payload("third callback"))
        return made

    def finished(result=None, error=None):
        made = future()
        if error:
            made.set_exception(error)
            made.exception()
        else:
            made.set_result(result)
        return made

    def cancelled():
        made = future()
        if sys.version_info >= (3, 9):
            made.cancel(payload("message"))
        else:
            made.cancel()
        return made

    def cancelled_task():
        made = stepped(task(wait(future())))
        made.cancel()
        return made

    def failed_task():
        made = stepped(task(fail()))
        made.exception()
        return made

    def iterator():
        return started(iter(future()))

    def wakeup():
        callback = stepped(task(wait(future())))._fut_waiter._callbacks[0]
        return callback[0] if isinstance(callback, tuple) else callback

    return {
        "future": future,
        "future with callbacks": called_back,
        "future with a result": lambda: finished(payload("result")),
        "future with an error": lambda: finished(error=ValueError(payload("error"))),
        "cancelled future": cancelled,
        "iterator of a future": iterator,
        "fresh iterator of a future": lambda: iter(future()),
        "task": lambda: task(wait(future())),
        "waiting task": lambda: stepped(task(wait(future()))),
        "task waiting for a task": lambda: stepped(task(wait(task(wait(future()))))),
        "task with a result": lambda: stepped(task(give())),
        "failed task": failed_task,
        "cancelled task": cancelled_task,
        "gathering": lambda: stepped(
            asyncio.gather(task(wait(future())), task(give()))
        ),
        "step of a task": lambda: (task(give()), loop._ready[-1]._callback)[1],
        "wakeup of a task": wakeup,
        "coroutine": lambda: wait(future()),
        "awaited coroutine": lambda: wait(future()).__await__(),
        "shielded": lambda: asyncio.shield(task(wait(future()))),
        "loop": lambda: loop,
        "task of a class": lambda: filled(
            stepped(task(wait(future()), AttributedTask))
        ),
        "task of a class with slots": lambda: filled(task(wait(future()), SlottedTask)),
        "future of a class": lambda: filled(AttributedFuture(loop=loop)),
        "future of a class with slots": lambda: filled(SlottedFuture(loop=loop)),
        "future of a derived class": lambda: filled(DerivedFuture(loop=loop)),
        "future of a class, unused": lambda: AttributedFuture(loop=loop),
    }


def filled(made):
    """An instance with all that its class has room for."""
    for cls in type(made).__mro__:
        for name in cls.__dict__.get("__slots__", ()):
            if not name.startswith("__"):
                setattr(made, name, payload("in slot", name))
    if hasattr(made, "__dict__"):
        made.attribute = payload("first attribute")
        made.other_attribute = [payload("second attribute")]
    return made


try:
    import asyncio
except ImportError:
    pass
else:

    class AttributedTask(asyncio.Task):
        """A task with a dict of its class."""

        other_attribute = None

    class SlottedTask(asyncio.Task):
        """A task with slots, and the dict of Task."""

        __slots__ = ("slot", "other_slot")

    class AttributedFuture(asyncio.Future):
        """A future with a dict of its class."""

    class SlottedFuture(asyncio.Future):
        """A future with a slot, and the dict of Future."""

        __slots__ = ("slot",)

    class DerivedFuture(SlottedFuture, AttributedFuture):
        """A future of two classes."""


@of("contextvars")
def make_contextvars(contextvars):
    variables = [
        contextvars.ContextVar("v%d" % i, default=payload("d", i)) for i in range(60)
    ]

    def context():
        made = contextvars.copy_context()
        made.run(lambda: [variable.set(payload("value")) for variable in variables])
        return made

    full = context()

    def token(variable):
        return contextvars.copy_context().run(variable.set, payload("set"))

    def second_token():
        def twice():
            variables[0].set(payload("old"))
            return variables[0].set(payload("new"))

        return contextvars.copy_context().run(twice)

    def reset():
        def both():
            made = variables[0].set(payload("reset"))
            variables[0].reset(made)
            return made

        return contextvars.copy_context().run(both)

    return {
        "variable": lambda: variables[0],
        "variable without default": lambda: contextvars.ContextVar("none"),
        "context": lambda: full,
        "empty context": lambda: contextvars.Context(),
        "token": lambda: token(variables[0]),
        "token with an old value": second_token,
        "used token": reset,
        "missing": lambda: contextvars.Token.MISSING,
        "keys": lambda: started(iter(full.keys())),
        "values": lambda: started(iter(full.values())),
        "items": lambda: started(iter(full.items())),
        "iterator": lambda: started(iter(full), 30),
        "HAMT": lambda: held(full, "hamt"),
        "array node": lambda: held(held(full, "hamt"), "hamt_array_node"),
        "node": lambda: held(
            held(held(full, "hamt"), "hamt_array_node"), "hamt_bitmap_node"
        ),
    }


@of("_thread", "threading", "queue")
def make_threads(_thread, threading, queue):
    def local():
        made = _thread._local()
        made.attribute = payload("of a thread")
        return made

    def recursive():
        made = threading.RLock()
        made.acquire()
        return made

    def simple_queue():
        made = importlib.import_module("_queue").SimpleQueue()
        for item in payloads(5, "queued"):
            made.put(item)
        made.get()
        return made

    def ended():
        thread = threading.Thread(target=payload("target"))
        thread.start()
        thread.join()
        return getattr(thread, "_handle", None) or thread._os_thread_handle

    return {
        "lock": lambda: _thread.allocate_lock(),
        "RLock": recursive,
        "local": local,
        "simple queue": simple_queue,
        "empty simple queue": lambda: importlib.import_module("_queue").SimpleQueue(),
        "handle": ended,
        "hook's arguments": lambda: threading.ExceptHookArgs(
            [ValueError, payload("value"), None, payload("thread")]
        ),
    }


@of("_interpchannels")
def make_channels(channels):
    def channel():
        if sys.version_info >= (3, 15):
            return channels.create(1, 1)
        return channels.create(1)

    return {
        "channel": channel,
        "error": lambda: channels.ChannelError(payload("reason")),
    }


@of("_xxsubinterpreters")
def make_old_channels(interpreters):
    return {
        "channel": lambda: interpreters.channel_create(),
        "interpreter": lambda: interpreters.get_current(),
        "error": lambda: interpreters.ChannelError(payload("reason")),
    }


@of("_interpqueues", "concurrent.interpreters")
def make_queues(_, interpreters):
    return {"queue": lambda: interpreters.create_queue()}


@of("types")
def make_awaited(types):
    async def numbers():
        mine = payload("in a generator")
        yield mine
        yield mine

    async def wait():
        mine = payload("in a coroutine")
        await pause()
        return mine

    @types.coroutine
    def pause():
        yield payload("paused")

    def run(awaited):
        try:
            awaited.send(None)
        except StopIteration:
            pass
        return awaited

    def suspended():
        made = numbers()
        run(made.asend(None))
        return made

    def failing():
        return suspended().athrow(ValueError, ValueError(payload("thrown")), None)

    return {
        "coroutine": wait,
        "suspended coroutine": lambda: run(wait()),
        "wrapper": lambda: wait().__await__(),
        "generator": numbers,
        "suspended generator": suspended,
        "asend": lambda: numbers().asend(None),
        "asend of something": lambda: suspended().asend(payload("sent")),
        "athrow": failing,
        "aclose": lambda: suspended().aclose(),
        "anext": lambda: builtins.anext(suspended(), payload("default")),
        "wrapped value": lambda: next(iter([run(numbers().__anext__())])),
        "pause": pause,
        "generator of a coroutine": lambda: started(pause()),
    }


# What the interpreter itself has.


@of("weakref", "gc", "types")
def make_weakrefs(weakref, gc, types):
    class Known(weakref.ref):
        """A weak reference with attributes."""

    class Slotted(weakref.ref):
        """A weak reference with slots."""

        __slots__ = ("slot",)

    target = KEPT.setdefault("weakref: target", payload("target"))

    def dead():
        return weakref.ref(payload("dead"), payload("callback of the dead"))

    return {
        "ref": lambda: weakref.ref(target),
        "ref with a callback": lambda: weakref.ref(target, payload("callback")),
        "dead ref": dead,
        "proxy": lambda: weakref.proxy(set(), payload("callback")),
        "callable proxy": lambda: weakref.proxy(target, payload("callback")),
        "ref with attributes": lambda: filled(Known(target, payload("callback"))),
        "ref with slots": lambda: filled(Slotted(target)),
        "WeakSet": lambda: weakref.WeakSet([target]),
        "method": lambda: weakref.WeakMethod(target.__call__),
        "finalizer": lambda: weakref.finalize(target, payload("finalizer")),
    }


@of("types", "abc")
def make_builtins(types, abc):
    def function(argument=payload("default"), *, key=payload("keyword")):
        return argument, key, captured

    captured = payload("captured")

    class Slotted:
        """With slots."""

        __slots__ = ("slot", "__weakref__")

    class Abstract(abc.ABC):
        """With a cache of subclasses."""

        @abc.abstractmethod
        def method(self):
            """Nothing."""

    Abstract.register(int)
    isinstance(3, Abstract)
    isinstance("", Abstract)

    def raised():
        try:
            raise KeyError(payload("raised"))
        except KeyError as error:
            return error

    def chained():
        try:
            try:
                raise KeyError(payload("cause"))
            except KeyError as error:
                raise OSError(2, "text", payload("file")) from error
        except OSError as error:
            return attributed(error)

    def frame():
        mine = payload("in a frame")  # noqa: F841
        return sys._getframe()

    return {
        "method-wrapper": lambda: payload("wrapped").__str__,
        "slot wrapper": lambda: int.__add__,
        "method descriptor": lambda: list.append,
        "class method descriptor": lambda: dict.__dict__["fromkeys"],
        "getset": lambda: types.FunctionType.__dict__["__code__"],
        "member": lambda: Slotted.slot,
        "member of C": lambda: types.FunctionType.__dict__["__globals__"],
        "bound builtin": lambda: [payload("bound")].append,
        "bound class method": lambda: dict.fromkeys,
        "builtin": lambda: len,
        "method": lambda: payload("bound").__call__,
        "function": lambda: function,
        "code": lambda: function.__code__,
        "lines": lambda: started(function.__code__.co_lines()),
        "positions": lambda: started(function.__code__.co_positions()),
        "cell": lambda: function.__closure__[0],
        "frame": frame,
        "locals of a frame": lambda: frame().f_locals,
        "mappingproxy": lambda: types.MappingProxyType({"key": payload("value")}),
        "dict of a class": lambda: Payload.__dict__,
        "namespace": lambda: types.SimpleNamespace(attribute=payload("attribute")),
        "module": lambda: attributed(types.ModuleType("module")),
        "property": lambda: property(
            payload("getter"), payload("setter"), None, "text"
        ),
        "classmethod": lambda: classmethod(payload("function")),
        "staticmethod": lambda: staticmethod(payload("function")),
        "super": lambda: super(Payload, payload("object")),
        "slice": lambda: slice(payload("start"), payload("stop"), payload("step")),
        "error": raised,
        "traceback": lambda: raised().__traceback__,
        "chained error": chained,
        "StopIteration": lambda: StopIteration(payload("value")),
        "ImportError": lambda: ImportError(
            "text", name=payload("name"), path=payload("path")
        ),
        "SyntaxError": lambda: SyntaxError("text", (payload("file"), 1, 2, "line")),
        "UnicodeDecodeError": lambda: UnicodeDecodeError(
            "utf-8", b"\xff", 0, 1, "reason"
        ),
        "SystemExit": lambda: SystemExit(payload("code")),
        "NameError": lambda: NameError(
            "text", **({"name": payload("name")} if sys.version_info >= (3, 10) else {})
        ),
        "AttributeError": lambda: AttributeError(
            "text",
            **({"obj": payload("object")} if sys.version_info >= (3, 10) else {})
        ),
        "group": lambda: builtins.ExceptionGroup("text", [raised(), chained()]),
        "data of an ABC": lambda: Abstract._abc_impl,
        "capsule": lambda: importlib.import_module("unicodedata").ucnhash_CAPI,
        "newer capsule": lambda: importlib.import_module("unicodedata")._ucnhash_CAPI,
        "flags": lambda: sys.flags,
        "time": lambda: importlib.import_module("time").gmtime(0),
        "alias": lambda: types.GenericAlias(list, (payload("argument"),)),
        "iterator of an alias": lambda: unpacking(
            types.GenericAlias(tuple, (int, str))
        ),
        "union": lambda: union(),
        "alias of a union": lambda: types.GenericAlias(list, (union(),)),
        "frozenset": lambda: frozenset(payloads(9, "in a set")),
        "frozendict": lambda: builtins.frozendict(key=payload("value")),
        "template": lambda: template("template"),
        "interpolation": lambda: template("interpolations").interpolations[0],
        "iterator of a template": lambda: started(iter(template("iterated"))),
        "lazy import": lambda: lazy_import(types),
        "spec": lambda: importlib.import_module("os").__spec__,
    }


def template(name):
    if sys.version_info < (3, 14):
        raise NotImplementedError("no templates")
    return eval(
        't"{value} and {value!r:>{width}}"', {"value": payload(name), "width": 3}
    )


def unpacking(alias):
    if sys.version_info < (3, 11):
        raise NotImplementedError("no unpacked aliases")
    return iter(alias)


def union():
    if sys.version_info < (3, 10):
        raise NotImplementedError("no unions")
    return int | Payload


def lazy_import(types):
    """A module that is imported when it is used."""
    if not hasattr(types, "LazyImportType"):
        raise NotImplementedError("no lazy imports")
    names = {}
    exec("lazy import this", names)
    return names["this"]


@of("typing")
def make_typing(typing):
    def evaluated(text, since=(3, 12)):
        if sys.version_info < since:
            raise NotImplementedError("no such type parameters")
        scope = {"Payload": Payload}
        exec(text, scope)
        return scope["T"]

    return {
        "TypeVar": lambda: typing.TypeVar("T", bound=Payload),
        "TypeVar with constraints": lambda: typing.TypeVar("T", int, Payload),
        "ParamSpec": lambda: typing.ParamSpec("P"),
        "ParamSpecArgs": lambda: typing.ParamSpec("P").args,
        "ParamSpecKwargs": lambda: typing.ParamSpec("P").kwargs,
        "TypeVarTuple": lambda: typing.TypeVarTuple("Ts"),
        "TypeAliasType": lambda: evaluated("type T[X: Payload, *Y, **Z] = list[X]"),
        "value of an alias": lambda: evaluated(
            "type T = list[Payload]\nT = (T, T.__value__)[0]"
        ),
        "lazy TypeVar": lambda: evaluated(
            "def T[X: Payload, *Y, **Z](): pass"
        ).__type_params__[0],
        "lazy TypeVarTuple": lambda: evaluated("def T[X, *Y](): pass").__type_params__[
            1
        ],
        "lazy ParamSpec": lambda: evaluated("def T[**X](): pass").__type_params__[0],
        "evaluator": lambda: evaluated("def T[X: Payload](): pass")
        .__type_params__[0]
        .evaluate_bound,
        "constant evaluator": lambda: typing.TypeVar("T", bound=Payload).evaluate_bound,
        "default": lambda: evaluated(
            "def T[X = Payload](): pass", (3, 13)
        ).__type_params__[0],
        "NoDefault": lambda: typing.NoDefault,
        "Union": lambda: typing.Union[int, typing.List[Payload]],
        "Generic": lambda: typing.Generic[typing.TypeVar("T")],
        "unpacked": lambda: typing.Unpack[typing.TypeVarTuple("Ts")],
    }


@of("_ast", "_symtable", "_lsprof", "tracemalloc")
def make_tools(_ast, _symtable, _lsprof, tracemalloc):
    def tree():
        return compile("a = f(b)[c:d]", "text", "exec", _ast.PyCF_ONLY_AST)

    def profiler():
        return _lsprof.Profiler(payload("timer"))

    def profiled():
        made = _lsprof.Profiler()
        made.enable()
        list(map(len, [[], []]))
        made.disable()
        return made

    return {
        "module": tree,
        "assignment": lambda: tree().body[0],
        "node with attributes": lambda: attributed(tree().body[0].value),
        "symbols": lambda: _symtable.symtable(
            "def f(a): return lambda: a", "text", "exec"
        ),
        "inner symbols": lambda: _symtable.symtable(
            "def f(a): return lambda: a", "text", "exec"
        ).children[0],
        "profiler": profiler,
        "profiler, used": profiled,
        "profile": lambda: profiled().getstats()[0],
    }


@of("_tokenize")
def make_tokenize(_tokenize):
    lines = ["a = 1\n", ""]
    return {
        "tokens": lambda: started(
            _tokenize.TokenizerIter(iter(lines).__next__, extra_tokens=False)
            if sys.version_info >= (3, 12)
            else _tokenize.TokenizerIter("a = 1")
        )
    }


@of("grp", "pwd", "resource")
def make_databases(grp, pwd, resource):
    return {
        "group": lambda: grp.struct_group(("name", "*", 0, [payload("member")])),
        "user": lambda: pwd.struct_passwd(("name", "*", 0, 0, payload("g"), "/", "sh")),
        "usage": lambda: resource.getrusage(resource.RUSAGE_SELF),
    }


@of("_multiprocessing", "os")
def make_multiprocessing(_multiprocessing, os):
    return {
        "SemLock": lambda: _multiprocessing.SemLock(
            1, 1, 1, "/extensions-%d" % os.getpid(), True
        )
    }


@of("xxlimited")
def make_xxlimited(xxlimited):
    def made():
        return attributed(xxlimited.Xxo())

    return {"object": made, "text": lambda: xxlimited.Str("text")}


@of("_gdbm", "os")
def make_gdbm(_gdbm, os):
    return {"database": lambda: opened(_gdbm.open, os)}


@of("_dbm", "os")
def make_dbm(_dbm, os):
    return {"database": lambda: opened(_dbm.open, os)}


def opened(open_database, os):
    """A database whose files are gone."""
    tempfile = importlib.import_module("tempfile")
    with tempfile.TemporaryDirectory() as folder:
        made = open_database(os.path.join(folder, "database"), "c")
        made[b"key"] = b"value"
    return made


# Python's subclasses of C types.


def derived(base, *arguments, **options):
    """Instances of subclasses of a C type: with a dict, with slots, with both, and with neither."""

    class Plain(base):
        """With a dict, and weak references."""

    class Slotted(base):
        """With slots."""

        __slots__ = ("slot", "other_slot")

    class Bare(base):
        """With nothing of its own."""

        __slots__ = ()

    class Both(Slotted):
        """With slots and a dict."""

        __slots__ = (
            ("late_slot", "__dict__")
            if not hasattr(Slotted, "__dict__")
            else ("late_slot",)
        )

    class Late(Slotted):
        """With a dict behind slots, and weak references."""

    for cls in (Plain, Slotted, Bare, Both, Late):
        cls.__qualname__ = "%s_of_%s" % (cls.__name__, base.__name__)
        made = cls(*arguments, **options)
        yield cls.__name__.lower(), filled(made)


BASES = (
    ("_io.BytesIO", lambda: (b"bytes",)),
    ("_io.StringIO", lambda: ("text",)),
    ("_io.FileIO", lambda: (os.devnull,)),
    ("_io.BufferedReader", lambda: (open(os.devnull, "rb", 0),)),
    ("_io.TextIOWrapper", lambda: (open(os.devnull, "rb"), "utf-8")),
    ("_elementtree.Element", lambda: ("tag", {"key": "value"})),
    ("_elementtree.TreeBuilder", lambda: ()),
    ("_pickle.Pickler", lambda: (open(os.devnull, "wb"),)),
    ("_random.Random", lambda: (1,)),
    ("_socket.socket", lambda: ()),
    ("_sqlite3.Connection", lambda: (":memory:",)),
    ("_ssl._SSLContext", lambda: (importlib.import_module("ssl").PROTOCOL_TLS_CLIENT,)),
    ("_struct.Struct", lambda: ("<iQ",)),
    ("_thread._local", lambda: ()),
    ("array.array", lambda: ("i", range(9))),
    ("collections.OrderedDict", lambda: ([("key", payload("value"))],)),
    ("collections.defaultdict", lambda: (list, {"key": payload("value")})),
    ("collections.deque", lambda: (payloads(3, "in a deque"),)),
    ("ctypes.c_long", lambda: (7,)),
    ("ctypes.py_object", lambda: (payload("in an object"),)),
    ("datetime.datetime", lambda: (2026, 11, 21)),
    ("datetime.tzinfo", lambda: ()),
    ("decimal.Decimal", lambda: ("1.5",)),
    ("functools.partial", lambda: (payload("called"), payload("argument"))),
    ("itertools.chain", lambda: (payloads(2, "chained"),)),
    ("mmap.mmap", lambda: (-1, 4096)),
    ("operator.itemgetter", lambda: (payload("key"),)),
    ("types.ModuleType", lambda: ("module",)),
    ("weakref.ref", lambda: (KEPT["weakref: target"], payload("callback"))),
    ("builtins.OSError", lambda: (2, "text")),
    ("builtins.enumerate", lambda: (payloads(2, "enumerated"),)),
    ("builtins.property", lambda: (payload("getter"),)),
)


@of("types")
def make_derived(_):
    makers = {}
    for name, arguments in BASES:
        try:
            module, _, base = name.rpartition(".")
            base = getattr(importlib.import_module(module), base)
            for label, made in derived(base, *arguments()):
                makers["%s, %s" % (name, label)] = lambda made=made: made
        except (AttributeError, ImportError, OSError, TypeError) as error:
            LEFT_OUT[name] = str(error)  # not there, or not for subclasses here
    return makers


def main():
    make_all()
    types_ = {type(made) for made in KEPT.values()}
    types_ = {cls for cls in types_ if cls.__module__ != "__main__"}
    if "--list" in sys.argv:
        for label in LEFT_OUT:
            print("left out: %s: %s" % (label, LEFT_OUT[label]))
        print("%d objects of %d types" % (len(KEPT), len(types_)))
        return
    if len(KEPT) < LEAST_OBJECTS or len(types_) < LEAST_TYPES:
        raise SystemExit(
            "%d objects of %d types are too few" % (len(KEPT), len(types_))
        )
    truth.die(sys.argv[1], expect=lambda: KEPT)


if __name__ == "__main__":
    main()
