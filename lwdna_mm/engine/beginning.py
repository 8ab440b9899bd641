"""The beginning of a run, until its first iteration is done: what goes wrong there is told in one line.

A run that has not begun takes out of its folder what it has put there, and nothing else: others may work below it.
"""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from ..errors import UserError
from .explained import explain


class Beginning(Hook):
    """A context in which a run begins, and the hook of its runners that notices when it has.

    Args:
        cfg: of the run; its folder may be locked between here and the context.
        anew: what lies in the folder is another run's, not to be gone on with.

    Raises:
        UserError: on leaving the context, in place of what was raised while something was built or first used.

    Attributes:
        part: the folder of the run within this one that has begun it, if it was one.
    """

    priority = "HIGHEST"

    def __init__(self, cfg: Config, anew: bool = False) -> None:
        self.cfg, self.anew, self.folder = cfg, anew, Path(cfg.work_dir).absolute()
        self.part: Path | None = None
        self.begun, self.building = False, True
        self._then: list[Callable[[], object]] = []
        self._missing = [place for place in (self.folder, *self.folder.parents) if not place.exists()]
        self._dumped = self.folder / Path(cfg.filename or "config").name
        self._kept = {*self.folder.glob("*"), *self.folder.glob("search/*")}
        self._made = {self._dumped, self.folder / "search"}

    def __enter__(self) -> "Beginning":
        self._text = self._dumped.read_bytes() if self._dumped.is_file() else None
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not isinstance(error, Exception):
            return
        if not self.begun and is_main_process():
            self._undo()
        known = isinstance(error, UserError) or (isinstance(error, OSError) and error.errno is not None)
        if self.building and not known:
            raise UserError(explain(error, self.cfg)) from error

    def made(self, path: Path) -> None:
        """Let a file that the run has written go if it does not begin."""
        self._made.add(path.absolute())

    def then(self, action: Callable[[], object]) -> None:
        """Let the first process do something when the run begins."""
        self._then.append(action)

    def begin(self, part: Path | None = None) -> None:
        """The run begins to change what lies in its folder, by itself or by a run within it in ``part``."""
        if not self.begun:
            self.begun, self.part = True, part
            for action in self._then if is_main_process() else []:
                action()

    def before_train(self, runner: Runner) -> None:
        """Look whether the network can tell as many classes apart as the data has."""
        head = getattr(getattr(runner.model, "module", runner.model), "head", None)
        known, data = getattr(head, "num_classes", None), runner.train_dataloader.dataset
        classes = (getattr(data, "metainfo", None) or {}).get("classes")
        if known is not None and classes is not None and len(classes) > known:
            raise UserError(f"model.head.num_classes is {known}, but the training set has {len(classes)} classes")

    def after_train_iter(self, *args: object, **kwargs: object) -> None:
        """An iteration is done."""
        if self.building:
            self.building = False
            self.begin()

    def after_test_iter(self, *args: object, **kwargs: object) -> None:
        """An iteration is done."""
        self.after_train_iter()

    def _undo(self) -> None:
        """Remove what is new; a config of an earlier run gets its text back."""
        for log in {Path(one.baseFilename).parent for one in _log_files()} - self._kept:
            if log.parent in (self.folder, self.folder / "search"):
                shutil.rmtree(log, ignore_errors=True)
        for path in self._made - self._kept:
            if not path.is_dir():
                path.unlink(missing_ok=True)
            elif not any(path.iterdir()):
                path.rmdir()
        if self._text is not None:
            self._dumped.write_bytes(self._text)
        for place in self._missing:
            if place.is_dir() and not any(place.iterdir()):
                place.rmdir()


def _log_files() -> list[logging.FileHandler]:
    return [one for one in MMLogger.get_current_instance().handlers if isinstance(one, logging.FileHandler)]
