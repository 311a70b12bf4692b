"""Prints MOTA and IDF1 of the tracker on the annotated clip and on generated crowds.

``python -m models.training.tracking [--video .cache/clips/vtest.avi] [--tracker COMMAND]``
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import motmetrics
import numpy as np

from .crowd import FPS, crowd

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
RATES = (2, 5, 10)
# What is smaller than a task's smallest target (min_target_px) counts for no rule, nor here: on the
# clip those are a distant walker, and cones that the detector takes for people.
LEAST_PX = 40
CROWDS = (("crowd of 6", 6, 1), ("crowd of 12", 12, 2), ("crowd of 20", 20, 3))


def annotated() -> list[tuple]:
    """The truth of the clip."""
    rows = (HERE / "vtest.txt").read_text().split()
    return [tuple(float(v) for v in row.split(",")[:6]) for row in rows]


def tracks(tracker: list[str], frames: list[dict], fps: int) -> list[tuple]:
    """Runs the tracker over frames."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps(frame) + "\n" for frame in frames)
        file.flush()
        done = subprocess.run([*tracker, file.name, str(fps)], check=True, capture_output=True)
    return [tuple(float(v) for v in row.split(",")[:6]) for row in done.stdout.decode().split()]


def score(name: str, truth: list[tuple], found: list[tuple], frames: list[int]) -> dict:
    """Compares with the truth by the rules of the MOT challenge: pairs overlap by half."""
    accumulator = motmetrics.MOTAccumulator()
    for frame in frames:
        tall = [[r for r in rows if r[0] == frame and r[5] >= LEAST_PX] for rows in (truth, found)]
        real, seen = tall
        distance = _distances(real, seen)
        ids = [[int(row[1]) for row in rows] for rows in (real, seen)]
        accumulator.update(*ids, distance, frameid=frame)
    names = ["mota", "idf1", "num_switches", "num_misses", "num_false_positives", "num_objects"]
    host = motmetrics.metrics.create()
    return host.compute(accumulator, metrics=names, name=name).iloc[0].to_dict()


def _distances(real: list[tuple], seen: list[tuple]) -> np.ndarray:
    """One minus overlap of every pair; nothing where they overlap by less than half."""
    a, b = (np.array([row[2:6] for row in rows], float).reshape(-1, 4) for rows in (real, seen))
    corner = np.maximum(a[:, None, :2], b[None, :, :2])
    end = np.minimum((a[:, :2] + a[:, 2:])[:, None], (b[:, :2] + b[:, 2:])[None])
    shared = np.clip(end - corner, 0, None).prod(-1)
    overlap = shared / (a[:, 2:].prod(-1)[:, None] + b[:, 2:].prod(-1)[None] - shared)
    return np.where(overlap >= 0.5, 1 - overlap, np.nan)


def sequences(video: Path, package: Path, detections: Path | None) -> list[tuple]:
    """Name, frames at 10 fps, truth."""
    found = []
    truth = annotated()
    last = int(max(row[0] for row in truth))
    if detections:
        frames = [json.loads(line) for line in detections.read_text().splitlines()]
        found.append(("vtest.avi", frames[:last], truth))
    elif video.exists():
        from .detect import detect

        found.append(("vtest.avi", detect(video, package, last), truth))
    else:
        print(f"{video} is not there: `make setup` fetches it; the annotated clip is left out")
    for name, people, seed in CROWDS:
        found.append((name, *crowd(people, 60, seed)))
    return found


def main() -> None:
    """Prints one line per sequence and rate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", type=Path, default=ROOT / ".cache/clips/vtest.avi")
    parser.add_argument("--package", type=Path, default=ROOT / "models/site-ppe")
    parser.add_argument("--detections", type=Path, help="detections of the clip, made before")
    parser.add_argument(
        "--tracker",
        default="cargo run -q -p analytics --example track --",
        help="command that reads detections and a rate, and writes MOT rows",
    )
    options = parser.parse_args()
    print("| sequence | fps | MOTA | IDF1 | switches | misses | false | people |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, frames, truth in sequences(options.video, options.package, options.detections):
        for fps in RATES:
            kept = frames[:: FPS // fps]
            found = tracks(options.tracker.split(), kept, fps)
            got = score(name, truth, found, [frame["frame"] for frame in kept])
            print(
                f"| {name} | {fps} | {got['mota']:.3f} | {got['idf1']:.3f} "
                f"| {got['num_switches']:.0f} | {got['num_misses']:.0f} "
                f"| {got['num_false_positives']:.0f} | {got['num_objects']:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
