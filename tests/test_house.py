"""The house stands as drawn: imports point one way, nothing heavy loads early, the package holds what it needs."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import numpy as np
import pytest
from beartype.roar import BeartypeCallHintViolation, BeartypeDoorHintViolation
from jaxtyping import Int, TypeCheckError

from ripieno.models.runtime import Prediction
from ripieno.music.roll import attacks, window
from tests.checked import checked

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "ripieno"
MODULES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(SOURCE.rglob("*.py"))
}

# Each floor may use its own rooms and those of the floors below it; rooms on one floor know nothing of each other.
# The product never imports the research (evaluation), which stands above it.
FLOORS = (
    {"errors", "shapes"},
    {"music", "whole"},
    {"edits", "files", "models"},
    {"sampling"},
    {"training", "options"},
    {"bounds"},
    {"document"},
    {"export"},
    {"session"},
    {"checking", "fixing", "assessment"},
    {"batch"},
    {"studio", "evaluation", "survey"},
    {"cli", "__init__", "__main__"},
)
KNOW_TORCH = re.compile(r"models\.(?!runtime$|context$)\w+|training\.\w+")
HEAVY = {"torch", "matplotlib", "onnxruntime", "mido", "onnx", "safetensors", "soundfile", "verovio", "resvg_py", "PIL"}
# What a MIDI file made into a MIDI file takes no part of.
ELSEWHERE = {
    *(HEAVY - {"onnxruntime"}),
    *("fastapi", "starlette", "uvicorn", "websockets", "fontTools", "jaxtyping", "pydantic", "scipy"),
    *("asyncio", "http.client", "multiprocessing", "sqlite3", "ssl", "unittest", "urllib.request"),
    *("ripieno.studio", "ripieno.evaluation", "ripieno.survey", "ripieno.training"),
}
# Public names that several modules may define, with the reason; others have one meaning, in one module.
MIRROR = "studio.messages"  # on the wire a Note is what the page knows of a Note: there the module tells them apart
NAMESAKES = {
    "main": "a program's entry: of the command line, and of training without it",
    **dict.fromkeys(("jobs", "work", "summary", "written", "plot"), "what every `Experiment` is made of"),
}


def room_of(module: str) -> str:
    return module.split(".")[0]


def floor_of(module: str) -> int:
    floors = [number for number, rooms in enumerate(FLOORS) if room_of(module) in rooms]
    assert len(floors) == 1, f"{room_of(module)} stands on no floor of FLOORS, or on two"
    return floors[0]


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it; of `ripieno` itself, its version may be read anywhere."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    of_ripieno = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ripieno"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = {alias.name for alias in node.names}
            yield from names if of_ripieno - {"__version__"} else names - {"ripieno"}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports by a relative name"
            names = {alias.name for alias in node.names}
            if node.module != "ripieno" or names - {"__version__"} - MODULES.keys():
                yield node.module or ""
            # `from ripieno.files import midi` brings a module too
            yield from (f"{node.module}.{name}" for name in names)


@cache
def known_to(module: str) -> frozenset[str]:
    """The modules of this package that another one imports; `ripieno` itself is called `__init__`."""
    names = ["ripieno.__init__" if name == "ripieno" else name for name in imports_of(MODULES[module])]
    found = {name.removeprefix("ripieno.") for name in names if name.startswith("ripieno.")}
    return frozenset(found & MODULES.keys() - {module})


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git repository")
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module: str) -> None:
    others = {other for other in known_to(module) if room_of(other) != room_of(module)}
    assert {other for other in others if floor_of(other) >= floor_of(module)} == set()


def test_no_two_modules_know_each_other() -> None:
    TopologicalSorter({module: known_to(module) for module in MODULES}).prepare()  # else it names the circle


@pytest.mark.parametrize("module", MODULES)
def test_only_networks_and_training_know_torch(module: str) -> None:
    if not KNOW_TORCH.fullmatch(module):
        found = {name.split(".")[0] for name in imports_of(MODULES[module])} & {"torch", "safetensors", "onnx"}
        assert not found, f"{module} imports {', '.join(found)}"


@pytest.mark.parametrize("module", ["ripieno", "ripieno.cli"])
def test_heavy_packages_load_where_they_are_used(module: str) -> None:
    program = f"import {module}, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert module in loaded
    assert not (HEAVY | {"numpy", "pydantic"}) & set(loaded)


def test_harmonising_a_midi_file_loads_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    words = ["ripieno", "harmonize", str(ROOT / "examples" / "ode-to-joy.mid"), "-o", str(tmp_path / "out.mid")]
    program = (
        f"import sys; sys.argv = {[*words, '--iterations', '3']!r}\n"
        "from ripieno.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "print('loaded', *sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    loaded = set(said.splitlines()[-1].split())
    assert {"loaded", "onnxruntime", "ripieno.session"} <= loaded
    assert (tmp_path / "out.mid").is_file()
    assert loaded & ELSEWHERE == set()


def names_defined_in(path: Path) -> Iterator[str]:
    """The public classes, functions and aliases of types of a module; not its constants, which are in capitals."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            names = [name for name in names if name[0].isupper() and not name.isupper()]
        else:
            names = []
        yield from (name for name in names if not name.startswith("_"))


def test_a_public_name_has_one_meaning() -> None:
    defined: dict[str, list[str]] = {}
    for module, path in MODULES.items():
        for name in dict.fromkeys(names_defined_in(path)):  # overloads are one function
            defined.setdefault(name, []).append(module)
    assert {"Piece", "Voices", "compose", "Note"} <= defined.keys()
    several = {name: modules for name, modules in defined.items() if len(set(modules) - {MIRROR}) > 1}
    assert several.keys() == NAMESAKES.keys(), {name: several.get(name) for name in several.keys() ^ NAMESAKES.keys()}


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_what_it_is(module: str) -> None:
    text = MODULES[module].read_text(encoding="utf-8")
    is_empty_package = MODULES[module].name == "__init__.py" and not text.strip()
    assert is_empty_package or ast.get_docstring(ast.parse(text))


def test_what_is_annotated_is_checked_while_tests_run() -> None:
    logits = np.zeros((2, 1, 4, 128), dtype=np.float32)
    with pytest.raises(BeartypeCallHintViolation, match="cells"):
        attacks(np.zeros((4, 128), dtype=bool))
    with pytest.raises(BeartypeCallHintViolation, match="n_left"):
        Prediction(logits, np.zeros(3, dtype=np.float32))  # of three rolls where there are two
    with pytest.raises(TypeCheckError, match="n_steps"):
        window(logits[0] > 0, 0, "two")  # type: ignore[arg-type]


@checked
def both(one: Int[np.ndarray, " step"], other: Int[np.ndarray, " step"]) -> Int[np.ndarray, " step"]:
    return one + other if len(one) > 1 else np.zeros(7, dtype=int)


def test_within_a_call_a_dimension_has_one_length() -> None:
    assert len(both(np.arange(3), np.arange(3))) == 3
    assert len(both(np.arange(4), np.arange(4))) == 4
    with pytest.raises(BeartypeCallHintViolation, match="other"):
        both(np.arange(3), np.arange(4))
    with pytest.raises(BeartypeCallHintViolation, match="return"):
        both(np.arange(1), np.arange(1))

    @checked
    def within(*several: Int[np.ndarray, " step"]) -> int:
        return len(several[0])

    assert within(np.arange(3), np.arange(3)) == 3
    with pytest.raises(BeartypeDoorHintViolation):
        within(*[np.zeros((2, 2), dtype=int)] * 2)


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    place = re.compile(rb"(?<![\w.:/$}>])/(?:work|root|home|Users|opt|tmp|mnt)/\w")
    found = []
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" in content[:8192]:
            content = b"\n".join(re.findall(rb"[\x20-\x7e]{6,}", content))  # the readable pieces of a binary file
        found += [f"{path.relative_to(ROOT)}: {hit.group().decode()}" for hit in place.finditer(content)]
    assert found == []


def test_the_version_is_the_same_wherever_it_stands() -> None:
    import ripieno

    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert ripieno.__version__ == version
    assert re.search(rf"^version: {re.escape(version)}$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    newest = re.search(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert newest[1] == version


def test_everything_that_make_installs_has_a_pinned_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    for extra in project["project"]["optional-dependencies"].values():
        asked += extra
    names = {re.split(r"[^\w-]", requirement)[0].lower() for requirement in asked} - {"ripieno"}
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    assert names <= {line.split("==")[0].lower() for line in lines}


def test_the_package_that_people_install_is_complete(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    wanted = {
        path.relative_to(ROOT / "src").as_posix()
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted <= held
    assert "ripieno/py.typed" in held
    assert {".onnx", ".md"} <= {path.suffix for path in (SOURCE / "models" / "bundled").iterdir()}  # a model, its card
    assert any(name.endswith("/licenses/LICENSE") for name in held)
    assert not any(name.startswith("tests") for name in held)
