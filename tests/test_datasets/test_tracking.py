import shutil

import cv2
import numpy as np
import pytest
import torch
from got10k.datasets import OTB, GOT10k
from got10k.utils.metrics import rect_iou
from mmengine.dataset import DefaultSampler
from torch.utils.data import DataLoader

from lwdna_mm.datasets.tracking import GOT10kFolder, OTBFolder, TrackingSequences, open_tracks
from lwdna_mm.datasets.tracking_crops import centered, context_size, cornered, crop
from lwdna_mm.datasets.tracking_pairs import PairSampler, TrackingPairs
from lwdna_mm.errors import UserError
from tests.tracking_data import make_got10k, make_otb


@pytest.fixture
def otb(tmp_path):
    make_otb(tmp_path / "otb", "Crossing")
    make_otb(tmp_path / "otb", "MyOwn", 6)
    return tmp_path / "otb"


def test_otb_benchmark_takes_what_is_there_and_agrees_with_got10k(otb, capsys):
    folder = OTBFolder(otb, 2015)
    assert folder.seq_names == ["Crossing"]
    assert "not exists" not in capsys.readouterr().out
    (track,) = open_tracks(otb, "otb", version=2015)
    frames, boxes = OTB(str(otb), 2015, download=False)["Crossing"]
    assert list(track.frames) == frames
    np.testing.assert_array_equal(track.boxes, boxes)


def test_any_folder_of_sequences_and_any_choice_of_them(otb):
    assert [track.name for track in open_tracks(otb, "otb")] == ["Crossing", "MyOwn"]
    assert [track.name for track in open_tracks(otb, "otb", ["MyOwn"])] == ["MyOwn"]


def test_david_may_be_whole_or_cut_to_its_annotated_frames(tmp_path):
    """Its boxes are those of frames 300 to 770 of 770."""
    folder = make_otb(tmp_path / "cut", "David", 3, start=300)
    (cut,) = open_tracks(tmp_path / "cut", "otb")
    assert [frame[-8:] for frame in cut.frames] == ["0300.jpg", "0301.jpg", "0302.jpg"]
    assert cut.boxes.shape == (3, 4)
    whole = tmp_path / "whole" / "David"
    (whole / "img").mkdir(parents=True)
    for number in range(1, 771):
        (whole / "img" / f"{number:04d}.jpg").hardlink_to(folder / "img" / "0300.jpg")
    (whole / "groundtruth_rect.txt").write_text("1,2,3,4\n" * 471)
    (track,) = open_tracks(tmp_path / "whole", "otb")
    assert (track.frames[0][-8:], track.frames[-1][-8:]) == ("0300.jpg", "0770.jpg")
    (whole / "groundtruth_rect.txt").write_text("1,2,3,4\n" * 470)
    with pytest.raises(UserError, match=r"David: 770 frames .* but 470 boxes"):
        open_tracks(tmp_path / "whole", "otb")


def test_sequence_with_two_targets_and_tabs(otb):
    boxes = (otb / "MyOwn" / "groundtruth_rect.txt").read_text()
    (otb / "MyOwn" / "groundtruth_rect.txt").unlink()
    for number in (1, 2):
        (otb / "MyOwn" / f"groundtruth_rect.{number}.txt").write_text(boxes.replace(",", "\t"))
    tracks = open_tracks(otb, "otb", ["MyOwn.1", "MyOwn.2"])
    assert [track.boxes.shape for track in tracks] == [(6, 4), (6, 4)]


def test_an_empty_file_beside_the_boxes_is_left_out(otb):
    """As in Human4 of the benchmark."""
    (otb / "MyOwn" / "groundtruth_rect.txt").rename(otb / "MyOwn" / "groundtruth_rect.2.txt")
    (otb / "MyOwn" / "groundtruth_rect.1.txt").touch()
    assert [track.name for track in open_tracks(otb, "otb")] == ["Crossing", "MyOwn"]


def test_withheld_truth_is_no_training_or_validation_set(tmp_path):
    (make_got10k(tmp_path, "test", ("a",)) / "a" / "absence.label").unlink()
    assert open_tracks(tmp_path, "got10k", subset="test")[0].boxes.shape == (1, 4)
    for dataset in (TrackingPairs, TrackingSequences):
        with pytest.raises(UserError, match="sequence a: 1 of 8 frames have a box, so its truth is not known"):
            dataset(str(tmp_path), "got10k", subset="test")


def test_got10k_agrees_with_got10k_and_absent_frames_are_not_visible(tmp_path):
    folder = make_got10k(tmp_path, "train", ("a", "b"))
    np.savetxt(folder / "b" / "absence.label", [0, 1, 0, 0, 0, 0, 0, 0], fmt="%d")
    with_list, bare = open_tracks(tmp_path, "got10k", subset="train"), open_tracks(folder, "got10k")
    frames, boxes = GOT10k(str(tmp_path), "train")["b"]
    for tracks in (with_list, bare):
        assert [track.name for track in tracks] == ["a", "b"]
        assert list(tracks[1].frames) == frames
        np.testing.assert_array_equal(tracks[1].boxes, boxes)
        assert tracks[1].visible.tolist() == [True, False] + [True] * 6


def test_partial_got10k(tmp_path):
    folder = make_got10k(tmp_path, names=("a", "b"))
    shutil.rmtree(folder / "a")
    assert GOT10kFolder(tmp_path, "val").seq_names == ["b"]


def _rename(folder, pattern):
    """Number frames without leading zeros."""
    for frame in (folder / "img").iterdir():
        frame.rename(frame.with_stem(pattern.format(int(frame.stem))))


def _edit(file, line, text):
    lines = file.read_text().splitlines()
    lines[line] = text
    file.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda s: (s / "img" / "0005.jpg").unlink(), "Crossing: frame 0005.jpg is missing"),
        (lambda s: (s / "img" / "0012.jpg").unlink(), "Crossing: 11 frames .* but 12 boxes"),
        (lambda s: _edit(s / "groundtruth_rect.txt", -1, ""), "Crossing: 12 frames .* but 11 boxes"),
        (lambda s: _edit(s / "groundtruth_rect.txt", 2, "nan,1,2,3"), "Crossing: line 3 .* not finite"),
        (lambda s: _edit(s / "groundtruth_rect.txt", 0, "1;2;3;4"), "Crossing: line 1 .* separated by commas, tabs"),
        (lambda s: _edit(s / "groundtruth_rect.txt", 1, "1,2,3"), "Crossing: line 2 .* has 3 numbers"),
        (lambda s: shutil.rmtree(s / "img"), "Crossing: no frame"),
        (lambda s: _rename(s, "{}"), "img: 12 comes before 2 by name: number the frames with leading zeros"),
        (lambda s: _rename(s, "img{}"), "img: img12 comes before img2 by name: number the frames"),
        (lambda s: [(s / "img" / f"{n:04d}.jpg").unlink() for n in range(2, 13)], "Crossing: a single frame in"),
    ],
)
def test_broken_otb_sequence_is_named_in_one_line(tmp_path, damage, message):
    damage(make_otb(tmp_path))
    with pytest.raises(UserError, match=message) as caught:
        open_tracks(tmp_path, "otb")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda s: (s / "00000003.jpg").unlink(), "Val_000001: frame 00000003.jpg is missing"),
        (lambda s: _edit(s / "groundtruth.txt", -1, ""), "Val_000001: 8 frames .* but 7 boxes"),
        (lambda s: _edit(s / "groundtruth.txt", 3, "1 2 3 4"), "Val_000001: line 4 .* separated by commas$"),
        (lambda s: _edit(s / "groundtruth.txt", 3, "1,2,inf,4"), "Val_000001: line 4 .* not finite"),
        (lambda s: (s / "groundtruth.txt").unlink(), "Val_000001: .*groundtruth.txt is missing"),
    ],
)
def test_broken_got10k_sequence_is_named_in_one_line(tmp_path, damage, message):
    damage(make_got10k(tmp_path) / "GOT-10k_Val_000001")
    with pytest.raises(UserError, match=message):
        open_tracks(tmp_path, "got10k", subset="val")


def test_wrong_roots_and_names(otb, tmp_path):
    (tmp_path / "empty").mkdir()
    for call, message in [
        (lambda: OTBFolder(tmp_path / "nowhere", 2015), "nowhere: no such folder"),
        (lambda: OTBFolder(tmp_path / "empty", 2015), "no sequence of OTB 2015 found"),
        (lambda: OTBFolder(otb, 1999), "OTB version 1999 is unknown"),
        (lambda: OTBFolder(otb, 2015, ["Matrix"]), "no sequence Matrix; there are Crossing"),
        (lambda: GOT10kFolder(otb, "val"), "list.txt is missing"),
        (lambda: GOT10kFolder(otb), "no GOT-10k sequence found"),
        (lambda: open_tracks(otb, "vot"), "format 'vot' is unknown"),
    ]:
        with pytest.raises(UserError, match=message):
            call()


def test_boxes_convert_both_ways():
    # A box of 3 x 5 pixels whose first pixel is the image's first covers pixels 0-2 and 0-4.
    np.testing.assert_allclose(centered([1, 1, 3, 5]), [1, 2, 3, 5])
    boxes = np.random.default_rng(0).uniform(1, 50, (7, 4))
    np.testing.assert_allclose(cornered(centered(boxes)), boxes)


def test_crop_without_resampling_is_a_slice_padded_with_the_mean():
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    np.testing.assert_array_equal(crop(image, np.array([12, 9]), 7, 7), image[6:13, 9:16])
    beyond = crop(image, np.array([0, 0]), 5, 5)
    np.testing.assert_array_equal(beyond[2:, 2:], image[:3, :3])
    np.testing.assert_array_equal(beyond[0, 0], np.round(image.mean(axis=(0, 1))))


def test_context_size_of_a_square():
    assert context_size(np.array([40.0, 40.0])) == pytest.approx(80)


def test_pair_shows_the_target_where_its_box_says(tmp_path):
    """The target, painted red, must fill its box in the search image, whatever changes are drawn."""
    folder = make_otb(tmp_path)
    for file, box in zip(
        sorted((folder / "img").iterdir()),
        np.loadtxt(folder / "groundtruth_rect.txt", delimiter=",").astype(int),
        strict=True,
    ):
        image = np.zeros((160, 200, 3), np.uint8)
        left, top, width, height = box - [1, 1, 0, 0]
        image[top : top + height, left : left + width, 2] = 255
        cv2.imwrite(str(file), image)
    pairs = TrackingPairs(
        str(tmp_path), "otb", max_shift=40, max_stretch=0.2, max_squeeze=0.8, flip=0.5, pairs_per_sequence=8
    )
    for index in range(8):
        sample = pairs[index]
        assert sample["exemplar"].shape == (3, 127, 127)
        assert sample["search"].shape == (3, 255, 255)
        rows, columns = np.nonzero(sample["search"][0].numpy() > 127)
        found = np.array([[columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]], float)
        cx, cy, w, h = sample["boxes"].numpy()
        wanted = np.array([[cx - (w - 1) / 2, cy - (h - 1) / 2, w, h]])
        assert rect_iou(found, wanted)[0] > 0.95
        rows, columns = np.nonzero(sample["exemplar"][0].numpy() > 127)
        assert abs(rows.mean() - 63) < 1
        assert abs(columns.mean() - 63) < 1


def test_a_sample_depends_on_its_key_alone(otb):
    first, second = (TrackingPairs(str(otb), "otb", pairs_per_sequence=4) for _ in range(2))
    key = (3, 5, 2)
    first[0], first[1]
    for name, value in first[key].items():
        assert torch.equal(value, second[key][name])
    for other in ((4, 5, 2), (3, 6, 2), (3, 5, 4)):
        assert not torch.equal(first[key]["search"], first[other]["search"])


def test_workers_do_not_change_what_is_drawn(otb):
    pairs = TrackingPairs(str(otb), "otb", pairs_per_sequence=4, recolour=0.5, flip=0.5)
    batches = [
        list(DataLoader(pairs, batch_size=4, sampler=PairSampler(pairs, seed=1), num_workers=workers))
        for workers in (0, 2)
    ]
    for one, other in zip(*batches, strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_flip_and_recolour_treat_both_images_alike(otb):
    """The sums over a mirrored image stay; an affine colour map maps both images' colours by one matrix."""

    def plain_and(**kwargs):
        return [TrackingPairs(str(otb), "otb", **options)[0] for options in ({}, kwargs)]

    plain, flipped = plain_and(flip=1)
    for name in ("exemplar", "search"):
        assert torch.equal(flipped[name], plain[name].flip(-1))
    plain, coloured = plain_and(recolour=0.1)
    colours = {}
    for name in ("exemplar", "search"):
        x = torch.cat([plain[name].double().flatten(1), torch.ones(1, plain[name][0].numel())])
        y = coloured[name].double().flatten(1)
        inside = ((y > 0) & (y < 255)).all(dim=0)
        colours[name] = torch.linalg.lstsq(x[:, inside].T, y[:, inside].T).solution.T
    torch.testing.assert_close(colours["exemplar"], colours["search"], atol=1.0, rtol=0.05)
    assert not torch.allclose(colours["exemplar"][:, :3], torch.eye(3, dtype=torch.double), atol=0.2)


def test_frames_are_within_the_gap_and_visible(tmp_path, monkeypatch):
    folder = make_got10k(tmp_path, "train", ("a",))
    np.savetxt(folder / "a" / "absence.label", [0, 0, 0, 1, 1, 0, 0, 0], fmt="%d")
    pairs = TrackingPairs(str(folder), "got10k", max_gap=2)
    seen = []
    cut = pairs._cut
    monkeypatch.setattr(pairs, "_cut", lambda track, frame, *args: seen.append(frame) or cut(track, frame, *args))
    for index in range(30):
        pairs[index]
    drawn = np.array(seen).reshape(-1, 2)
    assert not np.isin(drawn, [3, 4]).any()
    assert np.abs(drawn[:, 0] - drawn[:, 1]).max() == 2


def test_stretches_of_a_sequence_share_no_frame(tmp_path):
    folder = make_got10k(tmp_path, "train", ("a",))
    np.savetxt(folder / "a" / "absence.label", [0, 0, 0, 1, 1, 0, 0, 0], fmt="%d")
    parts = [TrackingPairs(str(folder), "got10k", frames=part).tracks[0] for part in ((0, 0.5), (0.5, 1), (0, 1))]
    assert [np.flatnonzero(part.visible).tolist() for part in parts] == [[0, 1, 2], [5, 6, 7], [0, 1, 2, 5, 6, 7]]
    with pytest.raises(UserError, match="sequence a: no frame has a box"):
        TrackingPairs(str(folder), "got10k", frames=(0.99, 1))


def test_sampler_adds_seed_and_epoch_to_mmengines_order(otb):
    pairs = TrackingPairs(str(otb), "otb", pairs_per_sequence=4)
    plain, ours = DefaultSampler(pairs, seed=7), PairSampler(pairs, seed=7)
    for epoch in (0, 3):
        plain.set_epoch(epoch)
        ours.set_epoch(epoch)
        assert list(ours) == [(7, epoch, index) for index in plain]


def test_sequence_without_a_visible_target_and_unreadable_frame(tmp_path):
    folder = make_otb(tmp_path, count=2)
    (folder / "img" / "0001.jpg").write_text("no image")
    (folder / "img" / "0002.jpg").write_text("no image")
    with pytest.raises(UserError, match=r"Crossing/img/000\d.jpg: no image that can be decoded"):
        TrackingPairs(str(tmp_path), "otb")[0]
    (folder / "groundtruth_rect.txt").write_text("1,1,0,0\n1,1,0,0\n")
    with pytest.raises(UserError, match="sequence Crossing: no frame has a box"):
        TrackingPairs(str(tmp_path), "otb")
