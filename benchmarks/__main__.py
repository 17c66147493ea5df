"""Runs every benchmark, prints the table and keeps it under ``benchmarks/results/``."""

import argparse
import platform
import time
from pathlib import Path

from benchmarks import archiver, check, hot_path, launcher, proxy, start, throughput, world
from benchmarks.plot import plotted
from benchmarks.table import Row, markdown

BENCHMARKS = (start, throughput, hot_path, world, launcher, check, proxy, archiver)
RESULTS = Path(__file__).resolve().parent / "results"


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="fewer and shorter rounds: two minutes")
    options = arguments.parse_args()
    rows: list[Row] = []
    for benchmark in BENCHMARKS:
        began = time.perf_counter()
        for row in benchmark.rows(quick=options.quick):
            rows.append(row)
            print(markdown([row]).splitlines()[-1], flush=True)
        print(f"({benchmark.__name__}: {time.perf_counter() - began:.0f} s)", flush=True)
    table = markdown(rows)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "table.md").write_text(f"{table}\nCPython {platform.python_version()}, {platform.system()}.\n")
    print(f"\n{table}\n{plotted(rows, RESULTS)}")


if __name__ == "__main__":
    main()
