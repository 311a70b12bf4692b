"""Trains the shared site detector; resumes from its own checkpoint when there is one.

    python -m models.training.train --run RUN --pseudo pseudo.json --iterations 4000
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import time
import warnings
from pathlib import Path

import torch
from torch.utils.data import DataLoader, Subset

from .config import DEFAULT_DATA, DEFAULT_WEIGHTS, TRAIN_SETS
from .datasets import data_hashes, read_training
from .network import Ema, build, load_state, stitch
from .sampler import Canvases, collate


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--run", type=Path, required=True, help="folder of checkpoints and the run record")
    add("--pseudo", type=Path, required=True, help="file that pseudo_label wrote")
    add("--data", type=Path, default=DEFAULT_DATA, help="folder of the sets")
    add("--weights", type=Path, default=DEFAULT_WEIGHTS, help="folder of the start weights")
    add("--start", type=Path, help="checkpoint to fine-tune instead of the stitched start")
    add("--iterations", type=int, default=4000, help="length of the schedule")
    add("--minutes", type=float, help="end the schedule early, after this much training time")
    add("--batch", type=int, default=16, help="canvases a step")
    add("--rate", type=float, default=1e-3, help="peak learning rate (AdamW)")
    add("--decay", type=float, default=0.02, help="weight decay")
    add("--warmup", type=int, default=150, help="iterations of linear warm-up")
    add("--threads", type=int, default=2, help="CPU threads for the network")
    add("--workers", type=int, default=1, help="processes that compose canvases")
    add("--seed", type=int, default=7, help="seed of weights and canvases")
    add("--save-every", type=int, default=100, help="iterations between checkpoints")
    return parser.parse_args()


def groups(model: torch.nn.Module, decay: float) -> list[dict]:
    """Decays weights but neither biases nor batch-norm scales."""
    plain = [p for p in model.parameters() if p.ndim <= 1]
    heavy = [p for p in model.parameters() if p.ndim > 1]
    return [{"params": plain, "weight_decay": 0.0}, {"params": heavy, "weight_decay": decay}]


def save(path: Path, value: dict) -> None:
    """Replaces a checkpoint in one step, so that a killed run leaves a whole one."""
    temporary = path.with_suffix(".tmp")
    torch.save(value, temporary)
    os.replace(temporary, path)


def main() -> None:
    """Trains until the schedule ends."""
    args = arguments()
    warnings.filterwarnings("ignore", category=FutureWarning)
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    args.run.mkdir(parents=True, exist_ok=True)
    last, record_path = args.run / "last.pth", args.run / "record.json"

    if args.start:
        model = build()
        model.load_state_dict(load_state(args.start))
    else:
        model = stitch(
            args.weights / "helmet_head_yolox_nano_start.pth",
            args.weights / "yolox_nano_bn_reinflated.pth",
        )
    model = model.to(device, memory_format=torch.channels_last).train()
    ema = Ema(model)
    optimiser = torch.optim.AdamW(groups(model, args.decay), lr=args.rate)
    record = {
        "arguments": {k: str(v) if isinstance(v, Path) else v for k, v in vars(args).items()},
        "torch": torch.__version__,
        "device": str(device),
        "data": data_hashes(args.data, list(TRAIN_SETS), "train"),
        "curve": [],
    }
    first, spent = 0, 0.0
    if last.exists():
        state = torch.load(last, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        ema.model.load_state_dict(state["ema"])
        optimiser.load_state_dict(state["optimiser"])
        first, spent, ema.updates = state["iteration"], state["seconds"], state["iteration"]
        record["curve"] = json.loads(record_path.read_text())["curve"]

    sets = read_training(args.data, args.pseudo, TRAIN_SETS)
    canvases = Canvases(sets, TRAIN_SETS, args.seed, args.iterations * args.batch)
    loader = DataLoader(
        Subset(canvases, range(first * args.batch, len(canvases))),
        args.batch, num_workers=args.workers, collate_fn=collate, drop_last=True,
        prefetch_factor=4 if args.workers else None,
    )  # fmt: skip
    sums: dict[str, float] = {}
    clock = time.monotonic()
    for iteration, (pixels, boxes, regions) in enumerate(loader, first):
        progress = iteration / args.iterations
        if args.minutes:
            progress = max(progress, spent / (args.minutes * 60))
        if progress >= 1:
            break
        rate = args.rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1, (iteration + 1) / args.warmup)
        images = pixels.to(device).float().contiguous(memory_format=torch.channels_last)
        # bfloat16 makes a step about 1.2 times faster on AMX cores and costs nothing measurable.
        with torch.autocast(device.type, torch.bfloat16):
            features = model.backbone(images)
            with contextlib.ExitStack():
                losses = model.head(features, (boxes.to(device), regions.to(device)))
        optimiser.zero_grad(set_to_none=True)
        losses["total"].backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimiser.step()
        ema.update(model)
        spent, clock = spent + time.monotonic() - clock, time.monotonic()
        for key, value in losses.items():
            sums[key] = sums.get(key, 0.0) + float(value)
        if (iteration + 1) % 20 == 0:
            point = {k: round(v / 20, 4) for k, v in sums.items()}
            point |= {"iteration": iteration + 1, "seconds": round(spent), "rate": round(rate, 6)}
            record["curve"].append(point)
            sums = {}
            print(json.dumps(point), flush=True)
        if (iteration + 1) % args.save_every == 0:
            checkpoint(last, model, ema, optimiser, iteration + 1, spent)
            record_path.write_text(json.dumps(record, indent=1))
    checkpoint(last, model, ema, optimiser, iteration + 1, spent)
    record_path.write_text(json.dumps(record, indent=1))


def checkpoint(path, model, ema, optimiser, iteration: int, seconds: float) -> None:
    """Writes everything that a resumed run needs."""
    save(
        path,
        {
            "model": model.state_dict(),
            "ema": ema.model.state_dict(),
            "optimiser": optimiser.state_dict(),
            "iteration": iteration,
            "seconds": seconds,
        },
    )


if __name__ == "__main__":
    main()
