"""mmpretrain's data sets without their greeting.

``mmpretrain.datasets`` says ``Could not import OneDL`` by a debug message for which it names no logger, and which
mmengine therefore prints, into whatever is being printed at that moment.
"""

import io
import sys
from contextlib import redirect_stdout
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType


class _QuietLoader(SourceFileLoader):
    """Executes a module whose standard output is of no interest."""

    def exec_module(self, module: ModuleType) -> None:
        with redirect_stdout(io.StringIO()):
            super().exec_module(module)


class _Finder(MetaPathFinder):
    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        if fullname != "mmpretrain.datasets":
            return None
        spec = PathFinder.find_spec(fullname, path)
        if spec is not None:
            spec.loader = _QuietLoader(fullname, spec.origin)
        return spec


def install() -> None:
    """Let ``mmpretrain.datasets`` be imported quietly from now on; nothing is imported here."""
    sys.meta_path.insert(0, _Finder())
