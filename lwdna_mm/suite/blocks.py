"""The parts of a report, as Markdown and as HTML."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

from matplotlib.figure import Figure


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the report's."""

    text: str
    level: int


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Table:
    """A table; its cells are text, and each row has as many as the head."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Picture:
    """A figure and what there is to say of it; Markdown leaves it out.

    Attributes:
        name: of its file, without suffix.
        draw: makes the figure; None where there is nothing to be seen.
    """

    name: str
    draw: Callable[[], Figure | None]
    caption: str


Block = Heading | Text | Table | Picture


def to_markdown(blocks: Iterable[Block]) -> str:
    """The blocks as Markdown, without pictures."""
    parts = []
    for block in blocks:
        if isinstance(block, Heading):
            parts.append(f"{'#' * block.level} {block.text}")
        elif isinstance(block, Text):
            parts.append(block.text)
        elif isinstance(block, Table):
            lines = [block.head, ["---", *["---:"] * (len(block.head) - 1)], *block.rows]
            cells = [[cell.replace("|", "\\|") for cell in line] for line in lines]
            parts.append("\n".join(f"| {' | '.join(line)} |" for line in cells))
    return "\n\n".join(parts) + "\n"


def to_html(blocks: Iterable[Block], show: Callable[[Picture, Figure], str]) -> list[str]:
    """The blocks as HTML; ``show`` makes the image tag of a picture and its figure."""
    parts = []
    for block in blocks:
        if isinstance(block, Heading):
            parts.append(f"<h{block.level}>{escape(block.text)}</h{block.level}>")
        elif isinstance(block, Text):
            parts.append(f"<p>{escape(block.text)}</p>")
        elif isinstance(block, Table):
            rows = ["".join(f"<th>{escape(cell)}</th>" for cell in block.head)]
            rows += ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in block.rows]
            lines = "".join(f"<tr>{row}</tr>" for row in rows)
            parts.append(f'<table class="figures">{lines}</table>')
        elif (figure := block.draw()) is not None:
            tag = show(block, figure)
            parts.append(f"<figure>{tag}<figcaption>{escape(block.caption)}</figcaption></figure>")
    return parts
