"""XMP packets, in all the ways in which programs write them, and those that nobody should write."""

import re
import time
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagdb.errors import RejectedInput
from tagdb.photos import xmp
from tagdb.photos.keywords import NOTHING
from tests.support.described import LIGHTROOM, bag, described, keywords, language, packet, rdf

SUBJECT = bag("dc:subject", ["sea", "New York"])
READ = ("sea", "New York")


def test_what_lightroom_writes() -> None:
    flat, paths = LIGHTROOM
    one = xmp.read(keywords(*flat, paths=paths))
    assert one.keywords == flat
    assert one.paths == (("Places", "Italy", "Lake Como"), ("food",))


@pytest.mark.parametrize(
    "content",
    [
        packet(SUBJECT).decode(),
        packet(bag("dc:subject", READ, "Seq")).decode(),
        rdf(described(SUBJECT)),
        f"\ufeff\n  {rdf(described(SUBJECT))}\0\0\0",
        '<?xml version="1.0" encoding="UTF-8"?>' + rdf(described(SUBJECT)),
        rdf(described(), described(SUBJECT)),
        rdf(described(bag("dc:subject", ["sea"])), described(bag("dc:subject", ["New York"]))),
        rdf(described('<dc:subject xml:lang="en">sea</dc:subject><dc:subject>New York</dc:subject>')),
        rdf(described(attributes='dc:subject="sea"'), described(attributes="dc:subject='New York'")),
        rdf(described('<dc:subject><rdf:Bag><rdf:li xml:lang="de">sea</rdf:li><rdf:li> New York\n</rdf:li>'
                      "</rdf:Bag></dc:subject>")),
        rdf(described('<dc:subject><rdf:Bag><rdf:li rdf:parseType="Resource"><rdf:value>sea</rdf:value>'
                      "<xmp:Label>x</xmp:Label></rdf:li><rdf:li><rdf:Description><rdf:value>New York"
                      "</rdf:value></rdf:Description></rdf:li></rdf:Bag></dc:subject>")),
        rdf(described("<dc:subject><rdf:Bag><rdf:li>s<!-- o -->ea</rdf:li><rdf:li><![CDATA[New York]]>"
                      "</rdf:li></rdf:Bag></dc:subject>")),
        rdf(described(SUBJECT)).replace("dc:", "other:").replace(":dc=", ":other="),
        rdf(described(SUBJECT)).replace("sea", "s\x0bea"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-16-le", "utf-32"])
def test_every_way_of_writing_rdf(content: str, encoding: str) -> None:
    if content.startswith("\ufeff") and "16-" in encoding:
        content = content[1:].lstrip()
    assert xmp.read(content.encode(encoding)).keywords == READ


def test_what_is_not_utf_8_is_taken_for_what_windows_writes() -> None:
    assert xmp.read(keywords("Zürich").decode().encode("cp1252", "ignore")).keywords == ("Zürich",)


@pytest.mark.parametrize(
    ("properties", "path"),
    [
        (bag("lr:hierarchicalSubject", ["A|B c|D"]), ("A", "B c", "D")),
        (bag("lr:HierarchicalSubject", ["|A|B c||D|"]), ("A", "B c", "D")),
        (bag("digiKam:TagsList", ["A/B c/D"], "Seq"), ("A", "B c", "D")),
        (bag("digiKam:TagsList", ["_Digikam_root_tag_/A/B c"], "Seq"), ("A", "B c")),
        (bag("MicrosoftPhoto:LastKeywordXMP", ["A/B c/D"]), ("A", "B c", "D")),
        (bag("mediapro:CatalogSets", ["A|B c|D"]), ("A", "B c", "D")),
    ],
)
def test_keywords_below_others(properties: str, path: tuple[str, ...]) -> None:
    assert xmp.read(packet(properties)).paths == (path,)


def test_several_programs_that_write_the_same_path() -> None:
    same = bag("lr:hierarchicalSubject", ["A|B"]) + bag("digiKam:TagsList", ["A/B"], "Seq")
    assert xmp.read(packet(same)).paths == (("A", "B"),)


def test_categories_of_acdsee() -> None:
    text = (
        '<Categories><Category Assigned="0">Places<Category Assigned="1">Q &amp;amp; A</Category></Category>'
        '<Category Assigned="1">People</Category></Categories>'
    )
    escaped = text.replace("<", "&lt;").replace(">", "&gt;")
    one = xmp.read(packet(f"<acdsee:categories>{escaped}</acdsee:categories>"))
    assert one.paths == (("Places", "Q & A"), ("People",))


def test_title_caption_rating_and_time() -> None:
    one = xmp.read(
        packet(
            '<dc:title><rdf:Alt><rdf:li xml:lang="de">Titel</rdf:li><rdf:li xml:lang="x-default">Title'
            "</rdf:li></rdf:Alt></dc:title>"
            + language("dc:description", "Lunch #sea, by the lake")
            + "<exif:DateTimeOriginal>2021-05-06T07:08:09.5+02:00</exif:DateTimeOriginal>",
            'xmp:Rating="4" MicrosoftPhoto:Rating="99" xmp:CreateDate="1999-01-01T00:00:00Z"',
        )
    )
    assert (one.title, one.captioned, one.rating) == ("Title", ("sea",), 4)
    assert one.taken_at == datetime(2021, 5, 6, 5, 8, 9, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("attributes", "year"),
    [
        ('xmp:CreateDate="2003-01-01T00:00" photoshop:DateCreated="2002-01-01"', 2002),
        ('photoshop:DateCreated="0000-00-00" xmp:CreateDate="2003-01-01T00:00:00"', 2003),
        ('photoshop:DateCreated="1066-10-14"', None),
        ('photoshop:DateCreated="yesterday"', None),
    ],
)
def test_the_best_time_that_is_one_counts(attributes: str, year: int | None) -> None:
    taken_at = xmp.read(packet(attributes=attributes)).taken_at
    assert (taken_at and taken_at.year) == year


def test_windows_rates_in_percent() -> None:
    assert xmp.read(packet(attributes='MicrosoftPhoto:Rating="75"')).rating == 4
    assert xmp.read(packet(attributes='xmp:Rating="0" MicrosoftPhoto:Rating="75"')).rating == 4


def test_photos_that_it_was_made_of_are_others() -> None:
    """And what is named alike in other namespaces is something else."""
    inner = f"<rdf:Bag><rdf:li>{described(SUBJECT)}</rdf:li></rdf:Bag>"
    other = '<y:subject xmlns:y="http://example.com/">sun</y:subject>'
    one = xmp.read(packet(f"<xmpMM:Pantry>{inner}</xmpMM:Pantry>{other}{bag('dc:subject', ['wind'])}"))
    assert one.keywords == ("wind",)
    assert xmp.read(b"<a/>") == NOTHING


# --- What is refused ----------------------------------------------------------------------------------

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "declaration",
    [
        f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]>',
        '<!DOCTYPE x [<!ENTITY l9 SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">',
        '<!DOCTYPE x [<!ENTITY % all SYSTEM "http://127.0.0.1:1/x.dtd"> %all;]>',
        "<!DOCTYPE x>",
    ],
)
def test_nothing_is_expanded_or_fetched(declaration: str) -> None:
    content = declaration + rdf(described(bag("dc:subject", ["&l9;"])))
    with pytest.raises(RejectedInput, match=r"^it has a document type, which XMP never has$"):
        xmp.read(content.encode())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no valid XML: no element found"),
        (b"\0" * 100, "no valid XML: no element found"),
        (b"milk, bread", "no valid XML: syntax error"),
        (packet(SUBJECT)[:-200], "no valid XML: "),
        (packet(bag("dc:subject", ["&nbsp;"])), "no valid XML: undefined entity"),
        (packet("<unknown:name/>"), "no valid XML: unbound prefix"),
        (b"<a>" * 100, "more than 64 elements within each other"),
        (b" " * (xmp.MAX_BYTES + 1), "larger than 4 MB"),
    ],
)
def test_what_is_no_packet_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    with pytest.raises(RejectedInput, match=f"^{re.escape(reason)}"):
        xmp.read(content)


MANY, MARKS, CATEGORY = 150_000, "\u0301\u0323", '&lt;Category Assigned="1"&gt;a'
LARGE = {
    "values": rdf(described(bag("dc:subject", ["sea"] * MANY))),
    "empty values": rdf(described(f"<dc:subject><rdf:Bag>{'<rdf:li/>' * MANY}</rdf:Bag></dc:subject>")),
    "other properties": rdf(described(bag("photoshop:DocumentAncestors", ["x"] * MANY) + SUBJECT)),
    "deep": rdf(described("<a>" * MANY)),
    "attributes": rdf(described(attributes=" ".join(f'a{n}=""' for n in range(MANY)))),
    "namespaces": rdf(described(attributes=" ".join(f'xmlns:a{n}="{n}"' for n in range(MANY // 2)))),
    "one long name": f"<{'a' * 2_000_000}",
    "one long comment": "<!--" + "-a" * 1_000_000,
    "pieces of one text": rdf(described(f"<dc:subject>{'<![CDATA[a]]>' * MANY}</dc:subject>")),
    "combining marks": rdf(described(f"<dc:subject>{MARKS * 30_000}</dc:subject>")),
    "hashtags": rdf(described(f"<dc:description>{'#a ' * MANY}</dc:description>")),
    "number signs": rdf(described(f"<dc:description>{'#' * MANY}</dc:description>")),
    "levels": rdf(described(f"<digiKam:TagsList>{'a/' * 30_000}</digiKam:TagsList>")),
    "categories": rdf(described(f"<acdsee:categories>{CATEGORY * 60_000}</acdsee:categories>")),
    "digits": rdf(described(attributes=f'xmp:Rating="{"9" * MANY}" xmp:CreateDate="{"9" * MANY}"')),
}


@pytest.mark.parametrize("content", LARGE.values(), ids=LARGE)
def test_nothing_takes_long(content: str) -> None:
    started = time.process_time()
    with suppress(RejectedInput):
        one = xmp.read(content.encode())
        one.hashtags("path")
        assert len(one.keywords) + len(one.paths) + len(one.captioned) <= 1_000
    assert time.process_time() - started < 5  # a second, on an idle machine; what is quadratic takes minutes


PIECES = st.sampled_from(
    [
        "<rdf:RDF ", "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'", ">", "<rdf:Description",
        " xmlns:dc='http://purl.org/dc/elements/1.1/'", "<dc:subject>", "</dc:subject>", "<rdf:li>",
        "</rdf:li>", "<rdf:Bag>", "</rdf:Bag>", "</rdf:Description>", "</rdf:RDF>", "<!DOCTYPE x [",
        "<!ENTITY a 'b'>", "]>", "&a;", "&#0;", "&#xD800;", "<?xpacket?>", "\0", "\ufffe", "|", "/",
        "<?xml version='1.1' encoding='x'?>", "<![CDATA[", "]]>", "<!--", "-->", "text", " dc:subject='a'",
        " dc:title='1e999'",
    ]
)  # fmt: skip


@settings(max_examples=300, deadline=2_000)
@given(
    st.one_of(
        st.binary(), st.lists(PIECES | st.text()).map(lambda each: "".join(each).encode("utf-8", "ignore"))
    )
)
def test_no_bytes_raise_anything_else(content: bytes) -> None:
    for each in (content, packet(SUBJECT)[:200] + content, b"\xff\xfe" + content):
        with suppress(RejectedInput):
            xmp.read(each).hashtags("path")
