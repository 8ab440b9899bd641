"""Errors that a user can mend, and how the tools show them: one line, a non-zero exit."""

import functools
import logging
import sys
from collections.abc import Callable
from typing import Any


class UserError(ValueError):
    """Input that cannot be used; the message names the file, key or layer and what would be right."""


class DivergedError(UserError):
    """A loss or a gradient is not finite.

    Attributes:
        summary: of the training up to there, as of one that has ended; None in a search.
    """

    summary: dict[str, Any] | None = None


def one_line(main: Callable[..., None]) -> Callable[..., None]:
    """Let ``main`` end with ``error: ...`` on stderr and exit status 2 where its input cannot be used.

    That is a :class:`UserError`, or a file that the system refuses to read or write. Meanwhile a log that cannot be
    written, as on a full disk, is none of the errors.
    """

    @functools.wraps(main)
    def wrapped(*args, **kwargs) -> None:
        raising, logging.raiseExceptions = logging.raiseExceptions, False
        try:
            main(*args, **kwargs)
        except UserError as error:
            _end(str(error), error)
        except OSError as error:
            if error.filename is None:
                raise
            _end(f"{error.filename}: {error.strerror}", error)
        finally:
            logging.raiseExceptions = raising

    return wrapped


def _end(message: str, error: Exception) -> None:
    sys.stderr.write("error: " + " ".join(message.split()) + "\n")
    raise SystemExit(2) from error
