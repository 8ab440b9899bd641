"""Command-line options that several tools share."""

import argparse
import ast
import math
from collections.abc import Callable
from typing import Any

from mmengine.config import DictAction


class ConfigOptions(DictAction):
    """mmengine's ``KEY=VALUE ...``, where a value may also be or hold ``dict(...)`` or ``{...}`` as in Python."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, *_: Any) -> None:
        """Add what is given to the namespace's dict; without its quotes a word is a string."""
        found = dict(getattr(namespace, self.dest, None) or {})
        for given in values:
            key, equals, value = given.partition("=")
            if not key or not equals:
                raise argparse.ArgumentError(self, f"{given} is no KEY=VALUE, such as train_cfg.max_epochs=3")
            try:
                in_python = "dict(" in value or "{" in value
                found[key] = _plain(ast.parse(value, mode="eval").body) if in_python else self._parse_iterable(value)
            except (AssertionError, RecursionError, SyntaxError, ValueError) as error:
                wanted = "a number, a word, a list [A,B] or a dict(...) of them"
                raise argparse.ArgumentError(self, f"{key}={value} cannot be read; give {wanted}") from error
        setattr(namespace, self.dest, found)


def _plain(node: ast.expr) -> Any:
    """The value of an expression of constants, words and containers; ValueError for any other."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.List):
        return [_plain(one) for one in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(_plain(one) for one in node.elts)
    if isinstance(node, ast.Dict):
        return {ast.literal_eval(key): _plain(value) for key, value in zip(node.keys, node.values, strict=True)}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict" and not node.args:
        return {one.arg: _plain(one.value) for one in node.keywords}
    return ast.literal_eval(node)


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """The type of an option: whole numbers from ``least``, up to ``most`` if there is one."""

    def parse(text: str) -> int:
        number = int(text) if text.lstrip("-").isdigit() else least - 1
        if number < least or (most is not None and number > most):
            wanted = f"{least} or more" if most is None else f"from {least} to {most}"
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number {wanted}")
        return number

    return parse


def positive(text: str) -> float:
    """The type of an option: a number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return number


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """``--cfg-options``."""
    parser.add_argument(
        "--cfg-options", nargs="+", action=ConfigOptions, metavar="KEY=VALUE", help="changes to the config"
    )


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """What every tool that starts a runner takes: ``config``, ``--launcher``, ``--cfg-options``."""
    parser.add_argument("config", help="config file")
    parser.add_argument("--launcher", choices=["none", "pytorch", "slurm", "mpi"], default="none")
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0, help="set by torch's old launcher")
    add_config_options(parser)


def add_data_option(parser: argparse.ArgumentParser) -> None:
    """``--check-data``."""
    parser.add_argument("--check-data", action="store_true", help="first read all data once, and name what is broken")


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """What every tool that trains or searches takes besides: ``--seed``, ``--amp``."""
    add_run_options(parser)
    parser.add_argument("--seed", type=whole(0, 2**32 - 1), help="random seed; default 0")
    parser.add_argument("--amp", action="store_true", help="mixed precision: float16, or bfloat16 on the CPU")
