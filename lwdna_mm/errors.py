"""Errors that a user can mend, and how the tools show them: one line, a non-zero exit."""

import argparse
import functools
import logging
import re
import sys
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, NoReturn


class UserError(ValueError):
    """Input that cannot be used; the message names the file, key or layer and what would be right."""


class DivergedError(UserError):
    """A loss or a gradient is not finite.

    Attributes:
        summary: of the training up to there, as of one that has ended; None in a search.
    """

    summary: dict[str, Any] | None = None


class Parser(argparse.ArgumentParser):
    """argparse's parser, whose complaints are a :class:`UserError`, without the usage before them."""

    def error(self, message: str) -> NoReturn:
        """End the parsing."""
        unknown = re.match(r"unrecognized arguments: (-\S+)", message)
        options = [name for action in self._actions for name in action.option_strings]
        close = get_close_matches(unknown[1], options, n=1) if unknown else []
        meant = f", did you mean {close[0]}?" if close else f"; see {self.prog} --help"
        raise UserError(message.removeprefix("argument ") + meant)


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
            _end(_own_words(error), error)
        except OSError as error:
            if error.filename is None:
                raise
            _end(f"{error.filename}: {error.strerror}", error)
        finally:
            logging.raiseExceptions = raising

    return wrapped


def _own_words(error: UserError) -> str:
    """The message; what comes out of a data loader's worker has it at the end of a traceback in words."""
    text = str(error)
    raised = [*re.finditer(r"^(\w+\.)*\w*Error: ", text, re.MULTILINE)]
    return text[raised[-1].end() :] if text.startswith("Caught ") and raised else text


def _end(message: str, error: Exception) -> None:
    sys.stderr.write("error: " + " ".join(message.split()) + "\n")
    raise SystemExit(2) from error
