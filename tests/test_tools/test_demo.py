import importlib.util
import re

from tests.digits_runs import CONFIGS


def test_demo_ends_with_a_table_and_a_page(tmp_path, capsys):
    spec = importlib.util.spec_from_file_location("demo", CONFIGS.parents[1] / "tools" / "demo.py")
    demo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(demo)
    demo.main(["--seeds", "1", "--epochs", "1", "--work-dir", str(tmp_path)])
    printed, complaints = capsys.readouterr()
    assert complaints == ""
    progress = printed.split("\n\n")[0].splitlines()
    pattern = r"(\w+), seed 0 \.\.\. accuracy/top1 \d+\.\d\d \(\d+ s\)"
    assert [re.fullmatch(pattern, line)[1] for line in progress] == ["baseline", "lwdna", "random", "uniform"]
    lines = printed.split("\n\n")[1].splitlines()
    table = [line for line in lines if line.startswith(("baseline ", "LW-DNA", "random", "uniform"))]
    assert len(table) == 4
    assert f"report: {tmp_path}/report/report.html" in printed
    page = (tmp_path / "report" / "report.html").read_text()
    assert all(label in page for label in ("baseline", "LW-DNA", "random control", "uniform control"))
