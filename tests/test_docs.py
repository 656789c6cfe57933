"""What the documents show works as printed, and what they point at is there."""

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import ripieno
from ripieno.cli import app

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "ripieno"
DOCS = ROOT / "docs"
README = ROOT / "README.md"
CARD = SOURCE / "models" / "bundled" / "CARD.md"
PAGES = {path.name: path for path in (README, ROOT / "CHANGELOG.md", CARD, *sorted(DOCS.glob("*.md")))}
PARTS_OF_THE_EVALUATION = {"framewise", "likelihood", "repair", "stabilisation", "chorales", "tables"}

WORDS = {
    "Gibbs sampling",
    "ancestral sampling",
    "batch",
    "cell",
    "change probability",
    "context",
    "correction",
    "document",
    "draft",
    "edit",
    "entry",
    "fault",
    "fix",
    "key identification",
    "leave-one-out",
    "log",
    "mend",
    "n_left",
    "note",
    "onset",
    "option",
    "origin",
    "part-writing",
    "pass",
    "piece",
    "pitch spelling",
    "plane",
    "policy",
    "prediction",
    "re-struck",
    "reading",
    "remark",
    "repair",
    "roll",
    "rule of part-writing",
    "speculative sampling",
    "step",
    "style",
    "voice separation",
}

BLOCKS = [
    pytest.param(code, id=f"{path.name}-{number}")
    for path in (README, *sorted(DOCS.glob("*.md")))
    for number, code in enumerate(re.findall(r"```python\n(.*?)```", path.read_text(), re.DOTALL))
]


@pytest.mark.parametrize("code", BLOCKS)
def test_python_in_the_documents_runs(code: str, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "document", "exec"), {})
    assert list(tmp_path.glob("*.mid"))


# Links, anchors, and citations of the documents in the source


@cache
def anchors(path: Path) -> frozenset[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found: list[str] = []
    for heading in re.findall(r"^#{1,6} (.+)$", without_code(path.read_text()), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        n = sum(one == slug or re.fullmatch(rf"{re.escape(slug)}-\d+", one) is not None for one in found)
        found.append(f"{slug}-{n}" if n else slug)
    return frozenset(found)


def without_code(text: str) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def code_spans(text: str) -> list[str]:
    """What stands between single backquotes."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", without_code(text))]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    path = PAGES[page]
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", without_code(path.read_text())):
        name, _, anchor = target.partition("#")
        there = path.parent / name if name else path
        assert there.exists(), f"{page}: {target}"
        assert not anchor or anchor in anchors(there), f"{page}: there is no {target}"


def test_the_source_cites_documents_and_anchors_that_exist() -> None:
    files = [
        path
        for folder in ("src", "tests", "benchmarks", "examples", ".ci")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".js", ".css", ".html", ".md", ".json") and path != Path(__file__)
    ]
    for path in (*files, ROOT / "Makefile"):
        for name, anchor in re.findall(r"\bdocs/([\w-]+\.md)(?:#([\w-]+))?", path.read_text()):
            where = path.relative_to(ROOT)
            assert (DOCS / name).exists(), f"{where}: docs/{name}"
            assert not anchor or anchor in anchors(DOCS / name), f"{where}: docs/{name}#{anchor}"
            # a card goes into a model's file, where nobody can follow an anchor
            assert anchor or name != "log.md" or path.suffix == ".json", f"{where} cites the log without an anchor"


# Commands


def commands_of(text: str, fence: str = "```") -> Iterator[str]:
    """The commands in a page's blocks that name no language, one at a time."""
    for block in re.findall(rf"^{fence}\n(.*?)^{fence}", text, re.DOTALL | re.MULTILINE):
        yield from (line for line in block.splitlines() if re.match(r"(ripieno [a-z]|make|python -m) ?", line))


@cache
def shown() -> dict[str, tuple[str, bool]]:
    """Every command that is shown, with where, and whether it is whole: one that can be given as it stands."""
    found = {}
    for page, path in PAGES.items():
        text = path.read_text()
        spans = [span for span in code_spans(text) if re.match(r"(ripieno|make|(PYTHONPATH=\S+ )?python -m) ", span)]
        found |= dict.fromkeys(spans, (page, False))
        found |= dict.fromkeys(commands_of(text), (page, True))
    for name, command in program().commands.items():
        examples = re.findall(r"\[green\](.*?)\[/green\]", command.help)
        found |= {example.replace("\\[", "["): (f"ripieno {name} --help", True) for example in examples}
    for path in (*sorted((ROOT / "benchmarks").glob("*.py")), ROOT / "tests" / "fuzzing.py"):
        said = ast.get_docstring(ast.parse(path.read_text())) or ""
        for line in re.findall(r"^ +(python -m .+)$", said, re.MULTILINE):
            found[re.split(r" {2,}", line)[0]] = (path.name, True)
    return found


def program() -> Any:
    return typer.main.get_command(app)


def flags_of(command: Any) -> set[str]:
    """Every flag of a command of `ripieno`."""
    return {flag for option in command.params for flag in (*option.opts, *option.secondary_opts)} | {"-h", "--help"}


@cache
def arguments_of(module: str) -> SimpleNamespace:
    """What a script's parser takes, read from its source: flags, required flags, and words that it knows."""
    path = ROOT / (module.replace(".", "/") + ".py")
    if module.startswith("ripieno."):
        path = SOURCE / module.removeprefix("ripieno.").replace(".", "/") / "__main__.py"
    assert path.exists(), f"there is no module {module}"
    tree = ast.parse(path.read_text())
    flags, required = set(), []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument":
            names = [str(arg.value) for arg in call.args if isinstance(arg, ast.Constant)]
            flags |= {name for name in names if name.startswith("-")}
            if any(word.arg == "required" and getattr(word.value, "value", False) for word in call.keywords):
                required.append(set(names))
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return SimpleNamespace(flags=flags, required=required, words=words)


@pytest.mark.parametrize("command", shown())
def test_commands_that_are_shown_exist_with_their_flags(command: str) -> None:
    where, whole = shown()[command]
    words = shlex.split(command, comments=True)
    words = words[next(i for i, word in enumerate(words) if "=" not in word) :]  # without its environment
    flags = [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]
    if words[0] == "ripieno":
        if words[1].startswith("-"):
            assert words[1] in flags_of(program()), where
            return
        assert words[1] in program().commands, f"{where}: there is no command {words[1]}"
        asked = program().commands[words[1]]
        assert set(flags) <= flags_of(asked), f"{where}: {command}"
        if whole:
            asked.make_context(words[1], words[2:])  # raises what the user would be told
    elif words[0] == "make":
        made = (ROOT / "Makefile").read_text()
        for word in words[1:]:
            name, is_variable, _ = word.partition("=")
            assert re.search(rf"^{name} \?=|^\S*\(?{name}\b" if is_variable else rf"^{name}:", made, re.MULTILINE), (
                where
            )
    elif words[:2] == ["python", "-m"]:
        known = arguments_of(words[2])
        assert set(flags) - {"-m", "--help", "-h"} <= known.flags, f"{where}: {command}"
        if len(words) > 3 and "--help" not in flags:
            assert all(names & set(flags) for names in known.required), f"{where}: {command} lacks a required flag"


def test_flags_that_are_named_alone_exist() -> None:
    known = {"--all-scores"}.union(*(flags_of(command) for command in program().commands.values()))
    for path in (ROOT / "benchmarks").glob("*.py"):
        known |= arguments_of(f"benchmarks.{path.stem}").flags
    for page, path in PAGES.items():
        for span in code_spans(path.read_text()):
            if span.startswith("--"):
                assert span.split()[0].partition("=")[0] in known, f"{page}: {span}"


def test_the_quickest_commands_run() -> None:
    for command in ("ripieno models", "ripieno harmonize --help"):
        assert command in README.read_text()
        result = CliRunner().invoke(app, shlex.split(command)[1:])
        assert result.exit_code == 0, (command, result.output, result.exception)


def test_extras_that_are_named_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for page, path in PAGES.items():
        for name in re.findall(r"ripieno\[(\w+)\]", path.read_text()):
            assert name in extras, f"{page}: ripieno[{name}]"


# Modules and names


def test_files_that_are_named_exist() -> None:
    folders = [ROOT / name for name in ("src", "tests", "benchmarks", "docs", "examples")]
    files = [path.relative_to(ROOT).as_posix() for folder in folders for path in (folder, *folder.rglob("*"))]
    endings = {name[i:] for name in files for i in (0, *(m.end() for m in re.finditer("/", name)))}
    for page, path in PAGES.items():
        if page == "log.md":  # which tells of files that were
            continue
        for span in code_spans(path.read_text()):
            if re.fullmatch(r"[\w./-]+\.(py|js)|(src|tests|benchmarks|docs|examples)(/[\w./-]+)?", span):
                assert span.rstrip("/") in endings, f"{page}: there is no {span}"


def test_the_readme_has_every_folder_of_the_package() -> None:
    table = README.read_text().partition("## Where things are")[2].partition("\n## ")[0]
    named = {span.removeprefix("src/ripieno/").rstrip("/") for span in code_spans(table)}
    folders = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    modules = {path.name for path in SOURCE.glob("*.py")} - {"__init__.py", "__main__.py"}
    assert folders | modules <= named


def test_every_public_name_is_told_of() -> None:
    spans = code_spans((DOCS / "developers.md").read_text())
    told = {name for span in spans for name in re.findall(r"\w+", span)}
    assert set(ripieno.__all__) <= told


@cache
def names_in(room: str) -> frozenset[str]:
    """What a folder of the package, or a module of it, defines."""
    place = SOURCE / room
    paths = list(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    found: set[str] = set()
    for node in (node for path in paths for node in ast.walk(ast.parse(path.read_text()))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return frozenset(found)


def test_words_of_the_glossary_live_where_it_says() -> None:
    for row in re.findall(r"^\| (\*\*.+) \|$", (DOCS / "glossary.md").read_text(), re.MULTILINE):
        word, *_, place = row.split(" | ")
        for pair in place.split("; "):
            room, *names = code_spans(pair)
            assert set(names) <= names_in(room), f"{word}: {pair}"


def test_the_glossary_has_the_words_that_we_use() -> None:
    rows = re.findall(r"^\| \*\*(.+?)\*\* \|", (DOCS / "glossary.md").read_text(), re.MULTILINE)
    assert {word for row in rows for word in row.split(", ")} >= WORDS


# Figures


def figures(text: str) -> list[str]:
    """Numbers with a decimal point."""
    return re.findall(r"(?<![\w.`])\d+\.\d+(?![\w.`]|\d)", text)


@pytest.mark.parametrize("page", ["README.md", "results.md"])
def test_every_figure_that_is_claimed_was_printed(page: str) -> None:
    """A figure of a claim stands in a table or in the log, where its command is; there it may have more digits."""
    printed = figures((DOCS / "tables.md").read_text() + (DOCS / "log.md").read_text())
    text = without_code(PAGES[page].read_text())
    if page == "README.md":
        text = "".join(row.split("|")[3] for row in re.findall(r"^\|.+\|$", text, re.MULTILINE) if row.count("|") == 4)
    for figure in figures(text):
        digits = len(figure.partition(".")[2])
        assert any(f"{float(one):.{digits}f}" == figure for one in printed), f"{page}: {figure}"


def test_tables_have_their_places() -> None:
    text = (DOCS / "tables.md").read_text()
    begun = re.findall(r"<!-- ripieno evaluate: (\w+) -->", text)
    assert sorted(begun) == sorted(re.findall(r"<!-- end of (\w+) -->", text)) == sorted(PARTS_OF_THE_EVALUATION)


def test_the_log_has_an_index_of_all_its_entries() -> None:
    text = (DOCS / "log.md").read_text()
    index, _, entries = text.partition("\n## The network")
    linked = re.findall(r"^\| \[(.+)\]\(#.+?\) \| .+ \|$", index, re.MULTILINE)
    assert linked == re.findall(r"^### (.+)$", entries, re.MULTILINE)
