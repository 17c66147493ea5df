"""From a folder of recordings to a profile's file."""

from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from msgspec import Struct

from contracts.launcher.timelines import read_recordings
from simulator.learning.fitting import fit
from simulator.learning.shapes import Mix
from simulator.learning.sightings import jobs_of
from simulator.world.profile_files import read, shipped_mix


class Learned(Struct, frozen=True):
    text: str
    """The file."""
    notes: tuple[str, ...]
    """What was fitted to how many, and what was left at default; a line each. They stand in the file, too."""
    warnings: tuple[str, ...]
    """What had to be left out of the recordings."""


def learned(folder: Path) -> Learned:
    """Raises RecordingsError and TooFew."""
    recordings = read_recordings(folder)
    fitted = fit(jobs_of(recordings), shipped_mix("default"))
    text = _written(fitted.mix, fitted.notes)
    read(text.encode(), "the fitted profile")  # a profile like any other: what is written here, --profile takes
    return Learned(text, fitted.notes, recordings.cut_off)


def _written(mix: Mix, notes: Sequence[str]) -> str:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 120
    out = StringIO()
    out.writelines(f"# {note}\n" for note in notes)
    yaml.dump(_compact(mix), out)
    return out.getvalue()


def _compact(value: object) -> object:
    """What holds nothing but words and numbers stands on one line, as in the shipped profiles."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    if not isinstance(value, dict | list):
        return value
    held = CommentedMap((key, _compact(each)) for key, each in value.items()) if isinstance(value, dict) else None
    shown = CommentedSeq(map(_compact, value)) if held is None else held
    inner = value.values() if isinstance(value, dict) else value
    if not any(isinstance(each, dict | list) for each in inner) and value:
        shown.fa.set_flow_style()
    return shown
