"""Errors that a user can mend, and how the tools show them: one line, a non-zero exit."""

import functools
import sys
from collections.abc import Callable


class UserError(ValueError):
    """Input that cannot be used; the message names the file, key or layer and what would be right."""


def one_line(main: Callable[..., None]) -> Callable[..., None]:
    """Let ``main`` end with ``error: ...`` on stderr and exit status 2 where it raises a :class:`UserError`."""

    @functools.wraps(main)
    def wrapped(*args, **kwargs) -> None:
        try:
            main(*args, **kwargs)
        except UserError as error:
            sys.stderr.write("error: " + " ".join(str(error).split()) + "\n")
            raise SystemExit(2) from error

    return wrapped
