"""The tables of a report, as a test reads them."""

from lwdna_mm.suite.blocks import to_markdown
from lwdna_mm.suite.report import report_blocks


def tell(records, planned=None):
    """The report as Markdown; no picture is drawn."""
    return to_markdown(report_blocks(records, planned))


def cells(markdown, first):
    """The cells of the first row that starts with this one."""
    line = next(line for line in markdown.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]
