"""The rows the benchmarks report: a figure, what it is measured against, the ratio and, where there is one, the target."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table. ``ratio`` is within one interleaved run; the absolute figures depend on the machine."""

    what: str
    figure: str
    against: str
    ratio: float | None = None
    target: str = ""
    met: bool | None = None


def markdown(rows: Iterable[Row]) -> str:
    lines = ["| What | Figure | Against, in the same run | Ratio | Target | Met |", "|---|---|---|---|---|---|"]
    words = {True: "yes", False: "**no**", None: ""}
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        lines.append(f"| {row.what} | {row.figure} | {row.against} | {ratio} | {row.target} | {words[row.met]} |")
    return "\n".join(lines) + "\n"
