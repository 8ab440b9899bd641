"""Tables as text."""

from typing import Any

Row = dict[str, Any]


def print_table(rows: list[Row]) -> None:
    """Print rows of equal keys with aligned columns."""
    cells = [list(rows[0]), *([f"{v:.5g}" if isinstance(v, float) else str(v) for v in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
