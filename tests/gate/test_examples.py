"""The examples for operators hold: manifests by Kubernetes' own schemas, the unit by systemd, settings by ours; the image is built by hand."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click import Command
from jsonschema import Draft7Validator

from restserver.cli import COMMANDS, restserver
from restserver.settings import Settings, setting_fields
from tests.gate.examples import (
    CONTAINERFILE,
    ROOT,
    UNIT,
    Process,
    containers,
    image_environ,
    instructions,
    last_stage,
    manifests,
    objects,
    of_last_stage,
    processes,
    unit,
    unit_environ,
    workloads,
)
from tests.restserver.small_launcher import small
from tests.restserver.wsgi_client import ask

PROCESSES = list(processes())
VARIABLES = {setting.variable for _, setting in setting_fields()}
NOT_OURS = {"PATH", "PYTHONUNBUFFERED"}
SCHEMAS = json.loads((ROOT / "fixtures" / "kubernetes" / "schemas.json").read_text(encoding="utf-8"))


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.where)
def test_every_variable_is_a_setting_and_every_value_is_one(process: Process, tmp_path: Path) -> None:
    ours = {name: value for name, value in process.environ.items() if name not in NOT_OURS}
    assert set(ours) <= VARIABLES
    secrets = {"history-url": "postgresql+psycopg://restserver:pw@postgres/restserver"}

    def there(found: re.Match[str]) -> str:
        """The file a secret is in, made for this test."""
        path = tmp_path / Path(found[1]).name
        path.write_text(secrets.get(path.name, "a-secret"), encoding="utf-8")
        return f"@{path}"

    settings = Settings.from_environ({name: re.sub(r"@(\S+)$", there, value) for name, value in ours.items()})
    assert settings.backend == ("simulated" if process.where == "container" else "launcher")
    if process.where != "container":
        assert settings.launcher_headers == (("Authorization", "a-secret"),)


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.where)
def test_every_command_and_flag_exists(process: Process) -> None:
    program, command, *flags = process.arguments
    assert Path(program).name == "restserver"
    assert command in COMMANDS
    found = restserver.get_command(None, command)  # type: ignore[arg-type]  # a lazy group needs no context
    assert isinstance(found, Command)
    known = {option for parameter in found.params for option in parameter.opts}
    assert {flag.partition("=")[0] for flag in flags if flag.startswith("-")} <= known
    used = {name for name in process.environ if name in VARIABLES}
    fields = {setting.variable: entry.name for entry, setting in setting_fields()}
    takes = {parameter.name for parameter in found.params}
    surplus = {name for name in used if fields[name] not in takes}
    # The settings of the image and of the shared map are those of all roles.
    shared = set(image_environ()) | set(objects("ConfigMap")["restserver"]["data"])
    assert surplus <= shared


def test_what_comments_show_exists_too() -> None:
    shown = set()
    for path in sorted((ROOT / "examples").rglob("*")):
        if path.is_file() and path.suffix != ".json":
            text = path.read_text(encoding="utf-8")
            for name in re.findall(r"-e ([A-Z_]+)=", text):
                assert name in VARIABLES, path
                shown.add("variable")
            for command in re.findall(r"`restserver ([a-z]+)", text):
                assert command in COMMANDS, path
                shown.add("command")
    assert shown == {"variable", "command"}


# --- Kubernetes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "document"), [pytest.param(f, d, id=f"{d['kind']} {d['metadata']['name']}") for f, d in manifests()]
)
def test_every_object_is_as_kubernetes_wants_it(file: str, document: Any) -> None:
    kind = SCHEMAS["kinds"][f"{document['apiVersion']} {document['kind']}"]
    schema = {"$ref": f"#/definitions/{kind}", "definitions": SCHEMAS["definitions"]}
    errors = [f"{error.json_path}: {error.message}" for error in Draft7Validator(schema).iter_errors(document)]
    assert errors == [], file


def test_the_schemas_do_refuse_what_is_wrong() -> None:
    document = json.loads(json.dumps(objects("Deployment")["restserver"]))
    document["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    document["spec"]["replicas"] = "three"
    schema = {"$ref": "#/definitions/io.k8s.api.apps.v1.Deployment", "definitions": SCHEMAS["definitions"]}
    assert len(list(Draft7Validator(schema).iter_errors(document))) == 2


def test_selectors_ports_volumes_and_names_fit_each_other() -> None:
    for workload in workloads():
        spec, pod = workload["spec"], workload["spec"]["template"]["spec"]
        labels = spec["template"]["metadata"]["labels"]
        assert spec["selector"]["matchLabels"].items() <= labels.items()
        volumes = {volume["name"] for volume in pod["volumes"]}
        volumes |= {claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates", ())}
        for container in pod["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
            ports = {port["name"] for port in container.get("ports", ())}
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                if "httpGet" in container.get(probe, {}):
                    assert container[probe]["httpGet"]["port"] in ports
    all_labels = [workload["spec"]["template"]["metadata"]["labels"] for workload in workloads()]
    selecting = [service["spec"]["selector"] for service in objects("Service").values()]
    selecting += [one["spec"]["selector"]["matchLabels"] for one in objects("PodDisruptionBudget").values()]
    selecting += [one["spec"]["podSelector"]["matchLabels"] for one in objects("NetworkPolicy").values()]
    for selector in selecting:
        assert sum(selector.items() <= labels.items() for labels in all_labels) == 1
    assert objects("StatefulSet")["postgres"]["spec"]["serviceName"] in objects("Service")


def test_secrets_are_files_and_every_file_that_is_named_is_mounted() -> None:
    text = "".join(
        path.read_text(encoding="utf-8") for path in sorted((ROOT / "examples" / "kubernetes").glob("*.yaml"))
    )
    made = {
        name: set(re.findall(r"--from-file=([a-z-]+)", line))
        for name, line in re.findall(r"secret generic (\w+)((?:[^\n]*\\\n)*[^\n]*)", text)
    }
    for pod, container in containers():
        mounted = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        secret_of = {volume["name"]: volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume}
        given = {one["name"]: one["value"] for one in container.get("env", ())}
        for source in container.get("envFrom", ()):
            given |= objects("ConfigMap")[source["configMapRef"]["name"]]["data"]
        files = [found for value in given.values() for found in re.findall(r"(/run/secrets/\S+)$", value)]
        assert files
        for file in files:
            folder, _, name = file.rpartition("/")
            assert name in made[secret_of[mounted[folder]]], file
        assert not [
            name
            for name, value in given.items()
            if re.search(r"password|bearer [a-z0-9]", value, re.IGNORECASE) and "/run/" not in value
        ]


def test_pods_have_no_more_rights_than_they_need() -> None:
    user = int(of_last_stage("USER").partition(":")[0])
    for pod, container in containers():
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]
        if container["image"] == "restserver":
            assert pod["securityContext"]["runAsUser"] == user
            assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_probes_ask_what_the_server_answers_with_the_launcher_down_too() -> None:
    from contracts.launcher.port import LauncherUnavailable

    served = small(error=LauncherUnavailable("gone"))
    (container,) = (one for _, one in containers() if one["name"] == "server")
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert ask(served.app, container[probe]["httpGet"]["path"]).status == 200
    served.app.stopping = True
    assert ask(served.app, container["readinessProbe"]["httpGet"]["path"]).status == 503
    assert ask(served.app, container["livenessProbe"]["httpGet"]["path"]).status == 200


def test_a_pod_has_time_to_finish_what_is_in_flight() -> None:
    (process,) = (one for one in PROCESSES if one.where == "kubernetes server")
    delay, timeout = float(process.environ["STOP_DELAY"]), float(process.environ["LAUNCHER_TIMEOUT"])
    grace = objects("Deployment")["restserver"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace >= delay + timeout + 30


# --- systemd ----------------------------------------------------------------------------------------------------------


_ANALYZE = shutil.which("systemd-analyze") or "/usr/bin/systemd-analyze"


@pytest.mark.needs("systemd-analyze")
def test_systemd_accepts_the_unit_and_finds_it_hardened(tmp_path: Path) -> None:
    path = tmp_path / UNIT.name
    program = Path(sys.executable).with_name("restserver")
    path.write_text(
        UNIT.read_text(encoding="utf-8").replace("/opt/restserver/bin/restserver", str(program)), encoding="utf-8"
    )
    verify = [_ANALYZE, "verify", str(path)]
    verified = subprocess.run(verify, capture_output=True, text=True, check=False, timeout=60)
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    judged = [_ANALYZE, "security", "--offline=true", "--threshold=20", str(path)]  # 100: fully exposed
    assert subprocess.run(judged, capture_output=True, check=False, timeout=60).returncode == 0


def test_every_credential_of_the_unit_is_used_and_every_one_used_is_loaded() -> None:
    loaded = {value.partition(":")[0] for name, value in unit() if name == "LoadCredential"}
    used = {found for value in unit_environ().values() for found in re.findall(r"@%d/(\S+)", value)}
    assert loaded == used


# --- the image --------------------------------------------------------------------------------------------------------


def test_the_image_is_what_it_should_be() -> None:
    told = instructions()
    bases = [value.split()[0] for word, value in told if word == "FROM"]
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+-slim", bases[0]), "no registry is named: whoever builds has one"
    with (ROOT / "pyproject.toml").open("rb") as file:
        wanted = tomllib.load(file)["project"]["requires-python"]
    assert bases[0].removeprefix("python:").removesuffix("-slim") == wanted.removeprefix(">=")
    words = [word for word, _ in last_stage()]
    assert {"USER", "HEALTHCHECK", "ENTRYPOINT", "CMD", "EXPOSE"} <= set(words)
    assert int(of_last_stage("USER").partition(":")[0]) >= 1000
    assert "ADD" not in words
    assert of_last_stage("EXPOSE") == image_environ()["SERVER_PORT"] == str(Settings().port)
    assert CONTAINERFILE.with_name("Containerfile.dockerignore").is_file()


def test_what_is_copied_into_it_is_there_and_reaches_the_builder() -> None:
    copied = [
        name.removeprefix("./")
        for word, value in instructions()
        if word == "COPY" and "--from" not in value
        for name in value.split()[:-1]
    ]
    kept = re.findall(
        r"^!(\S+)$", CONTAINERFILE.with_name("Containerfile.dockerignore").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(copied) == sorted(kept)
    assert all((ROOT / name).exists() for name in copied)
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    packages = {pattern.removesuffix("*") for pattern in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert packages <= set(copied)
    (extras,) = (found.split(",") for _, value in instructions() for found in re.findall(r'"\.\[([a-z,]+)\]"', value))
    assert set(extras) <= project["project"]["optional-dependencies"].keys()


@pytest.mark.proof
def test_its_commands_make_a_server_that_its_health_check_finds_well(tmp_path: Path) -> None:
    """The container file by hand: what it copies and installs, then what it starts, with its own health check."""
    source, prefix = tmp_path / "src", tmp_path / "opt"
    source.mkdir()
    for word, value in instructions():
        if word == "COPY" and "--from" not in value:
            *names, target = value.split()
            for name in names:
                _copied(
                    ROOT / name,
                    source / target / Path(name).name if len(names) > 1 or target.endswith("./") else source / target,
                )
        elif word == "RUN" and "/opt/restserver" in value:
            words = shlex.split(value.replace("/opt/restserver", str(prefix)))
            words[0] = sys.executable if words[0] == "python" else words[0]
            subprocess.run(words, cwd=source, check=True, timeout=300)
    environ = {
        **os.environ,
        **image_environ(),
        "PATH": f"{prefix}/bin:{os.environ['PATH']}",
        "SERVER_HOST": "127.0.0.1",
        "SERVER_PORT": "0",
        "DATA_DIR": str(tmp_path / "data"),
    }
    starts = [*json.loads(of_last_stage("ENTRYPOINT")), *json.loads(of_last_stage("CMD"))]
    check = json.loads(of_last_stage("HEALTHCHECK").partition("CMD")[2])
    program = shutil.which(starts[0], path=environ["PATH"])
    assert program == f"{prefix}/bin/restserver"
    with subprocess.Popen(
        [program, *starts[1:]], env=environ, stdout=subprocess.PIPE, cwd=tmp_path, text=True
    ) as server:
        assert server.stdout is not None
        environ["SERVER_PORT"] = server.stdout.readline().strip().rpartition(":")[2]
        interpreter = str(prefix / "bin" / check[0])
        assert subprocess.run([interpreter, *check[1:]], env=environ, check=False, timeout=30).returncode == 0
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
    unwell = subprocess.run([interpreter, *check[1:]], env=environ, capture_output=True, check=False, timeout=30)
    assert unwell.returncode != 0


def _copied(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)
