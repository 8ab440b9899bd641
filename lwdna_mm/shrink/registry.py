"""A registry of classes built from ``dict(type=name, **arguments)``, as in mm configs, without mmengine."""

import inspect
from collections.abc import Mapping
from typing import Any

from lwdna_mm.errors import UserError


class Registry:
    """Classes by name; ``kind`` is what error messages call one of them."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._classes: dict[str, type] = {}

    def register(self, cls: type) -> type:
        """Register a class under its own name; use it as a decorator."""
        self._classes[cls.__name__] = cls
        return cls

    def get(self, name: str) -> type:
        """Look a class up by its name, which may carry the scope ``lwdna_mm.``.

        Raises:
            UserError: there is none; the message lists those there are.
        """
        cls = self._classes.get(str(name).removeprefix("lwdna_mm."))
        if cls is None:
            raise UserError(f"unknown {self.kind} {name!r}: use one of {', '.join(self._classes)}")
        return cls

    def build(self, config: Mapping[str, Any]) -> Any:
        """Build ``dict(type=name, **arguments)``.

        Raises:
            UserError: no type, an unknown type, or an argument that is missing, that the class does not take, or of a
                kind that it cannot use.
        """
        cls = self.class_of(config)
        arguments = {key: value for key, value in config.items() if key != "type"}
        signature = inspect.signature(cls)
        known = list(signature.parameters)
        for key in arguments:
            if key not in known:
                takes = ", ".join(known) if known else "nothing"
                raise UserError(f"unknown key {key!r} of {self.kind} {cls.__name__}: it takes {takes}")
        try:
            signature.bind(**arguments)
        except TypeError as error:
            raise UserError(f"{self.kind} {cls.__name__}: {error}") from error
        try:
            return cls(**arguments)
        except UserError:
            raise
        except (TypeError, ValueError, AttributeError) as error:
            raise UserError(f"{self.kind} {cls.__name__}: {error}") from error

    def complete(self, config: Mapping[str, Any], **defaults: Any) -> dict[str, Any]:
        """The config, with those of the defaults that its class takes and that it leaves out.

        Raises:
            UserError: no type, or an unknown one.
        """
        taken = inspect.signature(self.class_of(config)).parameters
        return {**{key: value for key, value in defaults.items() if key in taken}, **config}

    def class_of(self, config: Mapping[str, Any]) -> type:
        """Look up the class of ``dict(type=name, ...)``.

        Raises:
            UserError: no type, or an unknown one.
        """
        if "type" not in config:
            raise UserError(f"a {self.kind} needs a type: one of {', '.join(self._classes)}")
        return self.get(config["type"])
