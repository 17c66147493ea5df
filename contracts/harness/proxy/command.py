"""``restserver proxy URL``. Exit 0: nothing broke; 1: something did; 2: usage; 3: the server was never reached."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from contracts import registry
from contracts.harness.cli import REPORTS, OneOf, Unusable

BAD_REQUESTS: Final = "bad-requests"
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True)
class Options:
    """The flags of ``proxy``."""

    url: str
    host: str
    port: int
    style: str
    contract: Path | None
    errors: bool
    tolerate: tuple[str, ...]
    timeout: float
    insecure: bool
    report: tuple[str, ...]
    report_dir: Path


@click.command(context_settings={"help_option_names": ["--help"]})
@click.argument("url", metavar="URL")
@click.option("-H", "--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "-p",
    "--port",
    type=click.IntRange(0, 65535),
    default=9187,
    show_default=True,
    help="Port to listen on; 0 is any free port.",
)
@click.option(
    "--style",
    type=click.Choice(registry.STYLES),
    default=registry.STYLES[0],
    show_default=True,
    help="How the server names its answers.",
)
@click.option("--contract", type=_FILE, help="Another OpenAPI 3 document of the same API to judge by.")
@click.option(
    "--errors", is_flag=True, help="Refuses what breaks the contract (application/problem+json) instead of marking it."
)
@click.option("--tolerate", type=click.Choice(["extra-keys", BAD_REQUESTS]), multiple=True, help="What is no finding.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="To connect, and between two pieces of an answer.",
)
@click.option("--insecure", is_flag=True, help="Takes any TLS certificate.")
@click.option("--report", type=OneOf(REPORTS), default=(), help="Reports to write at the end.")
@click.option(
    "--report-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("proxy-report"),
    show_default=True,
    help="Where they go.",
)
def proxy(**flags: Any) -> int:
    """Stands before a running server and judges what passes by.

    Answers that break the contract are marked by the header sl-violations. Ends with SIGINT or SIGTERM: then it says what
    broke and what of the contract was met, and exits 1 if anything broke, 3 if the server could never be reached.
    """
    if any(importlib.util.find_spec(module) is None for module in ("h11", "jsonschema_rs")):
        raise Unusable("proxy needs what is not installed: pip install 'restserver[check]'")
    from contracts.harness.proxy.running import run  # only now: what it needs is there

    return run(Options(**flags))
