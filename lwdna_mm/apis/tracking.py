"""What the tracking tools share: from a command line to a tracker, and from a tracker to its scores."""

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from got10k.trackers import Tracker
from mmengine.config import ConfigDict

from ..datasets.tracking import Track
from ..datasets.tracking_frames import StandingTracker
from ..engine import load_config
from ..errors import UserError
from ..evaluation.tracking import GroundTruthTracker, LocalGOT10k, LocalOTB
from ..models.tracking import SiameseNetwork, SiameseTracker
from ..options import add_config_options
from ..visualization.tracks import save_strip, save_video
from .trained import load_trained

SAVERS = {"strip": (save_strip, ".png"), "video": (save_video, ".mp4")}


def add_network_arguments(parser: argparse.ArgumentParser, required: bool) -> None:
    """CONFIG, CHECKPOINT and what goes with them."""
    parser.add_argument("config", nargs=None if required else "?", help="config of a Siamese network")
    parser.add_argument("checkpoint", nargs=None if required else "?", help="its trained weights")
    parser.add_argument("--plan", help="plan.json of the network; default: the one that the checkpoint carries")
    add_config_options(parser)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")


def add_evaluation_arguments(parser: argparse.ArgumentParser) -> None:
    """What both benchmarks' tools take."""
    add_network_arguments(parser, required=False)
    parser.add_argument(
        "--tracker",
        choices=["identity", "groundtruth"],
        help="score got10k's identity tracker, or the annotations themselves, instead of a network",
    )
    parser.add_argument("--root", required=True, help="folder of the benchmark; nothing is downloaded")
    parser.add_argument("--sequences", nargs="+", help="names of sequences; all that are there by default")
    parser.add_argument("--out", default="work_dirs/tracking", help="gets results, reports and pictures")
    parser.add_argument("--overwrite", action="store_true", help="track again where results exist")
    parser.add_argument("--vis", choices=list(SAVERS), help="draw the tracks on the frames")


def tracker_from(args: argparse.Namespace, tracks: Sequence[Track]) -> Tracker:
    """The tracker that a command line asks for.

    Raises:
        UserError: neither a network nor ``--tracker`` is given, or both are; see also :func:`load_tracker`.
    """
    if (args.tracker is None) == (args.checkpoint is None):
        raise UserError("give either CONFIG and CHECKPOINT, or --tracker")
    if args.tracker == "identity":
        return StandingTracker()
    if args.tracker == "groundtruth":
        return GroundTruthTracker(tracks)
    return load_tracker(args)


def load_tracker(args: argparse.Namespace) -> SiameseTracker:
    """A tracker with trained weights, from :func:`add_network_arguments`.

    Its name has a hash of the weights and of the model's config, so that results of one are never taken for
    another's.

    Raises:
        UserError: see :func:`~.trained.load_trained`; also if the network is no tracker or the device is not there.
    """
    cfg = load_config(args.config, args.cfg_options)
    model = cfg.model
    network = load_trained(cfg, args.checkpoint, args.plan)
    if not isinstance(network, SiameseNetwork):
        raise UserError(f"{args.config}: its model is a {type(network).__name__}, not a SiameseNetwork")
    name = f"{Path(args.config).stem}-{_fingerprint(model, args.checkpoint)}"
    try:
        network.to(args.device)
    except RuntimeError as error:
        raise UserError(f"--device {args.device}: {str(error).splitlines()[0]}") from error
    return SiameseTracker(network, name)


def evaluate(
    experiment: LocalOTB | LocalGOT10k, tracker: Tracker, tracks: Sequence[Track], args: argparse.Namespace
) -> None:
    """Track, score, draw, and print the scores in one line.

    Args:
        experiment: on the sequences ``tracks``.
        tracker: tracks what has no results yet.
        tracks: the sequences, for the pictures.
        args: from :func:`add_evaluation_arguments`.
    """
    if args.overwrite or args.tracker:  # what needs no network costs nothing, and has no hash in its name
        experiment.forget(tracker.name)
    experiment.run(tracker)
    performance = experiment.report([tracker.name])
    if args.vis:
        folder = Path(args.out) / "vis" / tracker.name
        folder.mkdir(parents=True, exist_ok=True)
        save, suffix = SAVERS[args.vis]
        for track in tracks:
            file = folder / (track.name + suffix)
            boxes = np.loadtxt(experiment.record_file(tracker.name, track.name), delimiter=",", ndmin=2)
            save(file, track.frames, {"ground truth": track.boxes, "tracker": boxes})
            print(f"Drawn to {file}")
    if performance is not None:
        overall = performance[tracker.name]["overall"]
        scores = " ".join(f"{key} {value:.3f}" for key, value in overall.items() if np.isscalar(value))
        print(f"{tracker.name} on {len(tracks)} sequences: {scores}")


def _fingerprint(model: ConfigDict, checkpoint: str | Path) -> str:
    digest = hashlib.sha256(Path(checkpoint).read_bytes())
    digest.update(json.dumps(model.to_dict(), sort_keys=True, default=str).encode())
    return digest.hexdigest()[:8]
