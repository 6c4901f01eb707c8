# SPDX-License-Identifier: Apache-2.0
"""Objects of libraries that are written in C or by Cython, as Debian packages them.

`KEPT` has them by label, and so has the truth.  A library that is not there, or not for
this interpreter, is left out; the program is skipped if all are.
"""

import importlib
import os
import sys
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402

# numpy's threads would be parked, but each has a stack of its own in the core.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

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


def filled(made):
    """An instance with attributes, and its slot if it has one."""
    if hasattr(type(made), "slot"):
        made.slot = payload("slot")
    if hasattr(made, "__dict__"):
        made.attribute = payload("attribute")
        made.other_attribute = [payload("other attribute")]
    return made


def derived(base, *arguments, **options):
    """Makers of instances of Python's subclasses of a class of C."""

    class Plain(base):
        """With a dict, if the base has none."""

    class Slotted(base):
        """With a slot."""

        __slots__ = ("slot",)

    name = base.__name__
    return {
        name + ", plain": lambda: filled(Plain(*arguments, **options)),
        name + ", slotted": lambda: filled(Slotted(*arguments, **options)),
    }


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
            except AttributeError as error:  # not in this version of the library
                LEFT_OUT[label] = str(error)


@of("numpy", "tempfile")
def make_numpy(numpy, tempfile):
    record = numpy.dtype([("object", "O"), ("number", "i4"), ("objects", "O", (2,))])
    nested = numpy.dtype([("record", record), ("text", "S3")])

    def objects(*shape):
        made = numpy.empty(shape, dtype=object)
        for index in numpy.ndindex(*shape):
            made[index] = payload("in an array", *index)
        return made

    def records():
        made = numpy.zeros(3, dtype=record)
        for i in range(3):
            made[i] = (payload("in a record", i), i, payloads(2, "in its array", i))
        return made

    def nested_records():
        made = numpy.zeros((2, 2), dtype=nested)
        made["record"]["object"] = payload("in a nested record")
        return made

    def iterator():
        made = numpy.nditer(
            [objects(2, 3), None],
            ["refs_ok"],
            [["readonly"], ["writeonly", "allocate"]],
        )
        return started(made)

    def mapped():
        with tempfile.TemporaryFile() as file:
            file.truncate(4096)
            return numpy.memmap(file, dtype="i4", shape=(4, 4))

    class Array(numpy.ndarray):
        """With attributes."""

    def tagged():
        return numpy.dtype("i4", metadata={"key": payload("metadata")})

    makers = {
        "array": lambda: numpy.arange(12.0).reshape(3, 4),
        "view": lambda: numpy.arange(12.0)[2:8:2],
        "objects": lambda: objects(2, 3),
        "no objects": lambda: objects(0),
        "one object": lambda: objects(),
        "transposed objects": lambda: objects(2, 3).T,
        "slice of objects": lambda: objects(5)[::-2],
        "records": records,
        "record": lambda: records()[1],
        "field of records": lambda: records()["object"],
        "nested records": nested_records,
        "record array": lambda: records().view(numpy.recarray),
        "array of a class": lambda: filled(objects(3).view(Array)),
        "array of text": lambda: numpy.array(["a", "\xfcber"]),
        "array of times": lambda: numpy.array(["2026-11-21"], dtype="M8[D]"),
        "array of a buffer": lambda: numpy.frombuffer(bytearray(16), dtype="u4"),
        "memory-mapped": mapped,
        "masked": lambda: numpy.ma.masked_array([1, 2], mask=[True, False]),
        "matrix": lambda: numpy.asmatrix(numpy.eye(2)),
        "number": lambda: numpy.float64(1.5),
        "short number": lambda: numpy.int8(3),
        "complex number": lambda: numpy.complex128(1j),
        "time": lambda: numpy.datetime64("2026-11-21"),
        "text": lambda: numpy.str_("text"),
        "bytes": lambda: numpy.bytes_(b"bytes"),
        "void": lambda: numpy.void(b"void"),
        "type": lambda: numpy.dtype("f8"),
        "type of records": lambda: nested,
        "type of an array": lambda: numpy.dtype(("i4", (2, 3))),
        "type of time": lambda: numpy.dtype("M8[ns]"),
        "type of text": lambda: numpy.dtypes.StringDType(na_object=payload("missing")),
        "type with metadata": tagged,
        "class of a type": lambda: type(numpy.dtype("f8")),
        "flat": lambda: started(objects(4).flat),
        "nditer": iterator,
        "broadcast": lambda: started(numpy.broadcast(objects(3), objects(2, 1))),
        "ndenumerate": lambda: started(numpy.ndenumerate(objects(3))),
        "multi-index": lambda: started(numpy.ndindex(2, 3)),
        "neighbours": lambda: numpy.nditer(numpy.arange(6), ["multi_index"]),
        "flags": lambda: objects(2).flags,
        "ufunc": lambda: numpy.add,
        "ufunc of Python": lambda: numpy.frompyfunc(payload("function"), 2, 1),
        "vectorized": lambda: numpy.vectorize(payload("function")),
        "reduction": lambda: numpy.add.reduce,
        "dispatcher": lambda: numpy.concatenate,
        "polynomial": lambda: numpy.poly1d([1, 2]),
        "integers": lambda: numpy.iinfo("i4"),
        "array's interface": lambda: objects(1).__array_struct__,
        "array's memory": lambda: memoryview(numpy.arange(3)),
        "array's ctypes": lambda: numpy.arange(3).ctypes,
        "saved": lambda: numpy.busdaycalendar(holidays=["2026-01-01"]),
    }
    makers.update(derived(numpy.ndarray, (2,), dtype=object))
    return makers


@of("numpy.random", "numpy.random.mtrand")
def make_random(random, _):
    makers = {
        "state": lambda: random.RandomState(1),
        "generator": lambda: random.Generator(random.PCG64(1)),
        "seeds": lambda: random.SeedSequence(1),
    }
    for name in ("MT19937", "PCG64", "Philox", "SFC64"):
        makers[name] = lambda name=name: getattr(random, name)(1)
    return makers


@of("lxml.etree")
def make_lxml(etree):
    text = b"<!DOCTYPE a><a x='1' y='2' xmlns:n='n'>text<b>inner</b>tail<n:c/><!-- d --><?e f?>&#252;</a>"

    class Element(etree.ElementBase):
        """An element with attributes of Python's."""

    class Resolver(etree.Resolver):
        """What finds external entities."""

        def resolve(self, *arguments):
            return None

    class Target:
        """The target of a parser."""

        def start(self, *arguments):
            return None

        end = data = comment = pi = start

        def close(self):
            return payload("closed")

    def root():
        return etree.fromstring(text)

    def parser(**options):
        made = etree.XMLParser(**options)
        made.resolvers.add(Resolver())
        return made

    def fed():
        made = parser()
        made.feed(b"<a><b>")
        return made

    def looked_up():
        lookup = etree.ElementNamespaceClassLookup()
        lookup.get_namespace("n")["c"] = Element
        made = parser()
        made.set_element_class_lookup(lookup)
        return etree.fromstring(text, made).find("{n}c")

    def parsed():
        import io

        made = etree.iterparse(io.BytesIO(text), events=("start", "end"))
        return started(made, 2)

    def failed():
        try:
            etree.fromstring(b"<a><b></a>")
        except etree.XMLSyntaxError as error:
            return error

    def evaluated():
        return etree.XPath(
            "//n:c", namespaces={"n": "n"}, extensions={(None, "f"): payload("f")}
        )

    sheet = (
        b"<xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform'>"
        b"<xsl:template match='/'><out/></xsl:template></xsl:stylesheet>"
    )
    schema = (
        b"<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>"
        b"<xs:element name='a'/></xs:schema>"
    )
    relax = b"<element name='a' xmlns='http://relaxng.org/ns/structure/1.0'><empty/></element>"
    return {
        "element": root,
        "child": lambda: root()[0],
        "tree": lambda: root().getroottree(),
        "comment": lambda: root()[2],
        "instruction": lambda: root()[3],
        "entity": lambda: etree.Entity("amp"),
        "attributes": lambda: root().attrib,
        "iterator of attributes": lambda: started(iter(root().attrib)),
        "children": lambda: started(root().iterchildren()),
        "iterator": lambda: started(root().iter(), 2),
        "texts": lambda: started(root().itertext()),
        "ancestors": lambda: root()[0].iterancestors(),
        "siblings": lambda: root()[0].itersiblings(),
        "found": lambda: started(root().iterfind("b")),
        "walk": lambda: started(etree.iterwalk(root(), events=("start", "end")), 2),
        "document's information": lambda: root().getroottree().docinfo,
        "parser": parser,
        "parser, fed": fed,
        "parser with a target": lambda: etree.XMLParser(target=Target()),
        "parser of HTML": lambda: etree.HTMLParser(),
        "element of a parser of HTML": lambda: etree.HTML("<p>text<br>"),
        "incremental": parsed,
        "pull parser": lambda: etree.XMLPullParser(("start", "end")),
        "builder": lambda: etree.TreeBuilder(),
        "XPath": evaluated,
        "XPath of elements": lambda: etree.XPathElementEvaluator(root()),
        "XPath of documents": lambda: etree.XPathDocumentEvaluator(
            root().getroottree()
        ),
        "result of XPath": lambda: root().xpath("//b/text()")[0],
        "ETXPath": lambda: etree.ETXPath("//{n}c"),
        "error": failed,
        "log": lambda: failed().error_log,
        "entry of a log": lambda: failed().error_log[0],
        "qualified name": lambda: etree.QName("n", "c"),
        "namespace": lambda: etree.FunctionNamespace("urn:functions"),
        "stylesheet": lambda: etree.XSLT(etree.fromstring(sheet)),
        "transformed": lambda: etree.XSLT(etree.fromstring(sheet))(root()),
        "schema": lambda: etree.XMLSchema(etree.fromstring(schema)),
        "Relax NG": lambda: etree.RelaxNG(etree.fromstring(relax)),
        "DTD": lambda: etree.DTD(__import__("io").StringIO("<!ELEMENT a EMPTY>")),
        "looked up": lambda: filled(looked_up()),
        "element of a class": lambda: filled(Element("text")),
        "lookup": lambda: etree.ElementDefaultClassLookup(element=Element),
        "lookup of Python": lambda: etree.PythonElementClassLookup(),
        "CDATA": lambda: etree.CDATA("text"),
        "factory": lambda: etree.Element,
    }


@of("lxml.objectify")
def make_objectify(objectify):
    def root():
        return objectify.fromstring("<a><b>1</b><b>2</b><c>text</c><d/></a>")

    return {
        "tree": root,
        "number": lambda: root().b,
        "numbers": lambda: started(iter(root().b)),
        "text": lambda: root().c,
        "nothing": lambda: root().d,
        "path": lambda: objectify.ObjectPath("a.b"),
        "maker": lambda: objectify.ElementMaker(annotate=False),
        "type": lambda: objectify.PyType(
            "name", payload("check"), objectify.StringElement
        ),
    }


@of("multidict")
def make_multidict(multidict):
    def full(cls):
        return cls(
            [("key", payload("a")), ("key", payload("b")), ("Other", payload("c"))]
        )

    makers = {
        "proxy": lambda: multidict.MultiDictProxy(full(multidict.MultiDict)),
        "CI proxy": lambda: multidict.CIMultiDictProxy(full(multidict.CIMultiDict)),
        "istr": lambda: multidict.istr("Key"),
        "empty": lambda: multidict.MultiDict(),
        "version": lambda: multidict.getversion,
    }
    for cls in (multidict.MultiDict, multidict.CIMultiDict):
        makers[cls.__name__] = lambda cls=cls: full(cls)
        for name in ("keys", "values", "items"):
            label = "%s of %s" % (name, cls.__name__)
            makers[label] = lambda cls=cls, name=name: getattr(full(cls), name)()
            makers[label + ", iterated"] = lambda cls=cls, name=name: started(
                iter(getattr(full(cls), name)())
            )
        makers.update(derived(cls, [("key", payload("value"))]))
    makers.update(derived(multidict.istr, "Key"))
    return makers


@of("frozenlist")
def make_frozenlist(frozenlist):
    def frozen():
        made = frozenlist.FrozenList(payloads(3, "frozen"))
        made.freeze()
        return made

    makers = {
        "list": lambda: frozenlist.FrozenList(payloads(3, "in a list")),
        "frozen list": frozen,
        "iterator": lambda: started(iter(frozen())),
    }
    makers.update(derived(frozenlist.FrozenList, payloads(3, "in a class's")))
    return makers


@of("yarl")
def make_yarl(yarl):
    quoting = importlib.import_module("yarl._quoting")
    return {
        "URL": lambda: yarl.URL("http://user@host:80/path?query=1#fragment"),
        "query": lambda: yarl.URL("http://host/?a=1&b=2").query,
        "quoter": lambda: quoting._Quoter(safe="/"),
        "unquoter": lambda: quoting._Unquoter(unsafe="+"),
    }


@of("msgpack._cmsgpack")
def make_msgpack(msgpack):
    def unpacker():
        made = msgpack.Unpacker(
            object_hook=payload("hook"), ext_hook=payload("extension")
        )
        made.feed(b"\x93\x01")
        return made

    makers = {
        "packer": lambda: msgpack.Packer(default=payload("default")),
        "unpacker": unpacker,
    }
    makers.update(derived(msgpack.Packer, default=payload("default")))
    makers.update(derived(msgpack.Unpacker, list_hook=payload("hook")))
    return makers


@of("regex")
def make_regex(regex):
    pattern = regex.compile(r"(?P<word>\w+)\s*=\s*(\d+|\L<names>)?", names=["a", "b"])
    text = "key = 17, other = 18"
    return {
        "pattern": lambda: pattern,
        "match": lambda: pattern.match(text),
        "partial match": lambda: pattern.fullmatch("key", partial=True),
        "scanner": lambda: pattern.scanner(text),
        "matches": lambda: started(pattern.finditer(text)),
        "splitter": lambda: started(pattern.splititer(text)),
        "captures": lambda: pattern.match(text).capturesdict(),
        "fuzzy": lambda: regex.search("(?:captures){e<2}", "a capture"),
    }


@of("wrapt")
def make_wrapt(wrapt):
    @wrapt.decorator
    def decorated(wrapped, instance, arguments, options):
        return wrapped(*arguments, **options)

    class Wrapped:
        """With a decorated method."""

        @decorated
        def method(self):
            """Nothing."""

        @decorated
        @classmethod
        def class_method(cls):
            """Nothing."""

    class Proxy(wrapt.ObjectProxy):
        """With an attribute of its own."""

    def proxy():
        made = Proxy(payload("wrapped"))
        made._self_attribute = payload("of a proxy")
        return made

    # A proxy that is in no list is asked by the program for its __class__, which is another's.
    return {
        "proxy": lambda: [wrapt.ObjectProxy(payload("wrapped"))],
        "proxy of a class": lambda: [proxy()],
        "callable proxy": lambda: [wrapt.CallableObjectProxy(payload("wrapped"))],
        "partial": lambda: [
            wrapt.PartialCallableObjectProxy(payload("called"), payload("a"))
        ],
        "wrapper": lambda: [
            wrapt.FunctionWrapper(payload("called"), payload("wrapper"))
        ],
        "decorated": lambda: [
            Wrapped.__dict__["method"],
            Wrapped.__dict__["class_method"],
        ],
        "bound": lambda: [Wrapped().method, Wrapped.class_method],
        "weak": lambda: [wrapt.WeakFunctionProxy(make_wrapt)],
    }


@of("yaml", "yaml._yaml")
def make_yaml(yaml, _):
    def loader():
        made = yaml.CLoader("a: [1, 2]\nb: *c\n")
        made.get_event()
        made.get_event()
        return made

    def dumper():
        import io

        made = yaml.CDumper(io.StringIO())
        made.open()
        made.represent({"key": [1, 2]})
        return made

    def failed():
        try:
            yaml.load("a: [", yaml.CSafeLoader)
        except yaml.YAMLError as error:
            return error

    return {
        "loader": loader,
        "parser of C": lambda: importlib.import_module("yaml._yaml").CParser("a: 1"),
        "dumper": dumper,
        "node": lambda: yaml.compose("a: [1, 2]", yaml.CLoader),
        "mark": lambda: failed().problem_mark,
        "token": lambda: next(yaml.scan("a: 1", yaml.CLoader)),
    }


@of(
    "zope.interface",
    "zope.interface.adapter",
    "zope.interface._zope_interface_coptimizations",
)
def make_zope(interface, adapter, _):
    class Something(interface.Interface):
        """An interface."""

        attribute = interface.Attribute("an attribute")

        def method(argument):
            """A method."""

    class Other(interface.Interface):
        """Another."""

    @interface.implementer(Something)
    class Implemented:
        """What implements it."""

    def provided():
        made = Implemented()
        interface.alsoProvides(made, Other)
        return made

    def registry():
        made = adapter.AdapterRegistry()
        made.register([Something], Other, "", payload("adapter"))
        made.lookup([Something], Other)
        made.lookup1(interface.implementedBy(Implemented), Other)
        made.lookupAll([Something], Other)
        made.subscribe([Something], Other, payload("subscriber"))
        made.subscriptions([Something], Other)
        return made

    def verifying():
        made = adapter.VerifyingAdapterRegistry()
        made.register([Something], Other, "", payload("adapter"))
        made.lookup([Something], Other)
        return made

    return {
        "interface": lambda: Something,
        "implemented": lambda: interface.implementedBy(Implemented),
        "provided": lambda: interface.providedBy(provided()),
        "object": provided,
        "class provides": lambda: Implemented.__dict__["__provides__"],
        "attribute": lambda: Something["attribute"],
        "method": lambda: Something["method"],
        "registry": registry,
        "lookup": lambda: registry()._v_lookup,
        "verifying lookup": lambda: verifying()._v_lookup,
        "declarations": lambda: interface.declarations.Declaration(Something, Other),
    }


def main():
    make_all()
    types = {type(made) for made in KEPT.values()}
    if "--list" in sys.argv:
        for label in LEFT_OUT:
            print("left out: %s: %s" % (label, LEFT_OUT[label]))
        print("%d objects of %d types" % (len(KEPT), len(types)))
        return
    if not KEPT:
        truth.skip(
            "there is none of the libraries (Debian: python3-lxml, python3-numpy and others)"
        )
    truth.die(sys.argv[1], expect=lambda: KEPT)


if __name__ == "__main__":
    main()
