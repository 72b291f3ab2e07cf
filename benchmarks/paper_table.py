"""The paper's rows, with the figures of your own run next to the published ones.

    python benchmarks/paper_table.py                                # the published rows
    python benchmarks/paper_table.py thumos-tsn OUTPUT/metrics.json
"""

import argparse
import json
import sys
from pathlib import Path

# mAP in percent by tIoU; `average` over the thresholds that the row's averages are known for.
PUBLISHED = {
    "thumos-tsn": ("THUMOS14, TSN, paper",
                   {"0.3": 66.7, "0.4": 60.4, "0.5": 52.4, "0.6": 41.0, "0.7": 30.4}),
    "thumos-tsn-released": ("THUMOS14, TSN, released model",
                            {"0.3": 67.92, "0.4": 61.09, "0.5": 52.99, "0.6": 41.78, "0.7": 29.24}),
    "activitynet-tsn": ("ActivityNet-1.3, TSN, paper",
                        {"0.5": 52.38, "0.75": 36.01, "0.95": 8.37, "average": 35.07}),
    "activitynet-i3d": ("ActivityNet-1.3, I3D, paper",
                        {"0.5": 52.3, "0.75": 35.2, "0.95": 8.3, "average": 34.7}),
}
AVERAGE = "0.5:0.95"


def main(argv=None):
    """Run the benchmark. argv: words of the command line, None for those of the process."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("row", nargs="?", choices=PUBLISHED)
    parser.add_argument("metrics", nargs="?", type=Path, help="metrics.json of Eval.py")
    words = parser.parse_args(argv)
    for row in [words.row] if words.row else PUBLISHED:
        title, published = PUBLISHED[row]
        print(f"| {title} |" + "".join(f" {t} |" for t in published))
        print("|" + "---|" * (len(published) + 1))
        print("| published |" + "".join(f" {value:.2f} |" for value in published.values()))
        if words.metrics:
            found = own_figures(json.loads(words.metrics.read_text()), published)
            print("| this run |" + "".join(f" {value} |" for value in found))
    return 0


def own_figures(scores, wanted):
    """Figures of metrics.json for the columns of a published row, `-` where it has none."""
    by_threshold = {f"{t:g}": 100 * value for t, value in
                    zip(scores["tiou_thresholds"], scores["mAP"], strict=True)}
    by_threshold["average"] = 100 * scores["average_mAP"].get(AVERAGE, float("nan"))
    return [f"{by_threshold[t]:.2f}" if t in by_threshold else "-" for t in wanted]


if __name__ == "__main__":
    sys.exit(main())
