"""Trains one detector; resumes from its own checkpoint when there is one.

python -m models.training.train --net site-ppe --folder RUN --pseudo pseudo.json
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import time
import warnings
from pathlib import Path

import torch
import torch.distributed as dist
from torch.utils.data import DataLoader, Subset

from .config import DEFAULT_DATA, DEFAULT_WEIGHTS, NETS
from .datasets import data_hashes, read_training
from .network import Ema, start
from .sampler import Canvases, collate


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--net", choices=NETS, default="site-ppe", help="which detector")
    add("--folder", type=Path, required=True, help="folder of checkpoints and the run record")
    add("--pseudo", type=Path, help="file that pseudo_label wrote (site-ppe needs it)")
    add("--data", type=Path, default=DEFAULT_DATA, help="folder of the sets")
    add("--weights", type=Path, default=DEFAULT_WEIGHTS, help="folder of the start weights")
    add("--base", type=Path, help="checkpoint to fine-tune instead of the start weights")
    add("--iterations", type=int, default=4000, help="length of the schedule")
    add("--minutes", type=float, help="end the schedule early, after this much training time")
    add("--batch", type=int, default=16, help="canvases a step")
    add("--rate", type=float, default=1e-3, help="peak learning rate (AdamW)")
    add("--decay", type=float, default=0.02, help="weight decay")
    add("--warmup", type=int, default=150, help="iterations of linear warm-up")
    add("--freeze", nargs="*", default=[], help="backbone stages to leave alone: stem dark2 ...")
    add("--threads", type=int, default=1, help="CPU threads for the network (see README)")
    add("--workers", type=int, default=1, help="processes that compose canvases")
    add("--seed", type=int, default=7, help="seed of weights and canvases")
    add("--save-every", type=int, default=100, help="iterations between checkpoints")
    return parser.parse_args()


def freeze(model: torch.nn.Module, stages: list[str]) -> None:
    """Fixes early stages, weights and batch-norm statistics alike.

    They hold half of the memory traffic of a step, and COCO's edges and colours serve us as well.
    """
    for stage in stages:
        module = getattr(model.backbone.backbone, stage).eval()
        for parameter in module.parameters():
            parameter.requires_grad_(False)


def agree(values: list[float]) -> list[float]:
    """Returns each value's maximum over all processes, so that they stop at the same step."""
    if not dist.is_initialized():
        return values
    shared = torch.tensor(values, dtype=torch.float64)
    dist.all_reduce(shared, dist.ReduceOp.MAX)
    return shared.tolist()


def average_gradients(model: torch.nn.Module) -> None:
    """Averages gradients over all processes."""
    if not dist.is_initialized():
        return
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in gradients])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients])):
        gradient.copy_(part.view_as(gradient))


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
    if "RANK" in os.environ:
        dist.init_process_group("gloo")
    rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    args.folder.mkdir(parents=True, exist_ok=True)
    last, record_path = args.folder / "last.pth", args.folder / "record.json"

    net = NETS[args.net]
    if net.pseudo and args.pseudo is None:
        raise SystemExit(f"{net.name} needs pseudo-labels: run pseudo_label and pass --pseudo")
    model = start(net, args.weights, args.base)
    model = model.to(device, memory_format=torch.channels_last).train()
    freeze(model, args.freeze)
    ema = Ema(model)
    optimiser = torch.optim.AdamW(groups(model, args.decay), lr=args.rate)
    record = {
        "starts": [],
        "torch": torch.__version__,
        "device": str(device),
        "data": data_hashes(args.data, list(net.train), "train"),
        "curve": [],
    }
    first, spent = 0, 0.0
    if last.exists():
        state = torch.load(last, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        ema.model.load_state_dict(state["ema"])
        optimiser.load_state_dict(state["optimiser"])
        first, spent, ema.updates = state["iteration"], state["seconds"], state["iteration"]
        previous = json.loads(record_path.read_text())
        record |= {key: previous[key] for key in ("starts", "curve")}
    written = {k: v.name if isinstance(v, Path) else v for k, v in vars(args).items()}
    record["starts"].append({"iteration": first, "arguments": written})

    sets = read_training(args.data, net, args.pseudo)
    canvases = Canvases(net, sets, args.seed, args.iterations * args.batch)
    local = args.batch // world
    mine = [i for i in range(first * args.batch, len(canvases)) if i // local % world == rank]
    loader = DataLoader(
        Subset(canvases, mine), local, num_workers=args.workers, collate_fn=collate, drop_last=True,
        prefetch_factor=4 if args.workers else None,
    )  # fmt: skip
    stop = []
    signal.signal(signal.SIGUSR1, lambda *_: stop.append(True))
    sums: dict[str, float] = {}
    clock = time.monotonic()
    done = first
    for iteration, (pixels, boxes, regions) in enumerate(loader, first):
        progress = iteration / args.iterations
        if args.minutes:
            progress = max(progress, spent / (args.minutes * 60))
        progress, stopping = agree([progress, len(stop)])
        if progress >= 1 or stopping:
            break
        rate = args.rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1, (iteration + 1) / args.warmup)
        images = pixels.to(device).float().contiguous(memory_format=torch.channels_last)
        # bfloat16 makes a step about 1.2 times faster on AMX cores and costs nothing measurable.
        with torch.autocast(device.type, torch.bfloat16):
            features = model.backbone(images)
            losses = model.head(features, (boxes.to(device), regions.to(device)))
        optimiser.zero_grad(set_to_none=True)
        losses["total"].backward()
        average_gradients(model)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimiser.step()
        ema.update(model)
        done = iteration + 1
        spent, clock = spent + time.monotonic() - clock, time.monotonic()
        sums["steps"] = sums.get("steps", 0) + 1
        for key, value in losses.items():
            sums[key] = sums.get(key, 0.0) + float(torch.as_tensor(value).detach())
        if done % 20 == 0:
            count = sums.pop("steps")
            point = {k: round(v / count, 4) for k, v in sums.items()}
            point |= {"iteration": done, "seconds": round(spent), "rate": round(rate, 6)}
            record["curve"].append(point)
            sums = {}
            if rank == 0:
                print(json.dumps(point), flush=True)
        if done % args.save_every == 0 and rank == 0:
            checkpoint(last, model, ema, optimiser, done, spent)
            record_path.write_text(json.dumps(record, indent=1))
    if rank == 0:
        checkpoint(last, model, ema, optimiser, done, spent)
        record_path.write_text(json.dumps(record, indent=1))
    if dist.is_initialized():
        dist.destroy_process_group()


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
