"""A page of HTML that needs no other file, with its pictures in it."""

import base64
import io
from collections.abc import Iterable
from html import escape

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: 1em 0 } td, th { padding: .3em .8em; border-bottom: 1px solid #ddd }
td { text-align: right; font-variant-numeric: tabular-nums } td:first-child, th:first-child { text-align: left }
.figures { font-size: 13px } .figures td { white-space: nowrap; padding: .3em .6em }
.figures th { padding: .3em .6em }
img { max-width: 100% } figure { display: inline-block; margin: .5em } figcaption, .note { color: #666 }
"""


def format_page(title: str, parts: Iterable[str]) -> str:
    """A whole page; ``parts`` are HTML, the title is text."""
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
    return f"{head}<style>{_STYLE}</style><body>{''.join(parts)}</body></html>\n"


def encode_png(figure: Figure) -> bytes:
    """The figure as a PNG file; it is closed."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    plt.close(figure)
    return file.getvalue()


def format_image(png: bytes, description: str) -> str:
    """An image tag that holds the PNG itself."""
    return f'<img alt="{escape(description)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
