"""Everything that needs a GPU, in one call of under eight minutes and one table.

    python benchmarks/gpu.py                                  # on the GPU, the paper's sizes
    python benchmarks/gpu.py --annotations FOLDER             # the recipe on THUMOS14's own lengths
    python benchmarks/gpu.py --device cpu --size small        # the same parts, tried on a CPU

Each part runs in its own process, so a failure does not affect others; a part for which too
little of --seconds is left is named as left out. Results: the table on the terminal, and
benchmarks/results/gpu_<device>_<size>.json, written anew after every part.

FOLDER holds thumos_gt.json, val_info.mat and test_info.mat. Without it the videos and actions are
made up, with the numbers and lengths of THUMOS14.
"""

import argparse
import contextlib
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import h5py
import numpy as np
import torch

from benchmarks.cases import network_config, network_inputs
from Evaluation.postprocessing.decoding import decoded
from Models.BatchDecoding import Decoder
from Models.Loss import Criterion
from Models.VSGN import VSGN
from Utils.inputs.dataset import Batch
from Utils.inputs.windows import Window
from Utils.training.process import arithmetic

PRECISIONS = ("fp32", "tf32", "bf16")
# Actions and videos of THUMOS14 (validation and test), and of a few videos for a try.
SIZES = {"thumos": {"videos": (200, 213), "seconds": 220, "actions": 15, "batch": 32, "rate": 30,
                    "channels": 1024, "classes": 20, "epochs": 10},
         "small": {"videos": (4, 3), "seconds": 60, "actions": 4, "batch": 4, "rate": 5,
                   "channels": 32, "classes": 3, "epochs": 1}}


def main(argv=None):
    """Run the benchmark. argv: words of the command line, None for those of the process."""
    words = parse(argv)
    if words.part:
        for row in PARTS[words.part][0](words):
            print("row " + json.dumps(row), flush=True)
        return 0
    end, rows = time.monotonic() + words.seconds, []
    kind = torch.device(words.device).type
    path = ROOT / "benchmarks" / "results" / f"gpu_{kind}_{words.size}.json"
    print("| part | setting | measured |\n|---|---|---|")
    for part, (_, least) in PARTS.items():
        found = measured(part, end - time.monotonic(), least * (words.size != "small"), words)
        print(*(f"| {part} | {setting} | {value} |" for setting, value in found), sep="\n",
              flush=True)
        rows += [[part, *row] for row in found]
        path.write_text(json.dumps({
            "date": str(date.today()), "device": device_name(words.device),
            "torch": torch.__version__, "size": words.size, "rows": rows}, indent=1) + "\n")
    return 0


def parse(argv):
    """The options of the benchmark from its command line."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--size", default="thumos", choices=SIZES)
    parser.add_argument("--annotations", help="folder of THUMOS14's annotation files")
    parser.add_argument("--seconds", type=float, default=460, help="for all parts together")
    parser.add_argument("--part", choices=PARTS, help="this part alone, as rows of JSON")
    words = parser.parse_args(argv)
    if words.device == "cuda" and not torch.cuda.is_available():
        parser.error("torch finds no CUDA device here; --device cpu --size small tries the script")
    return words


def measured(part, left, least, words):
    """The rows (setting, value) of one part, run in a process of its own."""
    if left < least:
        return [("", f"left out: {left:.0f} s were left, it wants {least} s")]
    order = [sys.executable, __file__, "--part", part, "--device", words.device,
             "--size", words.size]
    order += ["--annotations", words.annotations] if words.annotations else []
    try:
        done = subprocess.run(order, capture_output=True, text=True, cwd=ROOT, timeout=left)
    except subprocess.TimeoutExpired as stopped:
        said, problem = (stopped.stdout or b"").decode(), f"stopped after {left:.0f} s"
    else:
        said = done.stdout
        problem = done.returncode and "failed: " + (done.stderr.strip() or "?").splitlines()[-1]
    rows = [tuple(json.loads(line[4:])) for line in said.splitlines() if line.startswith("row ")]
    return rows + [("", problem)] * bool(problem)


def device_name(device):
    return torch.cuda.get_device_name() if device == "cuda" else platform.processor() or "CPU"


# ---- the network --------------------------------------------------------------------------------

def seconds_of(call, device, runs=10):
    """Median seconds of a call, after three that warm up."""
    times = []
    for run in range(3 + runs):
        if device.type == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        call()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times += [time.perf_counter() - start] * (run >= 3)
    return statistics.median(times)


def setup(words):
    """config, device, and a batch on it: features (B, C, T), num_frames (B,), Targets."""
    device, config = torch.device(words.device), network_config(words.size)
    features, frames, targets = network_inputs(config, SIZES[words.size]["batch"])
    return config, device, (features.to(device), frames.to(device), targets.to(device))


def memory(device):
    """Peak memory of the GPU since the last call, in words; empty on a CPU."""
    if device.type != "cuda":
        return ""
    peak = torch.cuda.max_memory_allocated() / 2 ** 30
    torch.cuda.reset_peak_memory_stats()
    return f", peak {peak:.2f} GiB"


def precisions(device):
    return PRECISIONS if device.type == "cuda" else ("fp32", "bf16")


def products(words):
    """The rate of a large matrix product, which bounds all else."""
    device, size = torch.device(words.device), 8192 if words.device == "cuda" else 1024
    for name in precisions(device):
        kind = torch.bfloat16 if name == "bf16" else torch.float32
        a = torch.randn(size, size, device=device, dtype=kind)
        with arithmetic(name, device):
            took = seconds_of(lambda a=a: a @ a, device)
        yield name, f"{2 * size ** 3 / took / 1e9:.0f} GFLOP/s"


def network(words, how=lambda model: model):
    """Forward pass and training step of a batch, in every precision."""
    config, device, (features, frames, targets) = setup(words)
    for name in precisions(device):
        model, criterion = VSGN(config).to(device), Criterion(config).to(device)
        run = how(model)
        optimizer = torch.optim.Adam(model.parameters(), 1e-5, fused=True)

        def forward(run=run, name=name):
            with torch.no_grad(), arithmetic(name, device):
                run(features, frames)

        def step(run=run, name=name, optimizer=optimizer, criterion=criterion):
            optimizer.zero_grad(set_to_none=True)
            with arithmetic(name, device):
                predictions = run(features, frames)
            criterion.total(criterion(predictions, targets)).backward()
            optimizer.step()

        yield f"forward, batch {len(frames)}, {name}", \
            f"{1000 * seconds_of(forward, device):.1f} ms{memory(device)}"
        yield f"training step, batch {len(frames)}, {name}", \
            f"{1000 * seconds_of(step, device):.1f} ms{memory(device)}"


def compiled(words):
    """The same through torch.compile, with the seconds that compiling takes."""
    start = time.perf_counter()
    for setting, value in network(words, torch.compile):
        yield setting, f"{value}; {time.perf_counter() - start:.0f} s with compiling"
        start = time.perf_counter()


def graphs(words):
    """Forward passes replayed as a CUDA graph, compared with plain launches."""
    config, device, (features, frames, _) = setup(words)
    if device.type != "cuda":
        yield "", "CUDA alone has graphs"
        return
    for name in precisions(device):
        model = VSGN(config).to(device).eval()
        with torch.inference_mode(), arithmetic(name, device):
            plain = seconds_of(lambda model=model: model(features, frames), device)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                model(features, frames)
            replayed = seconds_of(graph.replay, device)
        yield f"forward, {name}", f"{1000 * replayed:.1f} ms replayed, {1000 * plain:.1f} launched"


def decoding(words):
    """Proposals of a batch: all at once on the device, and window by window in numpy."""
    config, device, (features, frames, _) = setup(words)
    model = VSGN(config).to(device).eval()
    with torch.inference_mode():
        predictions = model(features, frames)
    batch = windows_batch(frames, config.temporal_scale)
    ways = {"on the device": Decoder(config), "in numpy": None}
    for name, decoder in ways.items():
        took = seconds_of(lambda decoder=decoder: list(
            decoded([(predictions, batch)], config, decoder)), device, runs=3)
        yield f"{len(frames)} windows, {name}", f"{1000 * took:.0f} ms"


def windows_batch(frames, length):
    """A Batch of windows of one made-up video, of which decoding reads no features."""
    count = len(frames)
    windows = [Window("video", length * k, length * k + int(frames[k]) - 1, 30.0, 1e5)
               for k in range(count)]
    origin = torch.tensor([window.start for window in windows], dtype=torch.float64)
    return Batch(features=None, num_frames=frames, targets=None, windows=windows,
                 stitched=frames < length, origin=origin.to(frames.device),
                 rate=torch.full((count,), 30.0, dtype=torch.float64, device=frames.device))


# ---- the scripts --------------------------------------------------------------------------------

def script(name, *flags, processes=1):
    """Run one script; its seconds and its last line. RuntimeError with what it said if it fails."""
    launcher = ["-m", "torch.distributed.run", "--standalone",
                f"--nproc_per_node={processes}"] * (processes > 1)
    start = time.perf_counter()
    done = subprocess.run([sys.executable, *launcher, str(ROOT / f"{name}.py"), *flags], cwd=ROOT,
                          capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{name}.py: {done.stderr.strip().splitlines()[-1]}")
    return time.perf_counter() - start, done.stdout.strip().splitlines()[-1]


def places(folder, device):
    return ["--feature_path", f"{folder}/data", "--window_path", f"{folder}/windows",
            "--checkpoint_path", f"{folder}/run", "--output_path", f"{folder}/out",
            "--device", device]


def demo(words):
    """mAP on the demo data, trained and inferred in every precision by the paper's recipe."""
    few = ["--num_epoch", "1"] if words.size == "small" else []
    for name in precisions(torch.device(words.device)):
        with tempfile.TemporaryDirectory() as folder:
            flags = ["--dataset", "demo", "--recipe", "paper", *places(folder, words.device)]
            script("Cut_long_videos", *flags[:-2])
            took, _ = script("Train", *flags, "--precision", name, *few)
            script("Infer", *flags, "--precision", name, "--checkpoint", "last")
            script("Eval", *flags[:-2])
            scores = json.loads(Path(folder, "out", "metrics.json").read_text())
        (average,) = scores["average_mAP"].values()
        yield name, f"mAP {100 * average:.1f} (average), training {took:.0f} s"


def recipe(words):
    """The whole recipe at THUMOS14's size: cut, train, infer, evaluate."""
    size = SIZES[words.size]
    with tempfile.TemporaryDirectory() as folder:
        flags = thumos_data(Path(folder, "data"), words) + places(folder, words.device)
        flags += ["--recipe", "paper", "--batch_size", str(size["batch"]),
                  "--num_epoch", str(size["epochs"]), "--precision", "bf16"]
        total = 0.0
        for name in ("Cut_long_videos", "Train", "Infer", "Eval"):
            took, last = script(name, *flags)
            total += took
            yield name, f"{took:.1f} s; {last}"
        yield "all four", f"{total:.1f} s"


def distributed(words):
    """Training with a process per GPU (NCCL), or two on a CPU (gloo)."""
    count = torch.cuda.device_count() if words.device == "cuda" else 2
    if count < 2:
        yield "", "one GPU here: NCCL between GPUs is not measured"
        return
    with tempfile.TemporaryDirectory() as folder:
        flags = ["--dataset", "demo", "--recipe", "paper", "--num_epoch", "1",
                 *places(folder, words.device)]
        script("Cut_long_videos", *flags[:-2])
        took, last = script("Train", *flags, processes=count)
        yield f"{count} processes, demo, one epoch", f"{took:.0f} s; {last}"


def thumos_data(folder, words):
    """Random features of THUMOS14's size in `folder`. -> flags that name the data.

    The numbers of all videos are cut from one block, so that writing takes no longer than the disk.
    """
    folder.mkdir()
    size, rng = SIZES[words.size], np.random.default_rng(0)
    if words.annotations:
        from benchmarks import thumos_scale
        thumos_scale.write_data(folder, thumos_scale.parse(["--annotations", words.annotations]),
                                1.0, size["channels"])
        return ["--dataset", "thumos", "--video_anno", str(folder / "thumos_gt.json"),
                "--video_info", words.annotations]
    database = {}
    block = rng.standard_normal((20 * size["rate"] + 5, size["channels"])).astype(np.float16)
    with contextlib.ExitStack() as files:
        streams = [files.enter_context(h5py.File(folder / f"{name}.h5", "w"))
                   for name in ("rgb", "flow")]
        for subset, count in zip(("training", "testing"), size["videos"], strict=True):
            for number in range(count):
                name, seconds = f"{subset}_{number:03d}", float(rng.uniform(0.2, 1.8)
                                                                * size["seconds"])
                frames = round(seconds * size["rate"])
                rows = (np.arange(frames) + number) % len(block)
                for stream in streams:
                    stream[name] = block[rows]
                starts = rng.uniform(0, seconds - 5, size["actions"])
                database[name] = {"subset": subset, "duration": seconds, "annotations": [
                    {"segment": [start, start + 4.0],
                     "label": f"class {rng.integers(size['classes'])}"} for start in starts]}
    (folder / "annotations.json").write_text(json.dumps({"database": database}))
    wide = ["--temporal_scale", "1280"] if words.size == "thumos" else []
    return ["--dataset", "custom", "--video_anno", str(folder / "annotations.json"),
            "--framing", "sliding", "--anchor_scale", "1", "1.5", *wide]


# part -> (its rows, the seconds it wants at the paper's sizes)
PARTS = {
    "matrix product": (products, 10),
    "network": (network, 20),
    "decoding": (decoding, 15),
    "CUDA graph": (graphs, 15),
    "whole recipe": (recipe, 120),
    "demo": (demo, 60),
    "torch.compile": (compiled, 60),
    "processes": (distributed, 20),
}


if __name__ == "__main__":
    sys.exit(main())
