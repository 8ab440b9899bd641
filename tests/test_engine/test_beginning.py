from pathlib import Path

import pytest
from mmengine.config import Config

from lwdna_mm.engine.beginning import Beginning
from lwdna_mm.errors import UserError


def test_what_others_put_below_the_folder_meanwhile_stays(tmp_path: Path):
    """Its folder may be the one that holds those of other runs."""
    plan, other = tmp_path / "plan.json", tmp_path / "other" / "epoch_1.pth"
    beginning = Beginning(Config(dict(work_dir=str(tmp_path))))
    beginning.made(plan)

    def fail() -> None:
        with beginning:
            other.parent.mkdir()
            for path in (plan, other):
                path.touch()
            raise RuntimeError("no such thing")

    with pytest.raises(UserError, match="no such thing"):
        fail()
    assert [*tmp_path.rglob("*.*")] == [other]
