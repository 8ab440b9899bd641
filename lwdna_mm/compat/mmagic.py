"""Real mmagic 1.2.0 classes on a stack that is newer than mmagic.

``import mmagic`` fails twice here: its ``__init__`` asserts mmcv < 2.2, and ``mmagic.models`` imports every
editor, among them those that need diffusers or mmcv's compiled operators. Its classes are fine. So no
``__init__.py`` of mmagic is executed: a name that it would re-export is resolved when somebody asks for it, and
a registry imports the file that defines a type when that type is asked for. The classes are mmagic's own.

:func:`install` only adds an import hook: it costs nothing until mmagic is used, and imports nothing.
"""

import ast
import re
import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType

from lwdna_mm.errors import UserError

INSTALL = "pip install --no-deps mmagic==1.2.0"

# A registration and the class or function under it, over any further decorators in between.
_REGISTRATION = re.compile(
    r"^@(\w+)\.register_module\((?:name=)?(?:'([^']+)')?\)[^\n]*(?=(?:\n@[^\n]*)*\n(?:class|def) (\w+))", re.M
)


class UnsupportedError(UserError):
    """An mmagic class needs something that this stack lacks."""


class _LazyPackage(ModuleType):
    """A package whose ``__init__.py`` is read for its relative imports, not executed."""

    def __getattr__(self, name: str) -> object:
        if name in self._exports:
            module, attribute = self._exports[name]
            value = getattr(import_module(module), attribute) if attribute else import_module(module)
            self.__dict__[name] = value
            return value
        if not name.startswith("_"):
            for module in map(import_module, self._stars):
                if hasattr(module, name):
                    return getattr(module, name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __setattr__(self, name: str, value: object) -> None:
        # The import system binds each submodule to its package, but `psnr`, `ssim`... must stay the
        # functions.
        if not (isinstance(value, ModuleType) and self._exports.get(name, ("", ""))[1]):
            super().__setattr__(name, value)


class _PackageLoader(Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        package = _LazyPackage(spec.name)
        package.__dict__.update(_exports={}, _stars=[])
        for node in ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.level == 1:
                module = ".".join(filter(None, [spec.name, node.module]))
                for alias in node.names:
                    if alias.name == "*":
                        package._stars.append(module)
                    elif node.module:
                        package._exports[alias.asname or alias.name] = (module, alias.name)
                    else:
                        package._exports[alias.asname or alias.name] = (f"{module}.{alias.name}", "")
        return package

    def exec_module(self, module: ModuleType) -> None:
        pass


class _LazyTypes(dict):
    """A registry's name-to-class table that imports the file defining a name when the name is looked up."""

    def __init__(self, registered: dict, files: dict[str, str]) -> None:
        super().__init__(registered)
        self._files = files

    def __contains__(self, name: str) -> bool:
        # Off the list before the import, which itself asks whether the name is taken.
        module = None if super().__contains__(name) else self._files.pop(name, None)
        if module:
            try:
                import_module(module)
            except ImportError as error:
                self._files[name] = module
                raise UnsupportedError(
                    f"mmagic.{name} ({module}) cannot be used with the installed packages: {error}"
                ) from error
        return super().__contains__(name)


class _RegistryLoader(SourceFileLoader):
    """Loads ``mmagic.registry`` and tells its registries which file defines which type."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        root = Path(self.path).parent
        files: dict[str, dict[str, str]] = {}
        for path in sorted(root.rglob("*.py")):
            dotted = ".".join(["mmagic", *path.relative_to(root).with_suffix("").parts])
            for registry, name, defined in _REGISTRATION.findall(path.read_text(encoding="utf-8")):
                files.setdefault(registry, {})[name or defined] = dotted
        for name, types in files.items():
            registry = getattr(module, name)
            registry._module_dict = _LazyTypes(registry._module_dict, types)


class _Bool8Loader(SourceFileLoader):
    """Loads ``mmagic.utils.trans_utils``, which needs the removed ``np.bool8`` during its import only."""

    def exec_module(self, module: ModuleType) -> None:
        import numpy as np  # noqa: PLC0415  importing the package imports nothing heavy

        if hasattr(np, "bool8"):
            return super().exec_module(module)
        np.bool8 = np.bool_
        try:
            super().exec_module(module)
        finally:
            del np.bool8


_MODULE_LOADERS = {"mmagic.registry": _RegistryLoader, "mmagic.utils.trans_utils": _Bool8Loader}


class _Finder(MetaPathFinder):
    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        if fullname.partition(".")[0] != "mmagic":
            return None
        spec = PathFinder.find_spec(fullname, path)
        if spec is None and fullname == "mmagic":
            # Not an ImportError: mmengine's registries swallow those, and the user would read a KeyError
            # instead.
            raise UserError(f"mmagic is not installed: {INSTALL}")
        if spec is not None and spec.submodule_search_locations is not None:
            spec.loader = _PackageLoader()
        elif fullname in _MODULE_LOADERS:
            spec.loader = _MODULE_LOADERS[fullname](fullname, spec.origin)
        return spec


def install() -> None:
    """Let mmagic be imported lazily from now on; a second call does nothing.

    Afterwards ``from mmagic.models.editors import EDSRNet``, ``type='mmagic.EDSRNet'`` and
    ``default_scope='mmagic'`` work. A type that needs a missing package raises :class:`UnsupportedError` when
    it is asked for, and any use of mmagic raises :class:`~lwdna_mm.errors.UserError` with the pip command if
    mmagic itself is missing.
    """
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def is_installed() -> bool:
    """Whether mmagic can be found, without importing it."""
    return PathFinder.find_spec("mmagic") is not None
