import base64
import re

import pytest

from lwdna_mm.errors import UserError
from lwdna_mm.suite.records import Key
from lwdna_mm.suite.report import write_report

from .made import make, make_arm
from .reading import cells, tell

PARTIAL = {"lone": [make("lwdna")], "no uniform": [make("baseline", 18.0), make("lwdna")]}
PARTIAL["nothing measured"] = [make("uniform", 20.0, train_value=None, widths=None, size=None)]
PARTIAL["only a grid"] = [make("lwdna-tuned", stage="select", point={"optimizer.lr": 0.1})]
PARTIAL["only plans"] = [make(f"landscape-{i:02d}", 20.0 + i) for i in range(3)]
PARTIAL["nothing right"] = [*make_arm("uniform", 0.0, 0.0), *make_arm("lwdna", 0.0, 0.0)]


def test_what_is_missing_is_told(records):
    planned = [record.key for record in records] + [Key("50", "random", 2), Key("50", "torch-pruning", 1)]
    planned += [Key("50", f"landscape-{i:02d}", 0) for i in (6, 7)] + [Key("400", "lwdna-tuned", 0, "select", "1")]
    text = tell(records, planned)
    assert f"{len(records)} of {len(planned)} runs. What is missing is at the end." in text
    missing = text.partition("## Runs that are missing")[2]
    assert cells(missing, "50")[1] == "random 2 of 3; torch-pruning 1 of 2; landscape 6 of 8"
    assert cells(missing, "400")[1] == "lwdna-tuned (grid) 0 of 1"
    assert "| 200 |" not in missing
    text = tell(records, [r.key for r in records])
    assert f"{len(records)} of {len(records)} runs.\n" in text
    assert "Runs that are missing" not in text
    assert text.startswith("# Suite tiny\n")


def test_report_is_one_page_with_pictures_beside_it(records, tmp_path):
    page = write_report(records, tmp_path / "report").read_text()
    pictures = [base64.b64decode(data) for data in re.findall(r'src="data:image/png;base64,([^"]*)"', page)]
    files = {path.name: path.read_bytes() for path in (tmp_path / "report").glob("*.png")}
    assert sorted(pictures) == sorted(files.values())
    names = ["differences", "gap", "landscape", "costs", "widths"]
    assert set(files) == {"gain.png", "metric.png", *(f"50-{n}.png" for n in names)} | {
        f"200-{n}.png" for n in names if n != "landscape"
    }
    assert "src=" in page
    assert not re.search(r"https?://", page)
    assert (tmp_path / "report" / "report.md").read_text() == tell(records)


@pytest.mark.parametrize("name", PARTIAL)
def test_any_part_of_a_suite_can_be_reported(name, tmp_path):
    page = write_report(PARTIAL[name], tmp_path).read_text()
    assert "ahead" not in page.replace("'Ahead'", "").replace("&#x27;Ahead&#x27;", "")
    assert "nan" not in (tmp_path / "report.md").read_text()


def test_nothing_to_report(tmp_path):
    with pytest.raises(UserError, match="no records"):
        write_report([], tmp_path / "report")
    assert not (tmp_path / "report").exists()
