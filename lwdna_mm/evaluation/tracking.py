"""got10k's experiments without its downloads, and with results that are whole or absent.

got10k runs and scores; these classes change where sequences come from and how results reach the disk.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from got10k.experiments import ExperimentGOT10k, ExperimentOTB

from ..datasets.tracking import GOT10kFolder, OTBFolder, Track, check_truth
from ..datasets.tracking_frames import FrameTracker
from ..errors import UserError
from ..files import naming_path


class _WholeResults:
    """Result files appear under their names only once they are complete."""

    def record_file(self, tracker_name: str, sequence: str) -> Path:
        """Where the boxes of a sequence are recorded."""
        raise NotImplementedError

    def time_file(self, tracker_name: str, sequence: str) -> Path:
        """Where the seconds for each frame of a sequence are recorded."""
        raise NotImplementedError

    def forget(self, tracker_name: str) -> None:
        """Delete a tracker's results on this experiment's sequences."""
        for name in self.dataset.seq_names:
            self.record_file(tracker_name, name).unlink(missing_ok=True)
            self.time_file(tracker_name, name).unlink(missing_ok=True)

    def _record(self, record_file: str, boxes: np.ndarray, times: np.ndarray) -> None:
        final = Path(record_file)
        # got10k takes a sequence with boxes for done, so they are put in place last.
        with _whole(final.parent, last=final.name) as folder:
            super()._record(os.path.join(folder, final.name), boxes, times)
        print(f"  {len(boxes)} frames, {len(times) / max(times.sum(), 1e-9):.1f} fps, {final}")

    def _whole_report(self, tracker_names: Sequence[str]) -> dict:
        """got10k's scores, written to ``report_dir``."""
        final = self.report_dir
        try:
            with _whole(Path(final), last="performance.json") as self.report_dir, _tidy_figures():
                performance = super().report(list(tracker_names))
                self._complete(performance)
                file = Path(self.report_dir, tracker_names[0], "performance.json")
                file.write_text(json.dumps(performance, indent=4))
        finally:
            self.report_dir = final
        return performance

    def _complete(self, performance: dict) -> None:
        """Add scores that got10k does not have."""

    def _check_results(self, tracker_names: Sequence[str]) -> None:
        """got10k would stop at a traceback, or take another sequence's times."""
        for tracker in tracker_names:
            for index, name in enumerate(self.dataset.seq_names):
                for file in (self.record_file(tracker, name), self.time_file(tracker, name)):
                    if not file.is_file():
                        raise UserError(f"sequence {name}: {file} is missing; run the tracker again")
                frames = len(self.dataset[index][0])
                boxes = len(np.loadtxt(self.record_file(tracker, name), delimiter=",", ndmin=2))
                if boxes != frames:
                    raise UserError(
                        f"sequence {name}: {self.record_file(tracker, name)} has {boxes} boxes for {frames} "
                        "frames; use --overwrite"
                    )


class LocalOTB(_WholeResults, ExperimentOTB):
    """OTB's one-pass evaluation on the sequences of a folder.

    Args:
        dataset: The sequences.
        result_dir, report_dir: Folders of the results and of the reports.
    """

    nbins_iou = 21
    nbins_ce = 51

    def __init__(
        self, dataset: OTBFolder, result_dir: str | Path = "results", report_dir: str | Path = "reports"
    ) -> None:
        # ExperimentOTB.__init__ downloads what is missing, so it is not called.
        self.dataset = dataset
        self.result_dir = os.path.join(result_dir, f"OTB{dataset.version}")
        self.report_dir = os.path.join(report_dir, f"OTB{dataset.version}")

    def record_file(self, tracker_name: str, sequence: str) -> Path:
        return Path(self.result_dir) / tracker_name / f"{sequence}.txt"

    def time_file(self, tracker_name: str, sequence: str) -> Path:
        return Path(self.result_dir) / tracker_name / "times" / f"{sequence}_time.txt"

    def report(self, tracker_names: Sequence[str]) -> dict:
        """got10k's scores; writes ``performance.json`` and the two plots to ``report_dir/<first tracker>``.

        Raises:
            UserError: If a result file is missing or does not fit its sequence.
        """
        self._check_results(tracker_names)
        return self._whole_report(tracker_names)

    @classmethod
    def curves(cls, boxes: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """got10k's success (21,) and precision (51,) curves of one sequence, from boxes (n, 4)."""
        experiment = cls.__new__(cls)  # scoring needs no sequences and no folders
        return experiment._calc_curves(*experiment._calc_metrics(boxes, truth))


class LocalGOT10k(_WholeResults, ExperimentGOT10k):
    """GOT-10k's evaluation on the sequences of a folder.

    Args:
        dataset: The sequences of the subset 'val' or 'test'.
        result_dir, report_dir: Folders of the results and of the reports.

    Raises:
        UserError: If a sequence of 'val' lacks what its score depends on besides the boxes.
    """

    nbins_iou = 101
    repetitions = 3

    def __init__(
        self, dataset: GOT10kFolder, result_dir: str | Path = "results", report_dir: str | Path = "reports"
    ) -> None:
        # ExperimentGOT10k.__init__ takes no dataset, and so no choice of sequences.
        self.dataset = dataset
        self.subset = dataset.subset
        self.result_dir = os.path.join(result_dir, "GOT-10k")
        self.report_dir = os.path.join(report_dir, "GOT-10k")
        if self.subset == "val":
            self._check_labels()

    def record_file(self, tracker_name: str, sequence: str) -> Path:
        return Path(self.result_dir) / tracker_name / sequence / f"{sequence}_001.txt"

    def time_file(self, tracker_name: str, sequence: str) -> Path:
        return Path(self.result_dir) / tracker_name / sequence / f"{sequence}_time.txt"

    def report(self, tracker_names: Sequence[str]) -> dict | None:
        """got10k's scores with SR0.75 added (``sr_75``), written to ``report_dir/<first tracker>``.

        On 'test', whose truth is withheld, it zips the results for submission to
        ``<result_dir>/<tracker>.zip`` and returns None.

        Raises:
            UserError: If a result file is missing or does not fit its sequence.
        """
        self.dataset.return_meta = False
        self._check_results(tracker_names)
        if self.subset == "test":
            with contextlib.redirect_stdout(None):  # it would name the file as seen from another folder
                super().report(list(tracker_names))
            for name in tracker_names:
                print(f"To be uploaded at http://got-10k.aitestunion.com: {Path(self.result_dir, name)}.zip")
            return None
        return self._whole_report(tracker_names)

    def _complete(self, performance: dict) -> None:
        for scores in performance.values():
            scores["overall"]["sr_75"] = scores["overall"]["succ_curve"][75]

    def _check_labels(self) -> None:
        for index, name in enumerate(self.dataset.seq_names):
            folder = self.dataset.seq_dirs[index]
            try:
                meta = self.dataset._fetch_meta(folder)
                complete = len(meta["cover"]) == len(self.dataset[index][0]) and "resolution" in meta
            except (OSError, ValueError, IndexError, TypeError):
                complete = False
            if not complete:
                raise UserError(
                    f"sequence {name}: GOT-10k's scores need meta_info.ini with the resolution, and cover.label, "
                    f"absence.label and cut_by_image.label with a line for each frame, in {folder}"
                )


class GroundTruthTracker(FrameTracker):
    """Replays the annotated boxes of known sequences: the score that a perfect tracker gets.

    Args:
        tracks: The sequences it may be asked to track.

    Raises:
        UserError: a sequence has boxes for some of its frames only, such as those of GOT-10k's test set.
    """

    def __init__(self, tracks: Sequence[Track]) -> None:
        super().__init__("GroundTruth", is_deterministic=True)
        for track in tracks:
            check_truth(track)
        # Two targets of one video have their first frame in common.
        self.truth = {(track.frames[0], tuple(track.boxes[0])): track.boxes for track in tracks}

    def track(
        self, img_files: Sequence[str], box: np.ndarray, visualize: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """The annotated boxes (n, 4) of the sequence that begins with ``img_files[0]`` and ``box``, seconds (n,)."""
        self.boxes = iter(self.truth[img_files[0], tuple(box)][1:])
        return super().track(img_files, box, visualize)

    def init(self, image, box: np.ndarray) -> None:
        """Nothing to learn."""

    def update(self, image) -> np.ndarray:
        """The next annotated box."""
        return next(self.boxes)


@contextlib.contextmanager
def _whole(final: Path, last: str) -> Iterator[str]:
    """A folder whose files are put into ``final`` at the end, the one named ``last`` as the last one.

    What got10k prints meanwhile is left out: it would name the folder.
    """
    final.mkdir(parents=True, exist_ok=True)
    with naming_path(final), tempfile.TemporaryDirectory(dir=final, prefix=".", suffix=".tmp") as folder:
        with contextlib.redirect_stdout(None):
            yield folder
        written = [file for file in Path(folder).rglob("*") if file.is_file()]
        for file in sorted(written, key=lambda file: file.name == last):
            target = final / file.relative_to(folder)
            target.parent.mkdir(exist_ok=True)
            os.replace(file, target)


@contextlib.contextmanager
def _tidy_figures() -> Iterator[None]:
    """got10k leaves its figures open and matplotlib's settings changed."""
    before = set(plt.get_fignums())
    with matplotlib.rc_context():
        yield
    for number in set(plt.get_fignums()) - before:
        plt.close(number)
