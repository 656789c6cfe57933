"""Texts that an XML writer would change must come out as they went in."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ripieno.errors import BadInput
from ripieno.files.musicxml.text import MAX_BYTES, MAX_DEPTH, Splice, escaped, parse_xml

ODD = b"""<?xml version='1.0'   encoding="utf-8" ?>\r
<!-- a comment --><?program says?>
<a  x = 'single "double" inside'\ty="1>2" >\r
\t<b></b><b/><b   />
  <c><![CDATA[<not a tag/>]]></c>&#233;&amp;
</a   >
<!-- after -->"""


def test_elements_know_where_they_lie():
    xml = parse_xml(ODD, "odd")
    assert [xml.raw(child) for child in xml.root.children] == [
        "<b></b>",
        "<b/>",
        "<b   />",
        "<c><![CDATA[<not a tag/>]]></c>",
    ]
    assert [child.is_empty for child in xml.root.children] == [False, True, True, False]
    assert xml.root.children[3].text == "<not a tag/>"
    assert xml.raw(xml.root).endswith("</a   >")
    assert xml.root.attributes == {"x": 'single "double" inside', "y": "1>2"}
    assert ODD[xml.inner_start(xml.root) :].startswith(b"\r\n\t<b>")


def test_nothing_changes_but_what_is_spliced():
    xml = parse_xml(ODD, "odd")
    assert xml.spliced([]) == ODD
    second = xml.root.children[1]
    assert xml.spliced([Splice(second.start, second.end, "<d/>")]) == ODD.replace(b"<b/>", b"<d/>")
    both = [Splice(second.end, second.end, "1"), Splice(second.end, second.end, "2")]
    assert xml.spliced(both) == ODD.replace(b"<b/>", b"<b/>12")


@pytest.mark.parametrize(
    "text", ["<d>text/></d>", "<d> />x</d>", "<d><!--/>--></d>", "<d><?x />?></d>", '<d x="/>"></d>']
)
def test_only_a_tag_that_closes_itself_is_empty(text: str):
    xml = parse_xml(f"<a>{text}<b/></a>".encode(), "it")
    element = xml.root.children[0]
    assert xml.raw(element) == text
    assert not element.is_empty
    assert xml.root.children[1].is_empty


@pytest.mark.parametrize(
    ("encoding", "bom"),
    [("utf-8", b""), ("utf-8", codecs.BOM_UTF8), ("iso-8859-1", b""), ("windows-1252", b""), ("ascii", b"")],
)
def test_a_file_keeps_its_encoding(encoding: str, bom: bytes):
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n<a>\n  <b>{"x" if encoding == "ascii" else "é"}</b>\n</a>'
    data = bom + text.encode(encoding)
    xml = parse_xml(data, "it")
    assert xml.spliced([]) == data
    end = xml.root.children[0].end
    changed = xml.spliced([Splice(end, end, "<c>é♯</c>")])
    assert changed.startswith(bom)
    shown = "é♯" if encoding == "utf-8" else "&#233;&#9839;" if encoding == "ascii" else "é&#9839;"
    assert changed[len(bom) :].decode(encoding) == text.replace("</b>", f"</b><c>{shown}</c>")
    assert parse_xml(changed, "it").root.text_of("c") == "é♯"


@pytest.mark.parametrize(("encoding", "bom"), [("utf-16-le", codecs.BOM_UTF16_LE), ("utf-16-be", codecs.BOM_UTF16_BE)])
def test_two_bytes_a_letter_stay_two(encoding: str, bom: bytes):
    data = bom + '<?xml version="1.0" encoding="UTF-16"?><a><b>é</b></a>'.encode(encoding)
    xml = parse_xml(data, "it")
    assert xml.root.text_of("b") == "é"
    assert xml.spliced([]) == data
    b = xml.root.children[0]
    assert xml.spliced([Splice(b.start, b.end, "♯")]) == data.replace("<b>é</b>".encode(encoding), "♯".encode(encoding))


def test_indents_are_those_of_the_neighbours():
    xml = parse_xml(b"<a>\r\n\t <b/>\n<c/><d/>\n  x <e/></a>", "it")
    assert [xml.indent(child) for child in xml.root.children] == ["\r\n\t ", "\n", "", ""]


BOMB = b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'
OUTSIDE = b'<!DOCTYPE a [<!ENTITY b SYSTEM "beside.txt">]><a>&b;</a>'
PARAMETER = b'<!DOCTYPE a [<!ENTITY % b SYSTEM "http://example.org/x"> %b;]><a/>'


@pytest.mark.parametrize("data", [BOMB, OUTSIDE, PARAMETER])
def test_entities_are_refused(data: bytes):
    with pytest.raises(BadInput, match="entity"):
        parse_xml(data, "bad.xml")


def test_a_document_type_elsewhere_is_never_fetched():
    data = b'<!DOCTYPE a PUBLIC "-//X//Y" "http://example.org/none.dtd">\n<a>&unknown;<b/></a>'
    xml = parse_xml(data, "it")
    assert xml.spliced([]) == data
    assert [child.tag for child in xml.root.children] == ["b"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "line 1"),
        (b"<a>", "line 1, column 4"),
        (b"<a></b>", "mismatched"),
        (b"<a/>\n<b/>", "line 2"),
        (b"<a>\xff</a>", "not"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "klingon"),
        (b'<?xml version="1.0" encoding="zlib"?><a/>', "zlib"),
        (b'<?xml version="1.0" encoding="punycode"?><a/>', "punycode"),
        (b"<a>" * (MAX_DEPTH + 5), "deep"),
    ],
)
def test_damage_is_one_clear_line(data: bytes, message: str):
    with pytest.raises(BadInput, match=message) as caught:
        parse_xml(data, "bad.xml")
    assert str(caught.value).startswith("bad.xml")
    assert "\n" not in str(caught.value)


def test_what_is_too_large_is_refused_unread():
    with pytest.raises(BadInput, match="more than"):
        parse_xml(b"<" * (MAX_BYTES + 1), "bad.xml")


@given(st.text(st.characters(codec="utf-8")))
def test_escaped_text_comes_back(text: str):
    xml = parse_xml(f'<a b="{escaped(text)}">{escaped(text)}</a>'.encode(), "it")
    plain = "".join(sign for sign in text if (sign >= " " or sign in "\t\n") and sign not in "\ufffe\uffff")
    assert xml.root.text.strip() == plain.strip() or not plain.strip()
