"""Files that misbehave: mutated MIDI and MusicXML files, each of which must end in a result or in one clear line.

    python -m tests.fuzzing --n 10000                       # of each kind; `make fuzz`
    python -m tests.fuzzing --kind "MIDI, structure" --only 421 --keep bad.mid

Half of the files of a format are mutated as bytes, half by their structure: lengths that lie, times that run away,
numbers that are none, entities, bombs. Each is read, understood, laid on a roll and written as MIDI and as MusicXML, in
at most the time of so many `LOOPS` of tests/pace.py, in the same process and at the same time, and in at most
`MEGABYTES` more than the program needs by itself. A case is a function of its kind and number.
"""

from __future__ import annotations

import argparse
import io
import random
import re
import struct
import sys
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from ripieno.errors import BadInput
from ripieno.files.midi import midi_bytes, parse_midi, read_midi
from ripieno.files.musicxml.read import parse_musicxml
from ripieno.files.musicxml.write import musicxml_bytes
from ripieno.music.piece import Piece, roll_of_piece
from ripieno.music.understanding import understand
from tests.pace import loop_seconds

ROOT = Path(__file__).parent.parent
LOOPS = 1000  # some 5 s on a machine of 2024
MEGABYTES = 500
CHUNK = 50  # cases a worker does at a time


@cache
def midi_seeds() -> list[bytes]:
    return [path.read_bytes() for path in sorted((ROOT / "examples").glob("*.mid"))]


@cache
def score_seeds() -> list[bytes]:
    from tests.files.scores import attributes, note, score

    written = [musicxml_bytes(read_midi(path))[0] for path in sorted((ROOT / "examples").glob("*.mid"))[:3]]
    tie = '<tie type="start"/>'
    bars = [
        attributes(divisions=2, fifths=-3, beats=3) + note("Eb4", 2, "quarter", tie) + note("Eb4", 4, "half"),
        note("C5", 2, "quarter")
        + note("G4", 2, "quarter", chord=True)
        + "<backup><duration>2</duration></backup><forward><duration>1</duration></forward>"
        + note("", 5),
    ]
    return [*written, score(bars, bars, names=("Flute", "Viola")).encode()]


# --- bytes


def plain(data: bytes, draw: random.Random) -> bytes:
    """Some bytes changed, lost, doubled or put elsewhere."""
    now = bytearray(data)
    for _ in range(draw.choice([1, 1, 2, 4, 16])):
        at = draw.randrange(len(now) + 1)
        n = draw.choice([1, 1, 2, 4, 32, 500])
        what = draw.randrange(6)
        if what == 0 and now:
            now[at % len(now)] = draw.choice([0, 0x7F, 0x80, 0xFF, draw.randrange(256)])
        elif what == 1 and now:
            now[at % len(now)] ^= 1 << draw.randrange(8)
        elif what == 2:
            del now[at : at + n]
        elif what == 3:
            now[at:at] = now[at : at + n] * draw.choice([1, 2, 20])
        elif what == 4:
            now[at:at] = draw.randbytes(n)
        elif draw.random() < 0.3:
            del now[at:]
    return bytes(now)


# --- MIDI, by its structure


def number(value: int) -> bytes:
    """A MIDI number of seven bits a byte; longer ones than the standard has, too."""
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def chunks_of(data: bytes) -> list[tuple[bytes, bytes]]:
    at, found = 0, []
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        found.append((data[at : at + 4], data[at + 8 : at + 8 + size]))
        at += 8 + size
    return found


def event(draw: random.Random) -> bytes:
    """An event that may stand anywhere, right or wrong."""
    delta = number(draw.choice([0, 0, 1, 120, 480, 100_000, 0x0FFFFFFF, 0xFFFFFFFFFF]))
    channel = draw.randrange(16)
    a, b = draw.randrange(256), draw.randrange(256)
    body = draw.choice(
        [
            bytes((0x90 | channel, a & 127, b & 127)),
            bytes((0x80 | channel, a & 127, b & 127)),
            bytes((0x90 | channel, a, b)),
            bytes((0xC0 | channel, a & 127)),
            bytes((0xE0 | channel, a & 127, b & 127)),
            bytes((draw.randrange(256), a, b)),
            b"\xff\x51\x03" + draw.choice([b"\0\0\0", b"\xff\xff\xff", b"\0\0\1", draw.randbytes(3)]),
            b"\xff\x58\x04" + bytes((draw.choice([0, 1, 3, 255]), draw.choice([0, 2, 7, 255]), 24, 8)),
            b"\xff\x59\x02" + bytes((a, draw.choice([0, 1, 2]))),
            b"\xff\x03" + number(draw.choice([0, 4, 1000, 0x0FFFFFFF])) + b"name",
            b"\xff\x2f\x00",
            b"\xf0" + number(draw.choice([0, 3, 5000])) + b"\x41\x10\xf7",
            b"\xf7" + number(3) + b"\x01\x02\x03",
        ]
    )
    return delta + body


def midi_structure(data: bytes, draw: random.Random) -> bytes:
    """A MIDI file whose parts are sound but do not fit."""
    chunks = chunks_of(data)
    lies: dict[int, int] = {}
    for _ in range(draw.choice([1, 1, 2, 3])):
        i = draw.randrange(len(chunks))
        kind, body = chunks[i]
        what = draw.randrange(9)
        if what == 0:
            form, n, division = (
                draw.choice([0, 1, 2, 3, 65535]),
                draw.choice([0, 1, 2, 65535]),
                draw.choice([0, 1, 3, 24, 480, 32767, 32768, 0xE728, 65535]),
            )
            chunks[0] = (b"MThd", struct.pack(">HHH", form, n, division) + b"\0" * draw.choice([0, 0, 6]))
        elif what == 1:
            lies[i] = draw.choice([0, 1, len(body) + 1, len(body) - 1, 0xFFFFFFFF, 0x7FFFFFFF])
        elif what == 2:
            chunks += [chunks[i]] * draw.choice([1, 5, 200])
        elif what == 3 and len(chunks) > 1:
            del chunks[max(i, 1)]
        elif what == 4:
            chunks[i] = (draw.choice([b"MTrk", b"MThd", b"XFIH", b"\0\0\0\0"]), body)
        elif what in (5, 6) and i:
            at = draw.randrange(len(body) + 1)
            chunks[i] = (kind, body[:at] + b"".join(event(draw) for _ in range(draw.choice([1, 3, 50]))) + body[at:])
        elif what == 7 and i:
            n = draw.choice([10, 1000, 20_000])
            notes = b"".join(b"\0" + bytes((0x90, p % 128, 64)) for p in range(n))
            chunks[i] = (kind, notes + number(draw.choice([1, 96, 0x0FFFFFFF])) + b"\xff\x2f\x00")
        elif i:
            at = draw.randrange(len(body) + 1)
            chunks[i] = (kind, body[:at] + body[at + draw.randrange(1, 8) :])
    return b"".join(
        kind + (lies.get(i, len(body)) & 0xFFFFFFFF).to_bytes(4, "big") + body for i, (kind, body) in enumerate(chunks)
    )


# --- MusicXML, by its structure

NUMBERS = ("0", "-1", "1e9", "999999999999", "NaN", "", "x", "1/3", "0.0001", "4", "１２", "1e400")
TAGS = re.compile(rb"<(\w[\w-]*)(?:\s[^>]*)?>([^<]*)</\1>")
ELEMENT = re.compile(rb"<(note|measure|attributes|part|backup|forward|pitch|score-part)\b.*?</\1>", re.DOTALL)
ENTITIES = (
    b'<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>',
    b'<!DOCTYPE s [<!ENTITY x SYSTEM "beside.txt">]>',
    b'<!DOCTYPE s SYSTEM "http://127.0.0.1:9/none.dtd">',
    b'<!DOCTYPE s [<!ENTITY % p SYSTEM "http://127.0.0.1:9/none"> %p;]>',
)


def score_structure(data: bytes, draw: random.Random) -> bytes:
    """A score whose elements are sound but do not fit; compressed now and then, as a bomb at times."""
    now = data
    for _ in range(draw.choice([1, 1, 2, 4])):
        what = draw.randrange(10)
        leaves, elements = list(TAGS.finditer(now)), list(ELEMENT.finditer(now))
        if what in (0, 1, 2) and leaves:
            leaf = draw.choice(leaves)
            now = now[: leaf.start(2)] + draw.choice(NUMBERS).encode() + now[leaf.end(2) :]
        elif what == 3 and elements:
            one = draw.choice(elements)
            now = now[: one.start()] + now[one.end() :]
        elif what == 4 and elements:
            one, other = draw.choice(elements), draw.choice(elements)
            now = now[: other.start()] + one[0] * draw.choice([1, 2, 100]) + now[other.start() :]
        elif what == 5 and leaves:
            leaf = draw.choice(leaves)
            now = now[: leaf.start()] + now[leaf.end() :]
        elif what == 6:
            declaration = draw.choice(ENTITIES)
            end = now.find(b"?>") + 2
            body = now[end:].replace(b"</step>", b"&d;</step>", 1) if b"&c;" in declaration else now[end:]
            now = now[:end] + declaration + body
        elif what == 7:
            depth = draw.choice([50, 2_000, 100_000])
            at = now.find(b"<part ")
            now = now[:at] + b"<x>" * depth + b"</x>" * depth + now[at:]
        elif what == 8:
            encoding = draw.choice(["UTF-16", "latin-1", "utf-7", "EBCDIC-CP-US", "x", "UTF-32"])
            now = now.replace(b"UTF-8", encoding.encode(), 1)
        elif elements:
            one = draw.choice(elements)
            at = draw.randrange(one.start(), one.end())
            now = now[:at] + now[at + draw.randrange(1, 40) :]
    return compressed(now, draw) if draw.random() < 0.25 else now


def compressed(data: bytes, draw: random.Random) -> bytes:
    """An .mxl file, or something like one."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        path = draw.choice(["x.xml", "x.xml", "x.xml", "../../x.xml", "gone.xml", "META-INF/container.xml"])
        archive.writestr(
            "META-INF/container.xml", f'<container><rootfiles><rootfile full-path="{path}"/></rootfiles></container>'
        )
        if draw.random() < 0.1:
            data = data.replace(b"</score-partwise>", b" " * draw.choice([1_000, 60_000_000]) + b"</score-partwise>")
        archive.writestr("x.xml", data)
        for i in range(draw.choice([0, 0, 0, 3, 2_000])):
            archive.writestr(f"more/{i}.txt", b"")
    done = buffer.getvalue()
    return plain(done, draw) if draw.random() < 0.4 else done


# --- running


def midi_case(mutate: Callable[[bytes, random.Random], bytes], n: int) -> bytes:
    draw = random.Random(f"midi {mutate.__name__} {n}")
    return mutate(draw.choice(midi_seeds()), draw)


def score_case(mutate: Callable[[bytes, random.Random], bytes], n: int) -> bytes:
    draw = random.Random(f"score {mutate.__name__} {n}")
    return mutate(draw.choice(score_seeds()), draw)


Case = tuple[Callable[[Callable[[bytes, random.Random], bytes], int], bytes], Callable[[bytes, random.Random], bytes]]
KINDS: dict[str, tuple[Case, Callable[[bytes, str], Piece]]] = {
    "MIDI, bytes": ((midi_case, plain), parse_midi),
    "MIDI, structure": ((midi_case, midi_structure), parse_midi),
    "MusicXML, bytes": ((score_case, plain), parse_musicxml),
    "MusicXML, structure": ((score_case, score_structure), parse_musicxml),
}


def data_of(kind: str, n: int) -> bytes:
    (make, mutate), _ = KINDS[kind]
    return make(mutate, n)


def outcome(kind: str, data: bytes) -> str:
    """ "read", "refused", or what went wrong."""
    try:
        piece = KINDS[kind][1](data, "x")
        reading = understand(piece)
        roll_of_piece(piece, reading.start, reading.n_steps, reading.shift)
        midi_bytes(piece)
        musicxml_bytes(piece, reading=reading)
    except BadInput as error:
        return "refused" if "\n" not in str(error) and str(error) else f"more than one line: {str(error)!r}"
    except Exception:
        return traceback.format_exc(limit=-4)
    return "read"


def run(job: tuple[str, Sequence[int]]) -> list[tuple[str, int, str, float]]:
    """A chunk of cases: kind, number, outcome, loops that its time would have been enough for."""
    import resource
    import signal

    kind, numbers = job
    data_of(kind, 0)  # what the seeds need is not the cases'
    own = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (own + MEGABYTES * 2**20, resource.RLIM_INFINITY))

    began = spent_on_loops = 0.0

    def look(*_: object) -> None:
        """Whether a case has had its time, by what a loop takes now and not when it began: others may have come."""
        nonlocal spent_on_loops
        before = time.process_time()
        spent = before - began - spent_on_loops
        loop = loop_seconds()
        spent_on_loops += time.process_time() - before
        left = LOOPS * loop - spent
        if left <= 0:
            raise TimeoutError(f"more than the time of {LOOPS} loops")
        signal.setitimer(signal.ITIMER_VIRTUAL, max(left, loop))

    signal.signal(signal.SIGVTALRM, look)  # of the process's own time: others use this machine too
    found = []
    loop = loop_seconds()
    for n in numbers:
        data = data_of(kind, n)
        began, spent_on_loops = time.process_time(), 0.0
        signal.setitimer(signal.ITIMER_VIRTUAL, LOOPS * loop)
        said = outcome(kind, data)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        found.append((kind, n, said, (time.process_time() - began - spent_on_loops) / loop))
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return found


def chunks(n: int) -> Iterator[tuple[str, list[int]]]:
    for kind in KINDS:
        numbers = iter(range(n))
        while some := list(islice(numbers, CHUNK)):
            yield kind, some


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=10_000, help="files of each format")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--only", type=int, metavar="N", help="one case of --kind")
    parser.add_argument("--keep", type=Path, help="write that case to a file")
    a = parser.parse_args()
    if a.only is not None:
        data = data_of(a.kind, a.only)
        if a.keep:
            a.keep.write_bytes(data)
        print(outcome(a.kind, data))
        return
    jobs = [job for job in chunks(-(-a.n // 2)) if a.kind in (None, job[0])]
    counts: Counter[tuple[str, str]] = Counter()
    slowest: dict[str, float] = {}
    faults = []
    with ProcessPoolExecutor(a.jobs, get_context("spawn")) as pool:
        for done in pool.map(run, jobs):
            for kind, n, said, n_loops in done:
                slowest[kind] = max(slowest.get(kind, 0), n_loops)
                counts[kind, said if said in ("read", "refused") else "FAULT"] += 1
                if said not in ("read", "refused"):
                    faults.append(f'{kind} {n} (--kind "{kind}" --only {n}):\n{said}')
    for kind, n_loops in slowest.items():
        told = ", ".join(f"{counts[kind, what]} {what}" for what in ("read", "refused", "FAULT"))
        print(f"{kind}: {told}; the slowest took {n_loops:.0f} loops of {LOOPS}")
    print("\n".join(faults[:20]), file=sys.stderr)
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
