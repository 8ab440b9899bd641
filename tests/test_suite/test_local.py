"""How the processes of a suite end, with stand-ins for the worker."""

import json
import signal
import sys

import pytest

from lwdna_mm.errors import UserError
from lwdna_mm.suite import local
from lwdna_mm.suite.config import load_suite
from lwdna_mm.suite.matrix import expand, resolve
from tests.suite_runs import pretend, write_suite

PYTHON = sys.executable


@pytest.fixture
def order(tmp_path):
    suite = load_suite(write_suite(tmp_path))
    return resolve(suite, expand(suite)[0], {})


def run(order, tmp_path, monkeypatch, code: str, threads: int = 1):
    """Do the order by a worker that is one line of Python."""
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nexec {PYTHON} -c '{code}'\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    return local.run_process(order, tmp_path / "run", None, threads)


def test_what_has_ended_a_process_is_told(order, tmp_path, monkeypatch):
    said = 'import sys; print(1); sys.exit("error: no budget")'
    with pytest.raises(UserError, match=r"^no budget \(see .*suite.log\)"):
        run(order, tmp_path, monkeypatch, said)
    with pytest.raises(UserError, match=r"^exit status 3"):  # and not what an earlier one has said
        run(order, tmp_path, monkeypatch, "import sys; sys.exit(3)")
    with pytest.raises(UserError, match=r"^killed by SIGKILL; is the memory enough"):
        run(order, tmp_path, monkeypatch, f"import os; print(1); os.kill(os.getpid(), {signal.SIGKILL:d})")
    with pytest.raises(UserError, match=r"^killed by SIGSEGV"):
        run(order, tmp_path, monkeypatch, f"import os; os.kill(os.getpid(), {signal.SIGSEGV:d})")


def test_a_finished_run_is_not_repeated(order, tmp_path, monkeypatch):
    record, path = pretend(order), tmp_path / "run" / "record.json"
    path.parent.mkdir()
    path.write_text(json.dumps(record.to_dict()))
    assert run(order, tmp_path, monkeypatch, "never called") == record
    path.write_text("{}")
    with pytest.raises(UserError, match=r"record.json: the record.s .* is missing; delete it to do the run again"):
        run(order, tmp_path, monkeypatch, "never called")
    path.write_text("{")
    with pytest.raises(UserError, match=r"record.json: Expecting .*; delete it"):
        run(order, tmp_path, monkeypatch, "never called")


def test_the_threads_are_pinned(order, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    code = 'import os, sys; sys.exit(os.environ["OMP_NUM_THREADS"] + os.environ["MKL_NUM_THREADS"])'
    with pytest.raises(UserError, match=r"^33 "):
        run(order, tmp_path, monkeypatch, code, threads=3)
