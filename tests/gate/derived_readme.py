"""The parts of the README that are made from something else: the settings table and the figures.

``python -m tests.gate.derived_readme`` writes them anew; a test fails when they are stale.
"""

import re

from restserver.settings import settings_table
from tests.gate.readme import ROOT

RESULTS = ROOT / "benchmarks" / "results" / "table.md"


def derived(text: str) -> str:
    for name, content in (("settings", settings_table()), ("figures", RESULTS.read_text(encoding="utf-8"))):
        mark = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not mark.search(text):
            raise ValueError(f"the README has no place for its {name}")
        text = mark.sub(lambda found, new=content: f"{found[1]}\n{new.strip()}\n\n{found[2]}", text)  # type: ignore[misc]  # a default keeps the loop's value
    return text


def main() -> None:
    readme = ROOT / "README.md"
    readme.write_text(derived(readme.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
