"""Write the network of a run for other programs: torch.export (.pt2) or ONNX (.onnx).

    python Export_model.py --checkpoint_path RUN -o model.onnx
"""

import os
import sys

# With -P, -I or PYTHONSAFEPATH, sys.path lacks the folder of the script.
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import Utils.packages  # noqa: F401  (reports missing packages)

# isort: split
import importlib.util
from pathlib import Path

import torch

from Engine.inference.network import build, class_names, trained
from Engine.inference.network_export import (
    TOLERANCE,
    agrees_from,
    check_onnx_packages,
    difference,
    exported,
    ties_by_index,
    write_onnx,
    write_program,
)
from Utils.config.resolve import resolve, settings
from Utils.files import UserError, write_json
from Utils.run import Stopwatch, script_main
from Utils.words import Parser

WRITERS = {".pt2": write_program, ".onnx": write_onnx}


@script_main
def main(argv=None):
    """Run the script. argv: its words, None for those of the process. -> exit code."""
    watch, words = Stopwatch(), parser().parse_args(argv)
    out = Path(words.out)
    if out.suffix not in WRITERS:
        raise UserError(f"-o {out}: name a file that ends in {' or '.join(WRITERS)}")
    if out.suffix == ".onnx":
        check_onnx_packages(out)
    given = {name: value for name, value in vars(words).items() if name != "out" and value}
    config, checkpoint, notes = trained(resolve(given))
    print(*notes, sep="\n", end="\n" * bool(notes))
    model = build(config, checkpoint, torch.device("cpu"))
    shape = config.num_channels, config.temporal_scale
    WRITERS[out.suffix](out, exported(model, *shape))
    write_json(out.with_suffix(".json"), facts(config, checkpoint))
    print(CHECKS[out.suffix](out, model, shape))
    if out.suffix == ".onnx" and (least := agrees_from(config)) > 1:
        print(f"windows of fewer than {least} frames may lack neighbours outside their magnified "
              "copy: there ONNX takes the first excluded ones and PyTorch arbitrary ones, so their "
              "scores may differ")
    print(watch.summary(f"{out}, and {out.with_suffix('.json')} with its classes and settings,"))
    return 0


def facts(config, checkpoint):
    """What a program needs to know besides the network, as a JSON-able dict."""
    measured = checkpoint.get("standard") or {}
    standard = {stream: {"mean": part["mean"].tolist(), "factor": part["factor"].tolist()}
                for stream, part in measured.items()}
    return {"classes": class_names(config, checkpoint), "standard": standard or None,
            "agrees_from": agrees_from(config), "settings": settings(config)}


def check_program(path, model, shape):
    """A line about a .pt2 file; UserError if it does not compute what the network does."""
    run = torch.export.load(path).module()
    return f"{path} agrees with the network: {agreement(path, model, run, shape)}"


def check_onnx(path, model, shape):
    """As `check_program`, for an ONNX file; without onnxruntime, the line says so."""
    if importlib.util.find_spec("onnxruntime") is None:
        return f"{path} was not checked against the network: onnxruntime is not installed"
    run = onnx_runner(path)
    with ties_by_index():
        return f"{path} agrees with the network: {agreement(path, model, run, shape)}"


def onnx_runner(path):
    """(features, num_frames) -> the outputs of an ONNX file, on the CPU."""
    import onnxruntime
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda features, num_frames: session.run(
        None, {"features": features.numpy(), "num_frames": num_frames.numpy()})


def agreement(path, model, run, shape):
    """How well `run` agrees with the network, in words; UserError if it does not."""
    error = difference(model, run, *shape)
    if not error <= TOLERANCE:
        raise UserError(f"{path} differs from the network by {error:.1e} of an output's largest "
                        f"value, more than {TOLERANCE:g}; do not use it, and report this together "
                        f"with the versions of torch ({torch.__version__}) and of ONNX's packages")
    return f"largest difference {error:.1e} of an output's largest value"


CHECKS = {".pt2": check_program, ".onnx": check_onnx}


def parser():
    """The options."""
    words = Parser(prog="Export_model.py", description=__doc__.splitlines()[0])
    words.add_argument("--checkpoint_path", required=True, metavar="RUN",
                       help="folder of the run's checkpoints")
    words.add_argument("--checkpoint", choices=("best", "last"),
                       help="which of them (default: the one that Infer.py reads)")
    words.add_argument("-o", "--out", required=True, metavar="FILE",
                       help="a .pt2 file for torch.export.load, or .onnx; a .json with the classes "
                            "and settings is written next to it")
    return words


if __name__ == "__main__":
    sys.exit(main())
