"""How the time of a training step is spent, part by part, compared with its pure arithmetic.

    python benchmarks/profile_step.py [--size small|thumos] [--batch 4] [--threads 1] [--device cpu]

Times are those of the operators (on a GPU: of their kernels); a backward operator counts for the
part whose forward operator it belongs to.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile, record_function
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.cases import network_config, network_inputs
from Models.BoundaryAdjust import BoundaryAdjust
from Models.GCNs import GraphConv
from Models.Head import Head
from Models.Loss import Criterion
from Models.VSGN import VSGN
from Models.XGPN import XGPN

PARTS = {XGPN: "convolutions of the pyramid", GraphConv: "graph: products, gather, maximum",
         Head: "heads", BoundaryAdjust: "boundary adjustment", VSGN: "boxes, scores of the frames"}
OPERATORS = {"vsgn::relative_distance": "graph: Gram", "aten::topk": "graph: top-k"}
LOSSES, OPTIMIZER, REST = "losses", "optimizer", "rest"
NAMES = {*PARTS.values(), *OPERATORS.values(), LOSSES, OPTIMIZER}
BACKWARD = "autograd::engine::evaluate_function"


def main(argv=None):
    """Run the benchmark. argv: words of the command line, None for those of the process."""
    words = parse(argv)
    torch.set_num_threads(words.threads)
    step, forward = build(words)
    for _ in range(2):
        step()
    rows, rate = seconds_by_part(step, words.device), matmul_rate(words.device)
    total = sum(rows.values())
    print(f"training step, batch {words.batch}, {words.threads} thread(s), {words.device}\n\n"
          "| part | ms | share |\n|---|---|---|")
    for part, seconds in rows.most_common():
        print(f"| {part} | {1000 * seconds:.1f} | {seconds / total:.0%} |")
    print(f"| all | {1000 * total:.1f} | 100% |\n\nmatrix products: {rate / 1e9:.1f} GFLOP/s")
    for what, call in (("forward", forward), ("step", step)):
        work, taken = flops(call) / words.batch, wall(call, words.device) / words.batch
        print(f"{what}: {work / 1e9:.1f} GFLOP a sample, ideally {1000 * work / rate:.1f} ms, "
              f"measured {1000 * taken:.1f} ms: {work / rate / taken:.0%} of the rate")
    return 0


def parse(argv):
    """The options of the benchmark from its command line."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=("small", "thumos"), default="thumos")
    for name, number in (("--batch", 4), ("--threads", 1)):
        parser.add_argument(name, type=int, default=number)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    return parser.parse_args(argv)


def build(words):
    """(a training step, a forward pass without gradients), as functions; their parts are named."""
    config = network_config(words.size)
    features, frames, targets = (part.to(words.device)
                                 for part in network_inputs(config, words.batch))
    network, criterion = VSGN(config).to(words.device), Criterion(config).to(words.device)
    optimizer = torch.optim.Adam(network.parameters(), 1e-5, fused=True)
    for module in network.modules():
        if type(module) in PARTS:
            module.forward = record_function(PARTS[type(module)])(module.forward)

    def step():
        optimizer.zero_grad(set_to_none=True)
        predictions = network(features, frames)
        with record_function(LOSSES):
            total = criterion.total(criterion(predictions, targets))
        total.backward()
        with record_function(OPTIMIZER):
            optimizer.step()

    return step, lambda: torch.inference_mode()(network)(features, frames)


def seconds_by_part(call, device, runs=3):
    """Seconds of each part in a call, the mean of some. -> Counter, part -> seconds."""
    kinds = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * (device == "cuda")
    with profile(activities=kinds) as seen:
        for _ in range(runs):
            call()
    # Kernels count for the operators that launched them.
    events = sorted((event for event in seen.events() if event.device_type == DeviceType.CPU),
                    key=lambda event: event.time_range.start)
    # A node of the backward pass has the number of the operator that made it, the last with it.
    made = {event.sequence_nr: part for event in events
            if (part := part_of(event, {})) != REST and event.sequence_nr >= 0}
    times = Counter()
    for event in events:
        own = event.self_device_time_total if device == "cuda" else event.self_cpu_time_total
        times[part_of(event, made)] += own / 1e6 / runs
    return times


def part_of(event, made):
    """The part of an operator: the innermost one around it, or that of its forward operator."""
    while event is not None:
        if event.name.startswith(BACKWARD):
            return made.get(event.sequence_nr, REST)
        name = OPERATORS.get(event.name, event.name)
        if name in NAMES:
            return name
        event = event.cpu_parent
    return REST


def flops(call):
    """Arithmetic of a call, counted; of the Gram product, which the counter does not see, too."""
    gram = {torch.ops.vsgn.relative_distance:
            lambda shape, **_: 2 * shape[0] * shape[1] * shape[2] ** 2}
    with FlopCounterMode(display=False, custom_mapping=gram) as counter:
        call()
    return counter.get_total_flops()


def wall(call, device, runs=5):
    """Seconds of a call, the median of some."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return sorted(times)[runs // 2]


def matmul_rate(device, size=2048):
    """FLOP/s of a float32 matrix product."""
    matrix = torch.randn(size, size, device=device)
    matrix @ matrix
    return 2 * size ** 3 / wall(lambda: matrix @ matrix, device)


if __name__ == "__main__":
    sys.exit(main())
