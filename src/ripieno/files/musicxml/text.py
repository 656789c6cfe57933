"""XML text as a tree that knows where in the text each element lies, so that a change can leave every other byte alone.

A tree written out again is never the text it was read from: quotes, empty elements, line ends and the blanks within a
tag come out as the writer likes them. Here a change is a splice of bytes, and what is between two splices is copied.

Nothing outside of the text is ever fetched, and a text that declares entities of its own is refused: no program that
writes music does so, and with them a few bytes can grow to gigabytes.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from xml.parsers import expat

from ripieno.errors import BadInput

MAX_BYTES = 40_000_000  # an hour of orchestra; a tree takes some ten times the memory of its text
MAX_DEPTH = 60  # music needs about ten
_NO_ATTRIBUTES: Mapping[str, str] = {}
_DECLARED = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_ENCODINGS = re.compile(r"utf-8|ascii|utf-16(-le|-be)?|iso8859-\d+|cp\d+|koi8-\w|mac-\w+|shift_jis|euc_\w+|gb\w+|big5")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Element:
    """An element, and where it lies: its bytes are those from `start` to `end`; its end tag begins at `stop`."""

    __slots__ = ("attributes", "children", "end", "start", "stop", "tag", "text")

    def __init__(self, tag: str, attributes: Mapping[str, str], start: int) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Element] = []
        self.text = ""  # of an element that holds no others
        self.start = start
        self.stop = self.end = start

    @property
    def is_empty(self) -> bool:
        """Whether it is one tag that closes itself: `<chord/>`."""
        return self.stop == self.end

    def all(self, tag: str) -> Iterator[Element]:
        """Its children of a name."""
        return (child for child in self.children if child.tag == tag)

    def first(self, *path: str) -> Element | None:
        """The first child of a name, or the first child of that one, and so on; None if there is none."""
        found: Element | None = self
        for tag in path:
            found = next(found.all(tag), None) if found is not None else None
        return found

    def has(self, tag: str) -> bool:
        """Whether it has a child of a name."""
        return any(child.tag == tag for child in self.children)

    def text_of(self, *path: str) -> str:
        """What the first element at the end of a path says; "" if there is none."""
        found = self.first(*path)
        return "" if found is None else found.text.strip()

    def walk(self) -> Iterator[Element]:
        """Itself and all within it, in the order of the text."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(reversed(element.children))


class Splice(NamedTuple):
    """A change of a text: the bytes from `start` to `end` give way to others."""

    start: int
    end: int
    replacement: str


class XmlText:
    """A text and its tree."""

    def __init__(self, text: bytes, encoding: str, root: Element) -> None:
        self.text = text  # UTF-8, also where the file is not
        self.encoding = encoding
        self.root = root

    def raw(self, element: Element) -> str:
        """An element as it stands in the text."""
        return self.text[element.start : element.end].decode()

    def inner_start(self, element: Element) -> int:
        """Where the contents of an element begin: after its start tag."""
        at, quote = element.start, 0
        while True:
            byte = self.text[at]
            if quote:
                quote = 0 if byte == quote else quote
            elif byte in b"\"'":
                quote = byte
            elif byte == 0x3E:  # >
                return at + 1
            at += 1

    def indent(self, element: Element) -> str:
        """The line break and the blanks before an element; "" where it does not begin a line."""
        begin = element.start
        while begin > 0 and self.text[begin - 1] in b" \t":
            begin -= 1
        if begin == 0 or self.text[begin - 1] not in b"\r\n":
            return ""
        end = element.start
        begin -= 2 if self.text[begin - 2 : begin] == b"\r\n" else 1
        return self.text[begin:end].decode()

    def spliced(self, splices: Iterable[Splice]) -> bytes:
        """The file with some changes, in its own encoding; those at one place follow one another as they are given."""
        pieces, at = [], 0
        for splice in sorted(splices, key=lambda splice: (splice.start, splice.end)):
            assert splice.start >= at, "two changes of the same bytes"
            pieces += [self.text[at : splice.start], splice.replacement.encode()]
            at = splice.end
        pieces.append(self.text[at:])
        text = b"".join(pieces)
        if self.encoding in ("utf-8", "ascii"):
            return text if self.encoding == "utf-8" else text.decode().encode("ascii", "xmlcharrefreplace")
        return text.decode().encode(self.encoding, "xmlcharrefreplace")


def parse_xml(data: bytes, name: str) -> XmlText:
    """Read XML; `name` is what an error calls it.

    Raises:
        BadInput: it is too large, damaged, declares entities, or is in an encoding that nobody knows.
    """
    if len(data) > MAX_BYTES:
        raise BadInput(f"{name} holds {len(data):,} bytes of XML, more than the {MAX_BYTES:,} that are read; cut it")
    text, encoding = _as_utf8(data, name)
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    open_elements: list[Element] = []
    roots: list[Element] = []
    has_text = False

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal has_text
        element = Element(tag, attributes or _NO_ATTRIBUTES, parser.CurrentByteIndex)
        if open_elements:
            open_elements[-1].children.append(element)
        else:
            roots.append(element)
        if len(open_elements) > MAX_DEPTH:
            raise BadInput(f"{name} nests elements more than {MAX_DEPTH} deep, which no score does; export it again")
        open_elements.append(element)
        has_text = False

    def end(tag: str) -> None:
        nonlocal has_text
        element, at = open_elements.pop(), parser.CurrentByteIndex
        element.stop = element.end = at
        closes_itself = not element.children and not has_text and text[at - 2 : at] == b"/>"
        if not closes_itself:
            element.end = text.index(b">", at) + 1
        has_text = True

    def characters(characters: str) -> None:
        nonlocal has_text
        has_text = True
        if not characters.isspace():
            open_elements[-1].text += characters

    def refuse_entity(entity: str, *_: object) -> None:
        raise BadInput(
            f'{name} declares an entity of its own, "{entity[:40]}", which is not allowed in a score; export it again'
        )

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.EntityDeclHandler = refuse_entity
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        why = expat.ErrorString(error.code) or "damaged"
        raise BadInput(
            f"{name} is damaged XML: line {error.lineno}, column {error.offset + 1}: {why}; export it again"
        ) from None
    return XmlText(text, encoding, roots[0])


def escaped(text: str) -> str:
    """Text as it may stand in an element or an attribute."""
    safe = "".join(sign for sign in text if (sign >= " " and sign not in "\ufffe\uffff") or sign in "\t\n")
    return safe.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _as_utf8(data: bytes, name: str) -> tuple[bytes, str]:
    """The text in UTF-8 and the encoding that it came in."""
    encoding = next((encoding for bom, encoding in _BOMS if data.startswith(bom)), "")
    if encoding == "utf-8-sig":  # its three bytes are no text, and stay where they are
        return data, "utf-8"
    if not encoding:
        declared = _DECLARED.match(data[:400])
        encoding = declared[1].decode().lower() if declared else "utf-8"
    try:
        found = codecs.lookup(encoding).name
        if not _ENCODINGS.fullmatch(found):
            raise LookupError
        text = data.decode(found)
        if found in ("utf-8", "ascii"):
            return data, found
        return text.encode(), found
    except LookupError:
        raise BadInput(
            f'{name} is in an encoding called "{encoding[:40]}", which is unknown; export it as UTF-8'
        ) from None
    except (UnicodeError, ValueError):
        raise BadInput(f"{name} is damaged: it says it is {encoding} and is not; export it again") from None
