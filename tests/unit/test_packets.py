"""Keywords in XMP: what is added where, and that nothing else changes."""

import io
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from tagdb.errors import RejectedInput
from tagdb.export import jpegs, packets
from tests.support.pictures import photo, picture

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
LIGHTROOM = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0-c000 1.000000">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
   xmp:Rating="3"
   crs:Exposure2012="+0.35"
   crs:ToneCurveName2012="Linear > \xc3\xa4">
   <dc:subject>
    <rdf:Bag>
     <rdf:li>Places</rdf:li>
     <rdf:li>Caf\xc3\xa9 &amp; Bar</rdf:li>
    </rdf:Bag>
   </dc:subject>
   <lr:hierarchicalSubject>
    <rdf:Bag>
     <rdf:li>Places|Paris</rdf:li>
    </rdf:Bag>
   </lr:hierarchicalSubject>
   <crs:ToneCurvePV2012>
    <rdf:Seq>
     <rdf:li>0, 0</rdf:li>
     <rdf:li>255, 255</rdf:li>
    </rdf:Seq>
   </crs:ToneCurvePV2012>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""
DARKTABLE = b"""<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:darktable="http://darktable.sf.net/"
   darktable:xmp_version="5"
   darktable:auto_presets_applied="1">
   <darktable:history>
    <rdf:Seq>
     <rdf:li
      darktable:num="0"
      darktable:operation="exposure"
      darktable:params="gz02eJxjYGBgYAFiCQ=="/>
    </rdf:Seq>
   </darktable:history>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""
DIGIKAM = b"""<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\r
<x:xmpmeta xmlns:x="adobe:ns:meta/">\r
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\r
  <rdf:Description rdf:about="" xmlns:digiKam="http://www.digikam.org/ns/1.0/" digiKam:ColorLabel="2">\r
   <digiKam:TagsList>\r
    <rdf:Seq>\r
     <rdf:li>Places/Paris</rdf:li>\r
    </rdf:Seq>\r
   </digiKam:TagsList>\r
  </rdf:Description>\r
 </rdf:RDF>\r
</x:xmpmeta>\r
<?xpacket end="w"?>"""
EXIFTOOL = b"""<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>
 <rdf:Description rdf:about='' xmlns:tiff='http://ns.adobe.com/tiff/1.0/' tiff:Make='A "camera"'/>
 <rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:subject/></rdf:Description>
</rdf:RDF></x:xmpmeta>"""
EMPTY = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'
)
SIDECARS = {
    "lightroom": LIGHTROOM, "darktable": DARKTABLE, "digikam": DIGIKAM, "exiftool": EXIFTOOL, "empty": EMPTY,
    "marked": b"\xef\xbb\xbf" + DARKTABLE,
}  # fmt: skip
PREFIXES = dict(zip(("dc", "digiKam", "lr"), packets.PROPERTIES, strict=True))


def lists(packet: bytes) -> dict[str, list[str]]:
    """The keywords of a packet by property, read by another parser."""
    root = ElementTree.fromstring(packet)
    found = {}
    for each in packets.PROPERTIES:
        elements = root.findall(f".//{{{each.namespace}}}{each.name}")
        assert len(elements) <= 1
        found[each.prefix] = [item.text or "" for one in elements for item in one.iter(f"{{{RDF}}}li")]
        assert not elements or elements[0][0].tag == f"{{{RDF}}}{each.container}"
    return found


def others(packet: bytes) -> list[tuple[str, object, object]]:
    """Everything but keywords, in order, as another parser reads it."""
    root = ElementTree.fromstring(packet)
    for parent in list(root.iter()):
        for child in list(parent):
            if any(child.tag == f"{{{each.namespace}}}{each.name}" for each in packets.PROPERTIES):
                parent.remove(child)
    return [
        (each.tag, sorted(each.attrib.items()), (each.text or "").strip())
        for each in root.iter()
        if each.attrib or (each.text or "").strip() or each.tag != f"{{{RDF}}}Description"
    ]


@pytest.mark.parametrize("name", SIDECARS)
def test_keywords_are_added_and_nothing_else_changes(name: str) -> None:
    before = SIDECARS[name]
    after = packets.with_keywords(before, ["sea", "Über", "paris"])
    assert {"sea", "Über"} <= {*lists(after)["dc"]} & {*lists(after)["digiKam"]} & {*lists(after)["lr"]}
    if name != "empty":
        assert others(after) == others(before)
    # what was there is there, byte for byte and in order: the rest was put in between
    if name in ("exiftool", "empty"):  # where elements that were one tag are two now
        before = re.sub(rb"<dc:subject/>|/>(?=</x)", b"", before)
        rest = iter(after)
        assert all(byte in rest for byte in before)
    else:
        lines = iter(after.splitlines(keepends=True))
        assert all(line in lines for line in before.splitlines(keepends=True))


@pytest.mark.parametrize("name", SIDECARS)
def test_adding_twice_is_adding_once(name: str) -> None:
    after = packets.with_keywords(SIDECARS[name], ["sea", "Über"])
    assert packets.with_keywords(after, ["sea", "Über"]) == after
    assert packets.with_keywords(after, ["SEA", "über"]) == after
    assert packets.with_keywords(SIDECARS[name], []) == SIDECARS[name]
    by_steps = packets.with_keywords(packets.with_keywords(SIDECARS[name], ["sea"]), ["Über"])
    assert lists(by_steps) == lists(after)


def test_a_keyword_is_there_also_at_the_end_of_a_path() -> None:
    assert lists(packets.with_keywords(LIGHTROOM, ["paris"])) == {
        "dc": ["Places", "Café & Bar", "paris"], "digiKam": ["paris"], "lr": ["Places|Paris"]
    }  # fmt: skip
    assert lists(packets.with_keywords(DIGIKAM, ["paris"]))["digiKam"] == ["Places/Paris"]
    assert lists(packets.with_keywords(LIGHTROOM, ["places"]))["dc"] == ["Places", "Café & Bar"]


def test_what_is_added_is_indented_as_what_is_there() -> None:
    after = packets.with_keywords(LIGHTROOM, ["sea"])
    assert (
        b"\n     <rdf:li>Caf\xc3\xa9 &amp; Bar</rdf:li>\n     <rdf:li>sea</rdf:li>\n    </rdf:Bag>" in after
    )
    assert b"\r\n     <rdf:li>sea</rdf:li>\r\n    </rdf:Seq>" in packets.with_keywords(DIGIKAM, ["sea"])


def test_a_prefix_that_means_something_else_is_no_matter() -> None:
    odd = DARKTABLE.replace(b'xmlns:darktable="', b'xmlns:dc="http://elsewhere/" xmlns:darktable="')
    odd = odd.replace(b"rdf:", b"r:").replace(b"xmlns:rdf", b"xmlns:r")
    after = packets.with_keywords(odd, ["sea"])
    assert lists(after) == {"dc": ["sea"], "digiKam": ["sea"], "lr": ["sea"]}
    assert others(after) == others(odd)


def test_a_new_packet() -> None:
    assert lists(packets.new(["sea", "sun"])) == {key: ["sea", "sun"] for key in PREFIXES}
    embedded = packets.new(["a&b"], embedded=True)
    assert embedded.startswith(b"<?xpacket begin=")
    assert embedded.endswith(b'<?xpacket end="w"?>')
    assert lists(embedded)["dc"] == ["a&b"]
    assert b"\n  \n" not in packets.new(["sea"])


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (b"", "no valid XML"),
        (b"<a/>", "no rdf:RDF"),
        (LIGHTROOM[:-20], "no valid XML"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + LIGHTROOM, "document type"),
        (DARKTABLE.replace(b"UTF-8", b"ISO-8859-1"), "only UTF-8"),
        (LIGHTROOM.decode().encode("utf-16"), "only UTF-8"),
        (DIGIKAM.replace(b"digiKam:ColorLabel", b"digiKam:TagsList"), "as an attribute"),
        (EXIFTOOL.replace(b"<dc:subject/>", b"<dc:subject>sea</dc:subject>"), "no list"),
        (LIGHTROOM + b" " * packets.MAX_BYTES, "larger than 4 MB"),
    ],
)
def test_what_cannot_be_added_to_is_refused(packet: bytes, reason: str) -> None:
    with pytest.raises(RejectedInput, match=reason):
        packets.with_keywords(packet, ["sea"])


# --- within JPEGs --------------------------------------------------------------------------------


def jpeg(**more: object) -> bytes:
    buffer = io.BytesIO()
    picture(1).save(buffer, "JPEG", **more)
    return buffer.getvalue()


def exif() -> Image.Exif:
    found = Image.Exif()
    found[0x010F] = "A camera"
    return found


@pytest.mark.parametrize(
    "content",
    [photo(1), jpeg(exif=exif()), jpeg(xmp=LIGHTROOM), jpeg(exif=exif(), xmp=DIGIKAM, progressive=True)],
    ids=["plain", "exif", "xmp", "both"],
)
def test_embedding_keywords_keeps_the_picture_bit_by_bit(content: bytes) -> None:
    after = jpegs.with_keywords(content, ["sea", "sun"])
    assert after != content
    assert jpegs.without_packet(after) == jpegs.without_packet(content)
    assert after[after.index(b"\xff\xda") :] == content[content.index(b"\xff\xda") :]
    with Image.open(io.BytesIO(after)) as new, Image.open(io.BytesIO(content)) as old:
        assert np.array_equal(np.asarray(new), np.asarray(old))
        assert new.getexif() == old.getexif()
        assert {"sea", "sun"} <= {*lists(new.info["xmp"])["dc"]}
        if "xmp" in old.info:
            assert others(new.info["xmp"]) == others(old.info["xmp"])
    assert jpegs.with_keywords(after, ["sun", "SEA"]) == after
    assert jpegs.with_keywords(content, []) == content


def test_a_packet_that_is_too_large_for_a_jpeg_is_refused() -> None:
    with pytest.raises(RejectedInput, match="larger than 65504 bytes"):
        jpegs.with_keywords(photo(1), [f"keyword{n}" for n in range(2_000)])


@pytest.mark.parametrize("length", [3, 10, 30, 300])
def test_a_damaged_jpeg_is_refused(length: int) -> None:
    with pytest.raises(RejectedInput, match="damaged"):
        jpegs.with_keywords(photo(1)[:length], ["sea"])


def test_exiftool_reads_what_was_written(tmp_path: Path) -> None:
    if shutil.which("exiftool") is None:
        pytest.skip("needs exiftool")
    (tmp_path / "a.jpg").write_bytes(jpegs.with_keywords(jpeg(exif=exif()), ["sea", "sun"]))
    (tmp_path / "b.xmp").write_bytes(packets.with_keywords(LIGHTROOM, ["sea"]))
    for name in ("a.jpg", "b.xmp"):
        asked = ["exiftool", "-s3", "-Subject", "-TagsList", "-HierarchicalSubject", tmp_path / name]
        done = subprocess.run([*map(str, asked)], capture_output=True, text=True, check=True)
        assert [line.split(", ")[-1] for line in done.stdout.splitlines()] == (
            ["sun"] * 3 if name == "a.jpg" else ["sea"] * 3
        )
    (tmp_path / "before.jpg").write_bytes(jpeg(exif=exif()))
    checked = [
        subprocess.run(
            ["exiftool", "-validate", "-warning", "-a", "-s3", str(tmp_path / name)],
            capture_output=True, text=True, check=True,
        ).stdout
        for name in ("a.jpg", "before.jpg")
    ]  # fmt: skip
    assert checked[0] == checked[1]
