"""The ratios of a run as a picture: each row that has one, and the target it has to reach. Needs matplotlib, or says so."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.table import Row

COLOURS = {True: "#2a7f4f", False: "#b3412e", None: "#6b7785"}


def plotted(rows: Sequence[Row], folder: Path) -> str:
    """Writes ``ratios.svg`` and ``ratios.png``; a line that says what came of it."""
    try:
        import matplotlib as mpl
    except ImportError:
        return "no plot: matplotlib is not installed"
    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "restserver"  # or else every run would change every id
    from matplotlib import pyplot as plt

    shown = [row for row in rows if row.ratio is not None][::-1]
    figure, axes = plt.subplots(figsize=(12, 1 + 0.5 * len(shown)), layout="constrained")
    for place, row in enumerate(shown):
        axes.barh(place, row.ratio or 0.0, color=COLOURS[row.met], height=0.6)
        axes.text(row.ratio or 0.0, place, f" {row.ratio:.2f}  {row.target}", va="center", fontsize=8)
    axes.set_yticks(range(len(shown)), [f"{row.what}\nagainst {row.against}" for row in shown], fontsize=7)
    axes.axvline(1.0, color="black", linewidth=0.6)
    axes.margins(x=0.25)
    axes.set_xlabel("ratio within one run (green: target met, red: missed, grey: no target)")
    for ending in ("svg", "png"):
        figure.savefig(folder / f"ratios.{ending}", dpi=120, metadata={"Date": None} if ending == "svg" else None)
    plt.close(figure)
    return f"plot: {folder / 'ratios.svg'}, ratios.png"
