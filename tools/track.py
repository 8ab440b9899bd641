"""Follow one target through a video or a folder of frames, from its box in the first frame."""

import io
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from lwdna_mm.apis.tracking import SAVERS, add_network_arguments, load_tracker
from lwdna_mm.datasets.tracking_frames import check_order
from lwdna_mm.errors import Parser, UserError, one_line
from lwdna_mm.files import check_folder, write_atomically

IMAGES = {".jpg", ".jpeg", ".png", ".bmp"}


def parse_box(text: str) -> np.ndarray:
    """``left,top,width,height`` as an array (4,).

    Raises:
        UserError: it is not four numbers, or they have no area.
    """
    try:
        box = np.array([float(value) for value in text.split(",")])
    except ValueError as error:
        raise UserError(f"--box {text}: give left,top,width,height in pixels") from error
    if box.shape != (4,) or not np.isfinite(box).all() or min(box[2:]) <= 0:
        raise UserError(f"--box {text}: give left,top,width,height in pixels")
    return box


def find_frames(source: Path, folder: Path) -> list[str]:
    """The frames of a folder, or those of a video, which are written to ``folder``.

    Raises:
        UserError: there is no frame, their names are not in the order of their numbers, or ``folder`` is full.
    """
    if source.is_dir():
        frames = [file for file in sorted(source.iterdir()) if file.suffix.lower() in IMAGES]
        if not frames:
            raise UserError(f"{source}: no image ({', '.join(sorted(IMAGES))}) in this folder")
        check_order(source, [file.stem for file in frames])
        return [str(file) for file in frames]
    frames, video = [], cv2.VideoCapture(str(source))
    while True:
        more, image = video.read()
        if not more:
            break
        frames.append(str(folder / f"{len(frames):06d}.png"))
        if not cv2.imwrite(frames[-1], image):
            raise UserError(
                f"{folder}: cannot hold the video's frames: is there space left? TMPDIR names another folder"
            )
    if not frames:
        raise UserError(f"{source}: neither a folder of frames nor a readable video")
    return frames


class _Shown(list):
    """Frames that show on a terminal how far a tracker is with them."""

    def __iter__(self) -> Iterator[str]:
        return iter(tqdm(super().__iter__(), total=len(self), unit="frame", disable=None, leave=False))


@one_line
def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = Parser(description=__doc__)
    add_network_arguments(parser, required=True)
    parser.add_argument("source", type=Path, help="a video, or a folder of frames in the order of their names")
    parser.add_argument("--box", required=True, help="target in the first frame: left,top,width,height")
    parser.add_argument("--out", type=Path, required=True, help="gets boxes.txt and the drawn tracks")
    args = parser.parse_args(argv)
    box = parse_box(args.box)
    check_folder(args.out)
    tracker = load_tracker(args)
    with tempfile.TemporaryDirectory() as folder:
        frames = find_frames(args.source, Path(folder))
        boxes, times = tracker.track(_Shown(frames), box)
        table = io.BytesIO()
        np.savetxt(table, boxes, fmt="%.3f", delimiter=",")
        write_atomically(table.getvalue(), args.out / "boxes.txt")
        for name, (save, suffix) in SAVERS.items():
            save(args.out / (name + suffix), frames, {"target": boxes})
    print(f"{len(frames)} frames at {len(times) / times.sum():.1f} fps: boxes and pictures in {args.out}")


if __name__ == "__main__":
    main()
