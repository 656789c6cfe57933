"""Compressed MusicXML (.mxl): a zip that holds a score, and a file that says which of its members that is."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence

from ripieno.errors import BadInput
from ripieno.files.musicxml.source import MusicXmlSource
from ripieno.files.musicxml.text import MAX_BYTES, escaped, parse_xml

CONTAINER = "META-INF/container.xml"
MAX_MEMBERS = 1000  # of a compressed score: pictures, and little else


def is_compressed(begin: bytes) -> bool:
    """Whether a file that begins so is a zip."""
    return begin.startswith(b"PK")


def unpacked(data: bytes, name: str) -> tuple[str, bytes]:
    """The name of the score in a compressed file, and its bytes."""
    again = "export it again, or without compression (.musicxml)"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.namelist()
            if len(members) > MAX_MEMBERS:
                raise BadInput(f"{name} holds {len(members):,} files, which no score does; {again}")
            member = _root_file(archive, members, name)
            return member, _member(archive, member, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"{name} is a damaged compressed score ({error}); {again}") from None


def packed_score(text: bytes, source: MusicXmlSource | None, stem: str) -> bytes:
    """A score, compressed: what else was in the source's is kept; without one, it is called by its stem."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        if source is not None and source.archive is not None:
            total = 0
            with zipfile.ZipFile(io.BytesIO(source.archive)) as old:
                for info in old.infolist():
                    if info.filename == source.member:
                        archive.writestr(_dated(info.filename), text)
                        continue
                    with old.open(info) as file:
                        data = file.read(MAX_BYTES + 1 - total)
                    total += len(data)
                    if total > MAX_BYTES:
                        raise BadInput(
                            f"the compressed score unpacks to more than {MAX_BYTES:,} bytes; write .musicxml"
                        )
                    archive.writestr(_dated(info.filename), data)
        else:
            member = f"{stem}.musicxml"
            container = (
                '<?xml version="1.0" encoding="UTF-8"?>\n<container>\n  <rootfiles>\n'
                f'    <rootfile full-path="{escaped(member)}" media-type="application/vnd.recordare.musicxml+xml"/>\n'
                "  </rootfiles>\n</container>\n"
            )
            archive.writestr(_dated(CONTAINER), container.encode())
            archive.writestr(_dated(member), text)
    return buffer.getvalue()


def _root_file(archive: zipfile.ZipFile, members: Sequence[str], name: str) -> str:
    if CONTAINER in members:
        container = parse_xml(_member(archive, CONTAINER, name), f"{name} ({CONTAINER})").root
        for root_file in container.walk():
            path = root_file.attributes.get("full-path", "")
            if (
                root_file.tag == "rootfile"
                and path in members
                and "pdf" not in root_file.attributes.get("media-type", "")
            ):
                return path
    scores = [member for member in members if member.lower().endswith((".musicxml", ".xml")) and member != CONTAINER]
    if not scores:
        raise BadInput(f"{name} is a compressed file without a score in it; export it again as MusicXML")
    return scores[0]


def _member(archive: zipfile.ZipFile, member: str, name: str) -> bytes:
    """One file of the archive, which says how large it is and may lie."""
    with archive.open(member) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise BadInput(f"{name} unpacks to more than the {MAX_BYTES:,} bytes that are read; cut it")
    return data


def _dated(name: str) -> zipfile.ZipInfo:
    """A member without a date of its own, so that the same score is the same file."""
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    return info
