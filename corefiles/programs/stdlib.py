# SPDX-License-Identifier: Apache-2.0
"""A process that has used much of the standard library, as a server does.

`USED` holds what was made, by module.  A module that an interpreter does not have is
left out.
"""

import importlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402

USED = {}
USES = []


def uses(*names):
    """Call the function with these modules, if there are any of the names."""

    def register(function):
        USES.append((names, function))
        return function

    return register


def use_all():
    """Use all the modules."""
    for names, function in USES:
        try:
            modules = [importlib.import_module(name) for name in names]
        except ImportError:
            continue
        USED[names[0]] = function(*modules)


# Text.


@uses("json")
def use_json(json):
    text = json.dumps({"a": [1, 2.5, None, True, "\xfc"], "b": {"c": {}}}, indent=1)
    decoder = json.JSONDecoder(object_pairs_hook=list)
    return text, json.loads(text), decoder.decode(text), decoder, json.JSONEncoder()


@uses("re")
def use_re(re):
    pattern = re.compile(r"(?P<word>\w+)\s*(?:=|:)\s*(\d+)?", re.I | re.X)
    return [pattern, pattern.match("key = 17"), list(pattern.finditer("a=1 b:2"))]


@uses("string", "textwrap", "pprint", "difflib", "gettext", "locale")
def use_text(string, textwrap, pprint, difflib, gettext, locale):
    template = string.Template("$who is $what")
    matcher = difflib.SequenceMatcher(None, "abcdef", "abxdef")
    matcher.get_opcodes()
    return [
        template,
        string.Formatter().parse("{a.b[0]!r:>{width}}"),
        textwrap.TextWrapper(width=20),
        pprint.PrettyPrinter(),
        matcher,
        gettext.NullTranslations(),
        locale.localeconv(),
    ]


@uses("csv", "io")
def use_csv(csv, io):
    rows = csv.DictReader(io.StringIO("a,b\n1,2\n3,4\n"))
    next(rows)
    writer = csv.writer(io.StringIO(), dialect="excel-tab")
    writer.writerow([1, "two"])
    return rows, writer, csv.get_dialect("excel")


@uses("configparser", "shlex")
def use_configparser(configparser, shlex):
    parser = configparser.ConfigParser()
    parser.read_string("[DEFAULT]\nroot = /srv\n[server]\nport = 80\nhome = %(root)s/x")
    return parser, parser["server"], shlex.shlex("a 'b c'", posix=True)


@uses("argparse")
def use_argparse(argparse):
    parser = argparse.ArgumentParser(prog="server")
    parser.add_argument("--port", type=int, default=80)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("run").add_argument("files", nargs="*")
    return parser, parser.parse_args(["--port", "8080", "run", "a", "b"])


@uses("xml.etree.ElementTree", "xml.dom.minidom", "xml.sax", "html.parser")
def use_xml(etree, minidom, sax, html):
    text = "<root a='1'><child>text</child>tail<!-- c --></root>"
    root = etree.fromstring(text)
    return [
        root,
        list(root.iter()),
        root.attrib,
        etree.XMLParser(),
        minidom.parseString(text),
        sax.make_parser(),
        html.HTMLParser(),
    ]


@uses("email", "email.mime.multipart", "email.mime.text", "email.policy")
def use_email(email, multipart, text, policy):
    message = multipart.MIMEMultipart()
    message["Subject"] = "\xfcber"
    message.attach(text.MIMEText("body"))
    parsed = email.message_from_string(message.as_string(), policy=policy.default)
    return message, parsed, list(parsed.walk()), parsed["subject"]


# Numbers, dates and data.


@uses("decimal", "fractions", "statistics", "cmath", "numbers")
def use_numbers(decimal, fractions, statistics, cmath, numbers):
    with decimal.localcontext() as context:
        context.prec = 50
        long = decimal.Decimal(1) / 7
    isinstance(long, numbers.Number)
    signals = decimal.getcontext().flags
    return [
        long,
        decimal.Decimal("NaN"),
        context,
        signals,
        fractions.Fraction(1, 3),
        statistics.mean([1, 2, 4]),
        cmath.phase(1j),
    ]


@uses("datetime", "calendar", "time")
def use_datetime(datetime, calendar, time):
    utc = datetime.timezone.utc
    return [
        datetime.datetime(2020, 1, 2, 3, 4, 5, 6, utc),
        datetime.timezone(datetime.timedelta(hours=2), "two"),
        datetime.time(1, 2, tzinfo=utc),
        datetime.date.today(),
        calendar.TextCalendar(),
        time.localtime(),
    ]


@uses("zoneinfo", "datetime")
def use_zoneinfo(zoneinfo, datetime):
    zones = []
    for name in ("UTC", "Europe/Berlin"):
        try:
            zones.append(zoneinfo.ZoneInfo(name))
        except zoneinfo.ZoneInfoNotFoundError:
            pass
    return zones


@uses("array", "struct", "heapq", "bisect", "copy", "pickle", "marshal", "shelve")
def use_data(array, struct, heapq, bisect, copy, pickle, marshal, shelve):
    data = {"a": [1, (2, "three")]}
    return [
        array.array("d", [1.0, 2.0]),
        array.array("u" if sys.version_info < (3, 13) else "w", "text"),
        struct.Struct("<ihb"),
        heapq.nsmallest(2, [3, 1, 2]),
        heapq.merge([1, 3], [2]),
        copy.deepcopy(data),
        pickle.loads(pickle.dumps(data)),
        pickle.Pickler(open(os.devnull, "wb")),
        marshal.dumps(data),
    ]


@uses("random", "uuid", "secrets", "hashlib", "hmac", "base64", "binascii", "zlib")
def use_hashes(random, uuid, secrets, hashlib, hmac, base64, binascii, zlib):
    compressor = zlib.compressobj()
    compressor.compress(b"data")
    return [
        random.Random(1),
        random.SystemRandom(),
        uuid.uuid4(),
        secrets.token_hex(),
        hashlib.sha256(b"data"),
        hashlib.new("md5"),
        hashlib.blake2b(digest_size=8),
        hashlib.sha3_256(),
        hmac.new(b"key", b"message", "sha1"),
        base64.b64encode(b"data"),
        binascii.hexlify(b"data"),
        compressor,
        zlib.decompressobj(),
    ]


@uses("gzip", "bz2", "lzma", "zipfile", "tarfile", "io")
def use_archives(gzip, bz2, lzma, zipfile, tarfile, io):
    archive = zipfile.ZipFile(io.BytesIO(), "w")
    archive.writestr("name", "content")
    return [
        gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(b"data"))),
        bz2.BZ2Compressor(),
        lzma.LZMADecompressor(),
        archive,
        tarfile.TarInfo("name"),
    ]


# Files, processes and nets.


@uses("io", "tempfile", "pathlib", "glob", "fnmatch", "stat", "shutil", "mmap")
def use_files(io, tempfile, pathlib, glob, fnmatch, stat, shutil, mmap):
    file = tempfile.TemporaryFile("w+")
    file.write("text")
    memory = mmap.mmap(-1, 4096)
    return [
        file,
        memory,
        memoryview(memory)[:10],
        tempfile.SpooledTemporaryFile(),
        tempfile.NamedTemporaryFile(),
        pathlib.Path(__file__).resolve().parent / "name",
        list(pathlib.Path("/").iterdir())[:3],
        pathlib.PureWindowsPath("c:/x").parts,
        glob.glob("/*")[:3],
        os.stat(__file__),
        shutil.disk_usage("/"),
        io.TextIOWrapper(io.BufferedRandom(io.BytesIO(b"x\ny\n"))),
    ]


@uses("subprocess", "signal", "platform", "getpass", "pwd", "resource")
def use_processes(subprocess, signal, platform, getpass, pwd, resource):
    try:
        process = subprocess.Popen(["true"], stdout=subprocess.PIPE)
        process.communicate()
    except OSError as error:
        process = error  # under an emulator, which runs this program alone
    signal.signal(signal.SIGUSR1, lambda *_: None)
    return [
        process,
        signal.getsignal(signal.SIGINT),
        signal.Signals.SIGTERM,
        platform.uname(),
        pwd.getpwuid(0),
        resource.getrusage(resource.RUSAGE_SELF),
    ]


@uses("socket", "selectors", "select", "ssl")
def use_sockets(socket, selectors, select, ssl):
    ours, theirs = socket.socketpair()
    selector = selectors.DefaultSelector()
    selector.register(ours, selectors.EVENT_READ, data=[theirs])
    poll = select.poll()
    poll.register(theirs)
    context = ssl.create_default_context()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.set_servername_callback(lambda *_: None)
    return [
        ours,
        theirs,
        selector,
        poll,
        context,
        server,
        ssl.MemoryBIO(),
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="example"),
        socket.AF_INET,
    ]


@uses("http.server", "http.client", "http.cookies", "urllib.request", "urllib.parse")
def use_http(server, client, cookies, request, parse):
    served = server.HTTPServer(("127.0.0.1", 0), server.SimpleHTTPRequestHandler)
    return [
        served,
        client.HTTPConnection("127.0.0.1"),
        cookies.SimpleCookie("a=b; c=d"),
        request.Request("http://example/", headers={"A": "b"}),
        request.build_opener(),
        parse.urlsplit("https://user@example:80/path?a=b#c"),
        parse.parse_qs("a=1&a=2"),
    ]


@uses("socketserver", "xmlrpc.client", "smtplib", "ftplib", "ipaddress")
def use_other_nets(socketserver, xmlrpc, smtplib, ftplib, ipaddress):
    return [
        socketserver.ThreadingTCPServer(("127.0.0.1", 0), socketserver.BaseServer),
        xmlrpc.ServerProxy("http://127.0.0.1:1"),
        smtplib.SMTP(),
        ftplib.FTP(),
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_address("::1"),
    ]


@uses("sqlite3")
def use_sqlite3(sqlite3):
    database = sqlite3.connect(":memory:")
    database.row_factory = sqlite3.Row
    database.create_function("double", 1, lambda x: 2 * x)
    database.execute("create table t (a, b)")
    database.executemany("insert into t values (?, ?)", [(1, "x"), (2, None)])
    cursor = database.execute("select a, b, double(a) from t")
    return database, cursor, cursor.fetchone()


# Logging, threads and processes.


@uses("logging", "logging.handlers", "warnings", "traceback", "linecache")
def use_logging(logging, handlers, warnings, traceback, linecache):
    logger = logging.getLogger("server.request")
    memory = handlers.MemoryHandler(100, flushLevel=logging.CRITICAL)
    memory.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.addHandler(memory)
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    try:
        raise ValueError("logged")
    except ValueError:
        logger.exception("with a %s", "traceback")
        summary = traceback.TracebackException(*sys.exc_info())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn("caught")
    linecache.getlines(__file__)
    return logger, logging.LoggerAdapter(logger, {"a": 1}), summary, caught


@uses("concurrent.futures", "threading", "queue", "sched")
def use_threads(futures, threading, queue, sched):
    pool = futures.ThreadPoolExecutor(3, "idle")
    results = [pool.submit(str, i) for i in range(6)]
    futures.wait(results)
    prioritised = queue.PriorityQueue()
    prioritised.put((1, "one"))
    timer = threading.Timer(3600, print)
    timer.daemon = True
    timer.start()
    scheduler = sched.scheduler()
    scheduler.enter(10, 1, print, ("argument",))
    return pool, results, prioritised, timer, scheduler


@uses("multiprocessing", "multiprocessing.connection")
def use_multiprocessing(multiprocessing, connection):
    return [
        multiprocessing.Pipe(),
        multiprocessing.Process(target=print),
        multiprocessing.Value("i", 1),
        multiprocessing.current_process(),
    ]


@uses("asyncio", "contextlib")
def use_asyncio(asyncio, contextlib):
    loop = asyncio.new_event_loop()
    loop.run_until_complete(asyncio.sleep(0))
    stack = contextlib.ExitStack()
    stack.callback(print)
    return loop, loop.create_future(), stack


# The language itself.


@uses("ctypes", "ctypes.util")
def use_ctypes(ctypes, util):
    class Node(ctypes.Structure):
        """A structure that points to its like."""

    Node._fields_ = [("value", ctypes.c_int), ("next", ctypes.POINTER(Node))]
    first = Node(1)
    second = Node(2, ctypes.pointer(first))
    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda x: x)
    array = (ctypes.c_char_p * 3)(b"a", b"b")
    return [first, second, callback, array, ctypes.create_string_buffer(10)]


@uses("typing", "enum", "abc", "functools", "collections.abc")
def use_typing(typing, enum, abc, functools, collections_abc):
    class Named(typing.NamedTuple):
        """A typed named tuple."""

        name: str
        tags: typing.List[str] = []

    isinstance([], collections_abc.Sequence)
    hints = typing.get_type_hints(Named.__new__)
    return Named("a"), hints, enum.Enum("Made", "A B"), typing.Optional[Named]


@uses("dataclasses")
def use_dataclasses(dataclasses):
    made = dataclasses.make_dataclass("Request", [("path", str), ("headers", dict)])
    request = made("/", {})
    return request, dataclasses.fields(request), dataclasses.asdict(request)


@uses("ast", "inspect", "dis", "tokenize", "symtable", "io")
def use_source(ast, inspect, dis, tokenize, symtable, io):
    with open(__file__, "rb") as file:
        source = file.read()
    return [
        ast.parse(source),
        inspect.signature(use_source),
        inspect.getmembers(ast)[:20],
        inspect.getsource(use_all),
        list(dis.get_instructions(use_all)),
        list(tokenize.tokenize(io.BytesIO(source).readline))[:50],
        symtable.symtable("def f(x): return lambda: x", "name", "exec"),
    ]


@uses("unittest", "unittest.mock", "doctest")
def use_unittest(unittest, mock, doctest):
    double = mock.MagicMock(spec=dict)
    double.get.return_value = 1
    double.get("key")
    suite = unittest.TestSuite([unittest.FunctionTestCase(use_all)])
    return double, double.mock_calls, mock.patch("os.getcwd"), suite


@uses("weakref", "contextvars", "gc", "types")
def use_weakref(weakref, contextvars, gc, types):
    class Session:
        """Something to cache."""

    session = Session()
    cache = weakref.WeakValueDictionary(session=session)
    weakref.finalize(session, print, "never")
    variable = contextvars.ContextVar("session", default=session)
    gc.callbacks.append(lambda phase, info: None)
    return session, cache, variable, contextvars.copy_context()


@uses("importlib.util", "importlib.machinery", "pkgutil", "zipimport", "runpy")
def use_importlib(util, machinery, pkgutil, zipimport, runpy):
    lazy = util.find_spec("this")
    return lazy, list(pkgutil.iter_modules())[:20], machinery.FileFinder("/")


def main():
    use_all()
    truth.die(sys.argv[1], expect=lambda: {"used": USED})


if __name__ == "__main__":
    main()
