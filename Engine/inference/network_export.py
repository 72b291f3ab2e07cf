"""The network of a checkpoint for other programs: a torch.export program, or ONNX.

T is fixed, the batch size is not. Both files are self-contained: neither needs this
project to run.
"""

import contextlib
import importlib.util
import io
import warnings
from dataclasses import fields
from pathlib import Path

import torch

from Models import GCNs
from Models.VSGN import Predictions
from Utils.config.options import Config
from Utils.files import UserError, replacing

INPUTS = ("features", "num_frames")
OUTPUTS = tuple(field.name for field in fields(Predictions))
ONNX_PACKAGES = ("onnx", "onnxscript")
TOLERANCE = 1e-4        # share of the largest value of an output
MOST_INPUTS = 4096      # largest batch size


class _Tuples(torch.nn.Module):
    """The network with a tuple as output: exported programs cannot return a Predictions."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, features, num_frames):
        return tuple(vars(self.model(features, num_frames)).values())


def exported(model: torch.nn.Module, channels: int,
             length: int) -> torch.export.ExportedProgram:
    """The network as a program of torch's own operators.

    Inputs: (B, channels, length) float32 and (B,) int64. Outputs: the fields of
    Predictions.
    """
    batch = torch.export.Dim("batch", min=1, max=MOST_INPUTS)
    with torch.no_grad(), _quiet():
        program = torch.export.export(_Tuples(model), probe(channels, length),
                                      dynamic_shapes=({0: batch}, {0: batch}))
        # Our custom operator is only known here, so its definition goes into the file.
        return program.run_decompositions({
            torch.ops.vsgn.relative_distance.default: GCNs.plain_distance})


def probe(channels: int, length: int, seed: int = 0):
    """Inputs for export and checks: one that fills T, one with padding, two stitched."""
    generator = torch.Generator().manual_seed(seed)
    num_frames = torch.tensor([length, length * 3 // 4, length // 3, length // 5])
    features = torch.randn(len(num_frames), channels, length, generator=generator)
    return features, num_frames.clamp(min=1)


def write_program(path: str | Path, program: torch.export.ExportedProgram) -> None:
    """Write a program for torch.export.load (.pt2), the whole file or nothing."""
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    with replacing(path) as part:
        part.write_bytes(buffer.getbuffer())


def write_onnx(path: str | Path, program: torch.export.ExportedProgram) -> None:
    """Write a program as ONNX with its weights, the whole file or nothing."""
    with _quiet(), replacing(path) as part:
        converted = torch.onnx.export(program, input_names=INPUTS, output_names=OUTPUTS,
                                      verbose=False)
        part.write_bytes(converted.model_proto.SerializeToString())


def check_onnx_packages(path: str | Path) -> None:
    """Refuse to write ONNX if the packages for it are missing. path: for the message."""
    if lacking := [name for name in ONNX_PACKAGES if importlib.util.find_spec(name) is None]:
        raise UserError(f"{path}: ONNX needs {' and '.join(lacking)}; pip install "
                        f"{' '.join(ONNX_PACKAGES)}, or write a .pt2 file")


def difference(model: torch.nn.Module, run, channels: int, length: int) -> float:
    """The largest difference between `run` and the network, for two batch sizes.

    It is a share of the largest value of an output. run: function
    (features, num_frames) -> one tensor per field of Predictions.
    """
    largest = 0.0
    features, num_frames = probe(channels, length, seed=1)
    for count in (1, len(num_frames)):
        some = features[:count], num_frames[:count]
        with torch.no_grad():
            expected = vars(model(*some)).values()
        for value, found in zip(expected, run(*some), strict=True):
            error = (torch.as_tensor(found).detach() - value).abs().max() / value.abs().max()
            largest = max(largest, float(error))
    return largest


def agrees_from(config: Config) -> int:
    """From how many frames on ONNX and PyTorch agree, since no cell needs excluded neighbours.

    A cell in a magnified copy takes half of its K neighbours from outside the copy;
    the other half may come from there too. With fewer than K cells outside, excluded
    ones may have to fill up. They are all equally far, and which of them torch.topk
    takes is undefined.
    """
    if not (config.use_VSS and config.use_xGPN):
        return 1
    # XGPN.encode puts the copy's first cell of the coarsest graph, whose cells have this
    # length, at (num_frames + gap) // length.
    length = 2 ** config.num_levels
    first = config.num_neigh * length - config.stitch_gap
    not_stitched = int(config.short_ratio * config.temporal_scale) + 1
    return max(1, min(first, not_stitched))


@contextlib.contextmanager
def ties_by_index():
    """Break ties in the neighbour search by the lowest index, as ONNX does."""
    torch_rule = GCNs.nearest
    GCNs.nearest = lambda distance, count: distance.sort(dim=-1, stable=True).indices[..., :count]
    try:
        yield
    finally:
        GCNs.nearest = torch_rule


@contextlib.contextmanager
def _quiet():
    """Silence the messages of torch's exporters."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
