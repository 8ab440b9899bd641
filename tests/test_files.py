import errno
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from lwdna_mm import files
from lwdna_mm.errors import UserError, one_line
from lwdna_mm.files import locked, refuse_linked_folders, remove_orphans, write_atomically


def test_one_at_a_time_in_a_folder(tmp_path):
    with locked(tmp_path), pytest.raises(UserError, match="another process works there"), locked(tmp_path):
        pass
    with locked(tmp_path), locked(tmp_path, name="other"):
        pass


def test_waiting_for_the_other_one(tmp_path):
    inside = threading.Event()

    def work() -> None:
        with locked(tmp_path, wait=True):
            inside.set()

    thread = threading.Thread(target=work)
    with locked(tmp_path):
        thread.start()
        assert not inside.wait(0.2)
    thread.join(20)
    assert inside.is_set()


def test_the_lock_dies_with_its_process_though_a_worker_lives_on(tmp_path):
    program = f"""
import os, sys, time
sys.path.insert(0, {str(os.getcwd())!r})
from pathlib import Path
from lwdna_mm.files import locked
with locked(Path({str(tmp_path)!r})):
    worker = os.fork()
    if worker:
        print(worker, flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    worker = int(process.stdout.readline())
    try:
        with pytest.raises(UserError), locked(tmp_path):
            pass
        time.sleep(0.1)
        process.kill()
        process.wait()
        with locked(tmp_path):
            os.kill(worker, 0)  # it is there yet
    finally:
        os.kill(worker, signal.SIGKILL)


def test_a_file_system_without_locks(tmp_path, monkeypatch):
    def refuse(*args):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(files.fcntl, "flock", refuse)
    with locked(tmp_path):
        pass


def test_no_link_is_followed(tmp_path):
    (tmp_path / "secret").write_text("kept")
    for name in ("lock", "plan.json", f".plan.json.{os.getpid()}.tmp"):
        (tmp_path / name).symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="lock"), locked(tmp_path):
        pass
    write_atomically(b"new", tmp_path / "plan.json")
    assert (tmp_path / "plan.json").read_bytes() == b"new"
    assert not (tmp_path / "plan.json").is_symlink()
    assert (tmp_path / "secret").read_text() == "kept"


def test_a_lock_that_does_not_stay_is_waited_for_and_made_anew(tmp_path):
    order = []

    def work(number: int) -> None:
        with locked(tmp_path, wait=True, stays=False):
            order.append(number)
            time.sleep(0.01)
            order.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert order[::2] == order[1::2]  # nobody came between
    assert sorted(order[::2]) == list(range(8))
    assert not [*tmp_path.iterdir()]


def test_links_to_folders_are_refused_by_name(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run" / "visuals").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "run")
    refuse_linked_folders(tmp_path / "link")
    refuse_linked_folders(tmp_path / "none")
    (tmp_path / "run" / "visuals" / "one").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(
        UserError, match=r"visuals/one is a link to a folder, which would be written to: remove the link"
    ):
        refuse_linked_folders(tmp_path / "run")


def test_orphans_go_and_nothing_else(tmp_path):
    kept = [".plan.json.tmp", ".tmp", "plan.json.7.tmp", ".note.x.tmp", "plan.json"]
    for name in [*kept, ".plan.json.7.tmp", ".epoch_1.pth.123456.tmp"]:
        (tmp_path / name).touch()
    (tmp_path / ".folder.7.tmp").mkdir()
    remove_orphans(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*kept, ".folder.7.tmp"}


def test_a_full_disk_costs_neither_the_old_file_nor_a_traceback(tmp_path, monkeypatch, capsys):
    write_atomically(b"old", tmp_path / "file")

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")  # as a write does it: without the file's name

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(SystemExit) as ended:
        one_line(write_atomically)(b"new", tmp_path / "file")
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"error: {tmp_path / 'file'}: No space left on device\n"
    assert (tmp_path / "file").read_bytes() == b"old"
    assert len([*tmp_path.iterdir()]) == 1
