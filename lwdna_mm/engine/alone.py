"""One run at a time in a work_dir, which is tidied up before it begins."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mmengine.dist import broadcast_object_list, is_main_process

from ..errors import UserError
from ..files import locked, naming_path, refuse_linked_folders, remove_orphans

LOCK = "run.lock"


@contextmanager
def alone_in(work_dir: Path) -> Iterator[None]:
    """Keep a work_dir to this run, for which its first process answers; what killed runs left half-written goes.

    Raises:
        UserError: another process runs there, or a link leads out of it.
        OSError: nothing can be written there; it names the file, as those do that come up inside.
    """
    refused: list[Exception | None] = [None]
    with ExitStack() as stack:
        if is_main_process():
            try:
                refuse_linked_folders(work_dir)
                stack.enter_context(locked(work_dir, name=LOCK))
                for folder in (work_dir, work_dir / "search", *work_dir.glob("visuals/*")):
                    remove_orphans(folder)
            except (UserError, OSError) as error:
                refused = [error]
        broadcast_object_list(refused)
        if refused[0] is not None:
            raise refused[0] if is_main_process() else SystemExit(2)
        stack.enter_context(naming_path(work_dir))
        yield
