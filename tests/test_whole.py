import errno
import shutil
from pathlib import Path

import pytest

import ripieno
from ripieno.checking import write_proof
from ripieno.errors import BadInput
from ripieno.export import check_target
from ripieno.fixing import write_fixed
from ripieno.whole import check_place, whole_file, whole_path

EXAMPLES = Path(__file__).parent.parent / "examples"


def write_half(path, interruption):
    with whole_file(path) as file:
        file.write(b"half")
        raise interruption


def names_in(folder):
    return sorted(file.name for file in folder.iterdir())


def test_a_whole_file_replaces_the_old_one(tmp_path):
    path = tmp_path / "song.mid"
    path.write_bytes(b"old")
    with whole_file(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert names_in(tmp_path) == ["song.mid"]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ZeroDivisionError])
def test_whatever_goes_wrong_the_old_file_stays_and_nothing_is_left_beside_it(interruption, tmp_path):
    path = tmp_path / "song.mid"
    path.write_bytes(b"old")
    with pytest.raises(interruption):
        write_half(path, interruption())
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["song.mid"]


def test_a_write_protected_file_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "song.mid"
    path.write_bytes(b"old")
    path.chmod(0o444)
    monkeypatch.setattr("os.access", lambda asked, mode: asked != path)  # the superuser may write anywhere
    with pytest.raises(BadInput, match="write-protected"), whole_file(path) as file:
        file.write(b"new")
    with pytest.raises(BadInput, match="write-protected"):
        check_target(path)  # before any work
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["song.mid"]


def test_a_full_disk_is_one_clear_line(tmp_path):
    path = tmp_path / "song.mid"
    with pytest.raises(BadInput, match=r"song\.mid cannot be written: No space left on device"):
        write_half(path, OSError(errno.ENOSPC, "No space left on device"))
    assert names_in(tmp_path) == []


def test_a_read_only_folder_is_one_clear_line(tmp_path, monkeypatch):
    def refuse(*_args, **_options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)  # root, who runs tests in containers, may write anywhere
    with pytest.raises(BadInput, match="Permission denied"), whole_file(tmp_path / "song.mid"):
        pass


def test_a_missing_folder_and_a_folder_s_name_are_one_clear_line(tmp_path):
    with pytest.raises(BadInput, match="there is no folder"), whole_file(tmp_path / "nowhere" / "song.mid"):
        pass
    with pytest.raises(BadInput, match="is a folder"), whole_file(tmp_path):
        pass


def test_a_program_that_wants_a_name_gets_a_hidden_one_that_ends_alike(tmp_path):
    path = tmp_path / "model.onnx"
    with whole_path(path) as beside:
        assert (beside.parent, beside.suffix, beside.name[0]) == (tmp_path, ".onnx", ".")
        beside.write_bytes(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert names_in(tmp_path) == ["model.onnx"]


def test_what_was_not_written_is_told_and_the_old_file_stays(tmp_path):
    path = tmp_path / "song.mid"
    path.write_bytes(b"old")
    with pytest.raises(BadInput, match=r"song\.mid cannot be written: No such file"), whole_path(path):
        pass
    assert path.read_bytes() == b"old"


def test_a_place_is_refused_before_the_work(tmp_path, monkeypatch):
    check_place(tmp_path / "song.mid")
    monkeypatch.setattr("os.access", lambda asked, mode: asked != tmp_path)
    with pytest.raises(BadInput, match=r"the folder .* is read-only"):
        check_place(tmp_path / "song.mid")


def test_no_door_writes_over_the_file_that_a_piece_came_from(tmp_path) -> None:
    own = tmp_path / "own.mid"
    shutil.copy(EXAMPLES / "old-hundredth.mid", own)
    before = own.read_bytes()
    link = tmp_path / "link.mid"
    link.symlink_to(own)
    piece = ripieno.read(own)
    fixed = ripieno.fix(piece, most=0)
    session = ripieno.Session(piece)
    for target in (own, link):
        for write in (
            session.save,
            lambda path: write_fixed(piece, fixed, path),
        ):
            with pytest.raises(BadInput, match="your own file"):
                write(target)
    score = tmp_path / "own.musicxml"
    session.save(score)
    with pytest.raises(BadInput, match="your own file"):
        write_proof(ripieno.check(score, rules_only=True), score, "error")
    assert own.read_bytes() == before
