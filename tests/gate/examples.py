"""The examples for operators, read: what each of their processes is called with, and which settings it is given."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockerfile_parse import DockerfileParser  # type: ignore[import-untyped]  # it ships no types
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
CONTAINERFILE = EXAMPLES / "container" / "Containerfile"
MANIFESTS = sorted((EXAMPLES / "kubernetes").glob("*.yaml"))
UNIT = EXAMPLES / "systemd" / "restserver.service"


@dataclass(frozen=True)
class Process:
    """One of ours, as an example starts it."""

    where: str
    arguments: tuple[str, ...]
    environ: Mapping[str, str]


def instructions() -> list[tuple[str, str]]:
    """Of the container file: keyword and the rest, continued lines joined."""
    with CONTAINERFILE.open("rb") as file:
        parser = DockerfileParser(fileobj=file)
        return [(one["instruction"], one["value"]) for one in parser.structure if one["instruction"] != "COMMENT"]


def last_stage() -> list[tuple[str, str]]:
    told = instructions()
    return told[max(at for at, (word, _) in enumerate(told) if word == "FROM") :]


def image_environ() -> dict[str, str]:
    pairs = [pair.partition("=") for word, value in last_stage() if word == "ENV" for pair in shlex.split(value)]
    return {name: value for name, _, value in pairs}


def of_last_stage(word: str) -> str:
    return next(value for keyword, value in reversed(last_stage()) if keyword == word)


def manifests() -> Iterator[tuple[str, Any]]:
    """Every object of every manifest, and the file it is in."""
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 1)  # as Kubernetes reads it
    for path in MANIFESTS:
        for document in yaml.load_all(path.read_text(encoding="utf-8")):
            yield path.name, json.loads(json.dumps(document))


def objects(kind: str) -> dict[str, Any]:
    return {document["metadata"]["name"]: document for _, document in manifests() if document["kind"] == kind}


def workloads() -> list[Any]:
    return [*objects("Deployment").values(), *objects("StatefulSet").values()]


def containers() -> Iterator[tuple[Any, Any]]:
    """Pod and container."""
    for workload in workloads():
        pod = workload["spec"]["template"]["spec"]
        for container in pod["containers"]:
            yield pod, container


def unit() -> list[tuple[str, str]]:
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    pairs = [line.partition("=") for line in lines if re.match(r"[A-Za-z]+=", line)]
    return [(name, value) for name, _, value in pairs]


def unit_environ() -> dict[str, str]:
    file = (EXAMPLES / "systemd" / "restserver.env").read_text(encoding="utf-8")
    assigned = [line for line in file.splitlines() if line and not line.startswith("#")]
    assigned += [shlex.split(value)[0] for name, value in unit() if name == "Environment"]
    return {name: value for name, _, value in (line.partition("=") for line in assigned)}


def processes() -> Iterator[Process]:
    entry, command = json.loads(of_last_stage("ENTRYPOINT")), json.loads(of_last_stage("CMD"))
    environ = image_environ()
    yield Process("container", (*entry, *command), environ)
    for _, container in containers():
        if container["image"] == "restserver":
            given = dict(environ)
            for source in container.get("envFrom", ()):
                given |= objects("ConfigMap")[source["configMapRef"]["name"]]["data"]
            given |= {one["name"]: one["value"] for one in container.get("env", ())}
            yield Process(f"kubernetes {container['name']}", (*entry, *container["args"]), given)
    (start,) = (value for name, value in unit() if name == "ExecStart")
    yield Process("systemd", tuple(shlex.split(start)), unit_environ())
