import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
from mmengine.registry import DATASETS, HOOKS, LOOPS, METRICS, MODELS, TRANSFORMS, Registry

from lwdna_mm.compat.mmagic import UnsupportedError

# Every mmagic type that a config of this project names.
USED = {
    MODELS: "BaseEditModel EDSRNet MSRResNet DataPreprocessor L1Loss MSELoss",
    DATASETS: "BasicImageDataset",
    TRANSFORMS: "LoadImageFromFile SetValues CopyValues ModCrop PairedRandomCrop Crop Flip RandomTransposeHW "
    "RandomNoise MATLABLikeResize PackInputs",
    METRICS: "PSNR SSIM",
    LOOPS: "MultiValLoop MultiTestLoop",
    HOOKS: "IterTimerHook",
}
CASES = [(registry, name) for registry, names in USED.items() for name in names.split()]


def run_python(code: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("registry", "name"), CASES, ids=[name for _, name in CASES])
def test_every_type_in_use_is_mmagics_own_class(registry: Registry, name: str):
    found = registry.get(f"mmagic.{name}")
    assert found.__module__.startswith("mmagic.")
    assert found.__name__ == name


def test_networks_compute():
    for name in ("EDSRNet", "MSRResNet"):
        cfg = dict(
            type=f"mmagic.{name}",
            in_channels=3,
            out_channels=3,
            mid_channels=4,
            num_blocks=1,
            upscale_factor=2,
        )
        assert MODELS.build(cfg)(torch.rand(1, 3, 5, 6)).shape == (1, 3, 10, 12)


def test_names_resolve_as_if_the_init_files_had_run():
    from mmagic.models import BaseEditModel, EDSRNet, L1Loss
    from mmagic.models.base_models.base_edit_model import BaseEditModel as Direct

    assert BaseEditModel is Direct
    assert EDSRNet.__module__ == "mmagic.models.editors.edsr.edsr_net"
    assert L1Loss.__module__ == "mmagic.models.losses.pixelwise_loss"  # through `from .losses import *`


def test_a_function_wins_over_the_submodule_of_its_name():
    import mmagic.evaluation.metrics.psnr

    assert mmagic.evaluation.metrics.psnr(np.zeros((4, 4, 1)), np.full((4, 4, 1), 255.0)) == 0
    assert "mmagic.evaluation.metrics.psnr" in sys.modules


def test_an_unknown_name_is_an_attribute_error():
    import mmagic.models

    with pytest.raises(AttributeError, match="no attribute 'NoSuchNet'"):
        _ = mmagic.models.NoSuchNet
    with pytest.raises(KeyError, match="NoSuchNet"):
        MODELS.build(dict(type="mmagic.NoSuchNet"))


@pytest.mark.parametrize(("name", "lacking"), [("EDVRNet", "mmcv._ext"), ("ControlStableDiffusion", "diffusers")])
def test_an_unsupported_class_says_what_it_lacks_every_time(name: str, lacking: str):
    for _ in range(2):
        with pytest.raises(UnsupportedError, match=rf"^mmagic\.{name} .* No module named '{lacking}'"):
            MODELS.get(f"mmagic.{name}")


def test_numpy_is_left_as_it_was():
    import mmagic.utils.trans_utils  # noqa: F401

    assert not hasattr(np, "bool8")


def test_importing_the_package_imports_nothing_heavy():
    done = run_python("""
        import lwdna_mm, sys
        print([name for name in ('numpy', 'torch', 'mmengine', 'mmagic') if name in sys.modules])
    """)
    assert done.stdout.strip() == "[]"


def test_a_missing_mmagic_is_one_line_with_the_command():
    # Hide mmagic from the path finder; everything else is found as usual.
    done = run_python("""
        from importlib.machinery import PathFinder
        found = PathFinder.find_spec
        PathFinder.find_spec = lambda name, *rest: None if name == 'mmagic' else found(name, *rest)
        import lwdna_mm
        from mmengine.registry import MODELS
        from lwdna_mm.errors import one_line
        import lwdna_mm.models.restoration, lwdna_mm.datasets.restoration
        print(MODELS.build(dict(type='lwdna_mm.DnCNN', depth=2)).__class__.__name__)
        one_line(MODELS.build)(dict(type='mmagic.BaseEditModel'))
    """)
    assert done.returncode == 2
    assert done.stdout.splitlines()[-1] == "DnCNN"  # some packages greet on import
    assert done.stderr.splitlines()[-1] == ("error: mmagic is not installed: pip install --no-deps mmagic==1.2.0")


@pytest.mark.full
def test_a_spawned_worker_can_unpickle_an_mmagic_dataset(tmp_path):
    import cv2

    cv2.imwrite(str(tmp_path / "a.png"), np.full((8, 8, 3), 7, np.uint8))
    script = tmp_path / "spawn.py"
    script.write_text(
        textwrap.dedent(f"""
        import lwdna_mm
        from mmengine.registry import DATASETS, init_default_scope
        from torch.utils.data import DataLoader

        if __name__ == '__main__':
            init_default_scope('mmagic')
            load = dict(type='LoadImageFromFile', key='gt')
            folder = dict(data_root={str(tmp_path)!r}, data_prefix=dict(gt=''))
            data = DATASETS.build(dict(type='BasicImageDataset', pipeline=[load], **folder))
            loader = DataLoader(data, num_workers=1, multiprocessing_context='spawn')
            print([int(batch['gt'].sum()) for batch in loader])
        """)
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == f"[{8 * 8 * 3 * 7}]", done.stderr[-2000:]
