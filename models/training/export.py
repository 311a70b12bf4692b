"""Exports a checkpoint to ONNX: dynamic batch, raw YOLOX output, no NMS inside.

python -m models.training.export --net site-ppe --checkpoint RUN/last.pth --out RUN/model.onnx
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch

from .config import DEFAULT_WEIGHTS, NETS, Net
from .network import start

OPSET = 17


def export(net: Net, model: torch.nn.Module, out: Path) -> None:
    """Writes `model` to `out`, and only replaces a previous file once the new one agrees."""
    model = model.eval().to(memory_format=torch.contiguous_format)
    model.head.decode_in_inference = False
    example = torch.rand(2, 3, net.height, net.width) * 255
    # Two differing batch sizes in the check below catch a batch dimension frozen by tracing.
    temporary = out.with_suffix(".tmp")
    torch.onnx.export(
        model,
        (example,),
        str(temporary),
        input_names=["images"],
        output_names=["output"],
        dynamic_axes={"images": {0: "N"}, "output": {0: "N"}},
        opset_version=OPSET,
        dynamo=False,
    )
    graph = onnx.load(str(temporary))
    onnx.checker.check_model(graph)
    session = ort.InferenceSession(str(temporary), providers=["CPUExecutionProvider"])
    for batch in (1, 2):
        want = model(example[:batch]).detach().numpy()
        got = session.run(None, {"images": example[:batch].numpy()})[0]
        assert got.shape == want.shape == (batch, got.shape[1], 5 + len(net.classes)), got.shape
        np.testing.assert_allclose(got, want, atol=2e-3, rtol=1e-3)
    os.replace(temporary, out)


def main() -> None:
    """Reads the command line and exports one model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--net", choices=NETS, default="site-ppe", help="which detector")
    parser.add_argument("--checkpoint", type=Path, help="checkpoint; default: the start weights")
    parser.add_argument("--weights", type=Path, default=DEFAULT_WEIGHTS, help="start weights")
    parser.add_argument("--out", type=Path, required=True, help="ONNX file to write")
    args = parser.parse_args()
    net = NETS[args.net]
    export(net, start(net, args.weights, args.checkpoint), args.out)
    print(f"wrote {args.out} ({args.out.stat().st_size} bytes)")


if __name__ == "__main__":
    main()
