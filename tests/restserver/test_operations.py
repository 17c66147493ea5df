"""The dashboard and the alert rules that come as examples: everything they name is something the server tells."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from restserver.app import create_app
from restserver.assembling.backends import launcher_backend
from restserver.launchers.protection import NAMES
from restserver.seeing.metrics import Figure
from restserver.settings import Settings
from tests.restserver.wsgi_client import ask

OPERATIONS = Path(__file__).parents[2] / "examples" / "operations"
SAMPLES_OF_KIND = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
OF_PROMETHEUS = {"job", "instance"}
_NAME = re.compile(r"\b(?:restserver|process|python)_[a-z_]+")
_MATCHER = re.compile(r'([a-z_]+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')
_GROUPING = re.compile(r"\bby \(([^)]*)\)")


@pytest.fixture(scope="module")
def told() -> tuple[set[str], set[str]]:
    """Names of samples and of labels, as a server with a real launcher tells them."""
    nobody = "http://127.0.0.1:1"
    settings = Settings(backend="launcher", launcher_url=nobody, rm_url=nobody, dialect="open", history_url="sqlite://")
    built = launcher_backend(replace(settings, poll_interval=3600.0))
    built.backend.metrics.sources.append(polled)
    app = create_app(built.backend, settings)
    built.backend.metrics.resource_manager_failures.one_more("refused")
    assert isinstance(ask(app, "/api/v2/jobs/x").json["message"], str)
    ask(app, "/metrics")
    names: set[str] = set()
    labels: set[str] = set()
    for family in text_string_to_metric_families(ask(app, "/metrics").body.decode()):
        names |= {family.name + ending for ending in SAMPLES_OF_KIND.get(family.type, ("",))}
        labels |= {label for sample in family.samples for label in sample.labels}
    built.close()
    return names, labels


def polled() -> Iterator[Figure]:
    """What an archiver tells once it has polled: the names are pinned by its own test."""
    for name in ("archiver_lag_seconds", "archiver_frameworks", "archiver_fetched", "history_gaps"):
        yield Figure(f"restserver_{name}", "gauge", "", (), {(): 1.0})


def expressions(document: Any) -> Iterator[str]:
    """Every query in a dashboard or a file of rules, wherever it stands."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key in ("expr", "query") and isinstance(value, str) and "_" in value:
                yield value
            else:
                yield from expressions(value)
    elif isinstance(document, list):
        for value in document:
            yield from expressions(value)


def dashboard() -> Any:
    return json.loads((OPERATIONS / "grafana-dashboard.json").read_text(encoding="utf-8"))


def rules() -> Any:
    return YAML(typ="safe", pure=True).load((OPERATIONS / "prometheus-rules.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("read", [dashboard, rules])
def test_everything_they_name_is_told(read: Any, told: tuple[set[str], set[str]]) -> None:
    names, labels = told
    found = list(expressions(read()))
    assert len(found) >= 7
    for expression in found:
        used = set(_NAME.findall(expression))
        assert used, expression
        assert used <= names, expression
        grouped = {label.strip() for group in _GROUPING.findall(expression) for label in group.split(",")}
        matched = {label for label, _ in _MATCHER.findall(expression)}
        assert grouped | matched <= labels | OF_PROMETHEUS, expression
        # A list of values to choose from is Grafana's own question.
        query = re.sub(r"^label_values\((.*), *\w+\)$", r"\1", expression)
        promql_parser.parse(query.replace("$__rate_interval", "5m"))


def test_the_parser_refuses_what_prometheus_would() -> None:
    for wrong in ("sum(rate(x[5m])", "rate(x)", "sum by job (x)", "max(x{a=b})", "no_such_function(x)"):
        with pytest.raises(ValueError, match=r"\S"):
            promql_parser.parse(wrong)


def test_every_figure_of_the_server_is_on_the_dashboard_or_watched(told: tuple[set[str], set[str]]) -> None:
    shown = " ".join([*expressions(dashboard()), *expressions(rules())])
    ours = {name for name in told[0] if name.startswith("restserver_")}
    families = {re.sub(r"_(?:total|bucket|count|sum)$", "", name) for name in ours}
    assert {family for family in families if family not in shown} == set()


def test_that_no_server_is_scraped_is_seen_by_what_each_tells_before_anybody_asked() -> None:
    settings = Settings(backend="launcher", launcher_url="http://127.0.0.1:1", dialect="private")
    built = launcher_backend(settings)
    first = ask(create_app(built.backend, settings), "/metrics").body.decode()
    built.close()
    (down,) = [rule["expr"] for group in rules()["groups"] for rule in group["rules"] if "absent(" in rule["expr"]]
    (name,) = _NAME.findall(down)
    assert f"\n{name}{{" in first


def test_every_rule_says_what_it_means() -> None:
    for group in rules()["groups"]:
        names = [rule["alert"] for rule in group["rules"]]
        assert len(names) == len(set(names))
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in ("critical", "warning")
            assert rule["annotations"]["summary"].endswith(".")
            sides = re.findall(r'side="([a-z_]+)"', rule["expr"])
            assert set(sides) <= set(NAMES)


def test_panels_do_not_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        at = panel["gridPos"]
        cells = {(at["x"] + dx, at["y"] + dy) for dx in range(at["w"]) for dy in range(at["h"])}
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells
