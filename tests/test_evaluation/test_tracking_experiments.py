import json
import zipfile
from dataclasses import replace

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from got10k.experiments import ExperimentGOT10k, ExperimentOTB
from got10k.trackers import IdentityTracker, Tracker

from lwdna_mm.datasets.tracking import GOT10kFolder, OTBFolder, read_tracks
from lwdna_mm.errors import UserError
from lwdna_mm.evaluation.tracking import GroundTruthTracker, LocalGOT10k, LocalOTB
from lwdna_mm.evaluation.tracking_metric import OTBMetric
from tests.tracking_data import make_got10k, make_otb


@pytest.fixture
def otb(tmp_path):
    make_otb(tmp_path / "otb", "Crossing")
    make_otb(tmp_path / "otb", "DragonBaby", 7)
    return OTBFolder(tmp_path / "otb", 2015)


@pytest.fixture
def got10k(tmp_path):
    make_got10k(tmp_path, names=("GOT-10k_Val_000001", "GOT-10k_Val_000002"))
    return GOT10kFolder(tmp_path, "val")


def _without_speed(scores):
    return {key: value for key, value in scores.items() if key not in ("speed_fps", "sr_75")}


def _scores(performance):
    (entry,) = performance.values()
    return _without_speed(entry["overall"]), {k: _without_speed(v) for k, v in entry["seq_wise"].items()}


class Drifting(Tracker):
    def __init__(self):
        super().__init__("Drifting", is_deterministic=True)

    def init(self, image, box):
        self.box = np.array(box, dtype=float)

    def update(self, image):
        self.box += [5.1234567, 2.5, 0.3, 0.2]
        return self.box


@pytest.mark.parametrize("tracker", [IdentityTracker(), Drifting()], ids=lambda tracker: tracker.name)
def test_otb_scores_are_got10ks_own(otb, tmp_path, monkeypatch, tracker):
    ours = LocalOTB(otb, tmp_path / "results", tmp_path / "reports")
    ours.run(tracker)
    monkeypatch.setattr(ExperimentOTB, "__init__", lambda self: None)
    theirs = ExperimentOTB()
    theirs.dataset, theirs.nbins_iou, theirs.nbins_ce = otb, 21, 51
    theirs.result_dir, theirs.report_dir = str(tmp_path / "their_results"), str(tmp_path / "their_reports")
    theirs.run(tracker)
    assert _scores(ours.report([tracker.name])) == _scores(theirs.report([tracker.name]))


@pytest.mark.parametrize("tracker", [IdentityTracker(), Drifting()], ids=lambda tracker: tracker.name)
def test_got10k_scores_are_got10ks_own(got10k, tmp_path, tracker):
    ours = LocalGOT10k(got10k, tmp_path / "results", tmp_path / "reports")
    theirs = ExperimentGOT10k(str(tmp_path), "val", str(tmp_path / "theirs"), str(tmp_path / "their_reports"))
    for experiment in (ours, theirs):
        experiment.run(tracker)
    performance = ours.report([tracker.name])
    assert _scores(performance) == _scores(theirs.report([tracker.name]))
    written = json.loads((tmp_path / "reports" / "GOT-10k" / tracker.name / "performance.json").read_text())
    assert written[tracker.name]["overall"]["sr_75"] == performance[tracker.name]["overall"]["succ_curve"][75]


def test_replayed_truth_is_perfect(otb, got10k, tmp_path):
    truth = GroundTruthTracker([*read_tracks(otb), *read_tracks(got10k)])
    experiment = LocalGOT10k(got10k, tmp_path / "results", tmp_path / "reports")
    experiment.run(truth)
    overall = experiment.report([truth.name])[truth.name]["overall"]
    assert overall["ao"] == pytest.approx(1)
    assert (overall["sr"], overall["sr_75"]) == (1, 1)
    experiment = LocalOTB(otb, tmp_path / "results", tmp_path / "reports")
    experiment.run(truth)
    overall = experiment.report([truth.name])[truth.name]["overall"]
    # got10k counts overlaps above, not at, each of the 21 thresholds: nothing is above 1.
    assert overall["success_score"] == pytest.approx(20 / 21)
    assert overall["precision_score"] == 1


def test_two_targets_of_one_video_are_replayed_each(tmp_path):
    folder = make_otb(tmp_path / "otb", "Jogging")
    boxes = np.loadtxt(folder / "groundtruth_rect.txt", delimiter=",")
    (folder / "groundtruth_rect.txt").unlink()
    for number in (1, 2):
        np.savetxt(folder / f"groundtruth_rect.{number}.txt", boxes + np.array([60 * number, 0, 0, 0]), delimiter=",")
    otb = OTBFolder(tmp_path / "otb", 2015)
    truth = GroundTruthTracker([*read_tracks(otb)])
    experiment = LocalOTB(otb, tmp_path / "results", tmp_path / "reports")
    experiment.run(truth)
    scores = experiment.report([truth.name])[truth.name]["seq_wise"]
    assert {name: score["precision_score"] for name, score in scores.items()} == {"Jogging.1": 1, "Jogging.2": 1}


def test_truth_that_is_withheld_cannot_be_replayed(got10k):
    track = next(iter(read_tracks(got10k)))
    withheld = replace(track, boxes=track.boxes[:1], visible=track.visible[:1])
    with pytest.raises(UserError, match=r"sequence GOT-10k_Val_000001: 1 of 8 frames have a box, .*only train and val"):
        GroundTruthTracker([withheld])


def test_real_sequences_and_their_truth(shared_data, tmp_path):
    folder = OTBFolder(shared_data / "tracking" / "otb", 2015)
    tracks = list(read_tracks(folder))
    assert [(track.name, len(track.frames)) for track in tracks] == [("Crossing", 120), ("DragonBaby", 113)]
    experiment = LocalOTB(folder, tmp_path / "results", tmp_path / "reports")
    experiment.run(GroundTruthTracker(tracks))
    overall = experiment.report(["GroundTruth"])["GroundTruth"]["overall"]
    assert overall["success_score"] == pytest.approx(20 / 21)


def test_reports_have_plots_and_leave_matplotlib_alone(otb, tmp_path):
    before = matplotlib.rcParams["font.size"], plt.get_fignums()
    experiment = LocalOTB(otb, tmp_path / "results", tmp_path / "reports")
    experiment.run(IdentityTracker())
    experiment.report(["IdentityTracker"])
    folder = tmp_path / "reports" / "OTB2015" / "IdentityTracker"
    assert sorted(file.name for file in folder.iterdir()) == [
        "performance.json",
        "precision_plots.png",
        "success_plots.png",
    ]
    assert (matplotlib.rcParams["font.size"], plt.get_fignums()) == before


class Counting(IdentityTracker):
    """Notes what it is asked to track."""

    def __init__(self):
        super().__init__()
        self.tracked = []

    def track(self, img_files, box, visualize=False):
        self.tracked.append(img_files[0])
        return super().track(img_files, box, visualize)


@pytest.mark.parametrize("benchmark", ["otb", "got10k"])
def test_killed_run_leaves_no_half_results_and_resumes(benchmark, request, tmp_path, monkeypatch):
    folder = request.getfixturevalue(benchmark)
    experiment = {"otb": LocalOTB, "got10k": LocalGOT10k}[benchmark](folder, tmp_path / "r", tmp_path / "p")
    tracker, savetxt, calls = Counting(), np.savetxt, []

    def die_at_the_fourth_file(file, *args, **kwargs):
        calls.append(file)
        savetxt(file, *args, **kwargs)
        if len(calls) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(np, "savetxt", die_at_the_fourth_file)
    with pytest.raises(KeyboardInterrupt):
        experiment.run(tracker)
    first, second = folder.seq_names
    assert experiment.record_file(tracker.name, first).is_file()
    assert not experiment.record_file(tracker.name, second).exists()
    assert not experiment.time_file(tracker.name, second).exists()
    monkeypatch.undo()
    experiment.run(tracker)
    assert len(tracker.tracked) == 3  # the first sequence was not tracked again
    experiment.report([tracker.name])
    experiment.forget(tracker.name)
    experiment.run(tracker)
    assert len(tracker.tracked) == 5


def test_results_that_are_missing_or_of_another_length(otb, got10k, tmp_path):
    experiment = LocalOTB(otb, tmp_path / "results", tmp_path / "reports")
    experiment.run(IdentityTracker())
    np.savetxt(experiment.record_file("IdentityTracker", "Crossing"), np.ones((5, 4)), delimiter=",")
    with pytest.raises(UserError, match=r"sequence Crossing: .* has 5 boxes for 12 frames; use --overwrite"):
        experiment.report(["IdentityTracker"])
    experiment = LocalGOT10k(got10k, tmp_path / "results", tmp_path / "reports")
    experiment.run(IdentityTracker())
    # got10k itself would take the other sequence's times.
    experiment.time_file("IdentityTracker", "GOT-10k_Val_000002").unlink()
    with pytest.raises(UserError, match=r"sequence GOT-10k_Val_000002: .*_time.txt is missing"):
        experiment.report(["IdentityTracker"])


@pytest.mark.parametrize("file", ["meta_info.ini", "cover.label", "absence.label"])
def test_labels_that_the_score_needs(tmp_path, file):
    folder = make_got10k(tmp_path)
    (folder / "GOT-10k_Val_000001" / file).unlink()
    with pytest.raises(UserError, match=r"sequence GOT-10k_Val_000001: GOT-10k's scores need meta_info.ini"):
        LocalGOT10k(GOT10kFolder(tmp_path, "val"), tmp_path / "results", tmp_path / "reports")


def test_submission_for_the_test_server(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    make_got10k(tmp_path, "test", ("GOT-10k_Test_000001",))
    experiment = LocalGOT10k(GOT10kFolder(tmp_path, "test"), tmp_path / "results", tmp_path / "reports")
    experiment.run(IdentityTracker())
    assert experiment.report(["IdentityTracker"]) is None
    file = tmp_path / "results" / "GOT-10k" / "IdentityTracker.zip"
    assert capsys.readouterr().out.splitlines()[-1].endswith(str(file))
    with zipfile.ZipFile(file) as archive:
        files = {name for name in archive.namelist() if not name.endswith("/")}
    assert files == {
        "GOT-10k_Test_000001/GOT-10k_Test_000001_001.txt",
        "GOT-10k_Test_000001/GOT-10k_Test_000001_time.txt",
    }


def test_metric_is_the_experiments_score(otb, tmp_path):
    tracker, metric = Drifting(), OTBMetric()
    for track in read_tracks(otb):
        boxes, times = tracker.track(track.frames, track.boxes[0])
        metric.process(dict(sequences=[track]), [dict(name=track.name, boxes=boxes, times=times)])
    found = metric.evaluate(size=2)
    experiment = LocalOTB(otb, tmp_path / "results", tmp_path / "reports")
    experiment.run(tracker)
    overall = experiment.report([tracker.name])[tracker.name]["overall"]
    assert found["otb/success"] == pytest.approx(overall["success_score"])
    assert found["otb/precision"] == pytest.approx(overall["precision_score"])
    assert found["otb/success_rate"] == pytest.approx(overall["success_rate"])
    assert 0 < found["otb/success"] < 0.9
