import cv2
import numpy as np
import pytest
import torch

from lwdna_mm import engine
from lwdna_mm.apis.restore import load_restorer
from tests.restoration_runs import CONFIGS, DENOISING, SR, pictures, tiny_config, write_images
from tools import restore


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory) -> dict:
    """One checkpoint of each task: an LW-DNA enlarger and a plain denoiser."""
    folder = tmp_path_factory.mktemp("trained")
    images = write_images(folder / "images")
    found = {}
    for task, lwdna in ((SR, True), (DENOISING, False)):
        engine.run(tiny_config(task, images, folder / str(lwdna), lwdna, train_cfg__max_iters=1))
        found[task] = str(folder / str(lwdna) / "iter_1.pth")
    return found


def command(task: str, checkpoint: str, source: object, out: object) -> list[str]:
    config = str(CONFIGS / task.format("_lwdna" if task == SR else ""))
    return [config, checkpoint, str(source), "--out", str(out), "--cfg-options", "model.generator.mid_channels=8"]


def test_a_folder_is_done_but_for_its_bad_files(checkpoints, tmp_path, capsys):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    image = pictures()["chelsea"]
    cv2.imwrite(str(source / "colour.png"), image)
    cv2.imwrite(str(source / "grey.jpg"), image[..., 0])
    cv2.imwrite(str(source / "deep.png"), image.astype(np.uint16) * 256)
    (source / "broken.png").write_bytes(b"no image")
    (source / "empty.png").touch()
    (source / "notes.txt").write_text("not listed")
    with pytest.raises(SystemExit) as ended:
        restore.main(command(SR, checkpoints[SR], source, out))
    assert ended.value.code == 1
    assert sorted(path.name for path in out.iterdir()) == ["colour.png", "grey.png"]
    height, width = image.shape[:2]
    assert cv2.imread(str(out / "colour.png"), cv2.IMREAD_UNCHANGED).shape == (2 * height, 2 * width, 3)
    assert cv2.imread(str(out / "grey.png"), cv2.IMREAD_UNCHANGED).shape == (2 * height, 2 * width)
    printed = capsys.readouterr()
    assert "broken.png: no image that can be decoded" in printed.err
    assert "empty.png: the file is empty" in printed.err
    assert "deep.png: 16 bits a channel, the networks take 8" in printed.err
    assert "3 of 5 images could not be restored" in printed.err


def test_tiled_results_are_the_networks_own(checkpoints, tmp_path):
    """The file equals what the network gives for the whole image, in the order of its training, RGB."""
    image = pictures()["astronaut"]
    cv2.imwrite(str(tmp_path / "a.png"), image)
    arguments = command(SR, checkpoints[SR], tmp_path / "a.png", tmp_path / "out")
    restore.main([*arguments[:5], "--tile", "48", "--overlap", "32", *arguments[5:]])
    cfg = engine.load_config(arguments[0], {"model.generator.mid_channels": 8})
    model = load_restorer(cfg, checkpoints[SR])
    assert not model.training
    rgb = torch.from_numpy(image[..., ::-1].copy()).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        whole = (model(rgb, mode="tensor") * 255).clamp(0, 255).round()[0].permute(1, 2, 0).numpy()[..., ::-1]
    written = cv2.imread(str(tmp_path / "out" / "a.png")).astype(int)
    assert np.abs(written - whole).max() <= 1
    assert np.mean(written != whole) < 1e-3
