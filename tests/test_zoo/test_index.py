import pytest

from lwdna_mm.errors import UserError
from lwdna_mm.zoo.index import find_entry, iterate_entries, read_yaml


@pytest.mark.parametrize("name", ["", "..", "../resnet", "a/b", "/etc/passwd", "a\\b", ".hidden", "a%2fb", "a\nb"])
def test_names_that_lead_elsewhere_are_refused(name: str):
    with pytest.raises(UserError, match="is no name of an entry"):
        find_entry(name)


def test_near_names_are_told():
    name = next(iterate_entries()).name
    with pytest.raises(UserError, match=f"the zoo has no '{name}x'; did you mean '{name}'"):
        find_entry(f"{name}x")
    with pytest.raises(UserError, match="the zoo has no 'qqqqqqqq'; see --list"):
        find_entry("qqqqqqqq")


def test_broken_files_are_one_line(tmp_path):
    with pytest.raises(UserError, match="no such file; is the package installed whole"):
        read_yaml(tmp_path / "model-index.yml")
    (tmp_path / "bad.yml").write_text("a: [\n")
    with pytest.raises(UserError, match=r"bad\.yml: "):
        read_yaml(tmp_path / "bad.yml")
