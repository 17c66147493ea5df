"""Settings: where a value comes from, what a wrong one says, and the table made of them."""

from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import click
import pytest

from restserver.commands import serve
from restserver.settings import BadSetting, Settings, setting_fields, settings_table

INTERFACE = {
    "backend": "BACKEND",
    "host": "SERVER_HOST",
    "port": "SERVER_PORT",
    "style": "ANSWER_STYLE",
    "public-url": "PUBLIC_URL",
    "webportal-url": "WEBPORTAL_URI",
    "data-center": "DATA_CENTER",
    "sub-cluster": "SUB_CLUSTER",
    "exit-spec": "EXIT_SPEC",
    "launcher-url": "LAUNCHER_WEBSERVICE_URI",
    "rm-url": "YARN_URI",
    "dialect": "LAUNCHER_DIALECT",
    "launcher-timeout": "LAUNCHER_TIMEOUT",
    "cache-ttl": "CACHE_TTL",
    "stale-if-error": "STALE_IF_ERROR",
    "breaker": "CIRCUIT_BREAKER",
    "launcher-header": "LAUNCHER_HEADERS",
    "launcher-ca": "LAUNCHER_CA",
    "history": "HISTORY_URL",
    "archiver": "ARCHIVER",
    "poll-interval": "POLL_INTERVAL",
    "data-dir": "DATA_DIR",
    "recordings": "RECORDINGS",
    "seed": "SIM_SEED",
    "jobs": "SIM_JOBS",
    "at": "SIM_AT",
    "rate": "SIM_RATE",
    "frozen": "SIM_FROZEN",
    "profile": "SIM_PROFILE",
    "scenarios": "SIM_SCENARIOS",
    "watch": "SIM_WATCH",
    "state": "SIM_STATE",
    "admin": "ADMIN",
    "admin-token": "ADMIN_TOKEN",
    "cors-origin": "CORS_ORIGINS",
    "read-token": "READ_TOKEN",
    "rate-limit": "RATE_LIMIT",
    "server": "WSGI_SERVER",
    "workers": "WORKERS",
    "trusted-proxy": "TRUSTED_PROXIES",
    "stop-delay": "STOP_DELAY",
    "log-format": "LOG_FORMAT",
    "log-level": "LOG_LEVEL",
    "access-log": "ACCESS_LOG",
    "otlp-endpoint": "OTEL_EXPORTER_OTLP_ENDPOINT",
    "management-port": "MANAGEMENT_PORT",
    "config": "CONFIG",
}


def test_names_and_variables_are_those_of_the_interface() -> None:
    assert {setting.name: setting.variable for _, setting in setting_fields()} == INTERFACE


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"WORKERS": "2"}, "--server granian"),
        ({"WORKERS": "2", "WSGI_SERVER": "granian"}, "--backend launcher"),
        (
            {
                "WORKERS": "2",
                "WSGI_SERVER": "granian",
                "BACKEND": "launcher",
                "LAUNCHER_WEBSERVICE_URI": "http://l:1",
            },
            "--management-port",
        ),
        ({"TRUSTED_PROXIES": "10.0.0.1/8"}, "TRUSTED_PROXIES: '10.0.0.1/8'"),
    ],
)
def test_settings_of_the_server_that_cannot_be(given: dict[str, str], says: str) -> None:
    with pytest.raises(BadSetting, match=says):
        Settings.from_environ(given)


def test_several_trusted_proxies_stand_one_a_line() -> None:
    settings = Settings.from_environ({"TRUSTED_PROXIES": "10.0.0.0/8\n2001:db8::1\n"})
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "2001:db8::1/128"]


def test_nothing_given_is_the_simulated_server_on_loopback() -> None:
    settings = Settings.from_environ({})
    assert settings == Settings()
    assert (settings.backend, settings.host, settings.port) == ("simulated", "127.0.0.1", 9186)
    with pytest.raises(FrozenInstanceError):
        settings.port = 1  # type: ignore[misc]  # that it cannot be set is the point


def test_flags_override_the_environment_which_overrides_the_file(tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    file.write_text('port = 1\nhost = "file"\nstyle = "portal"\nfrozen = true\nrate = 2\nlauncher-timeout = 2.5\n')
    environ = {"CONFIG": str(file), "SERVER_PORT": "2", "SERVER_HOST": "environ"}
    settings = Settings.from_environ(environ, {"port": "3"})
    assert (settings.port, settings.host, settings.style) == (3, "environ", "portal")
    assert (settings.frozen, settings.rate, settings.launcher_timeout) == (True, 2.0, 2.5)
    assert Settings.from_environ({}, {"config": str(file)}).port == 1


def test_an_empty_variable_is_none() -> None:
    assert Settings.from_environ({"SERVER_PORT": "", "PUBLIC_URL": ""}) == Settings()


def test_flags_that_were_not_given_change_nothing() -> None:
    flags = {entry.name: () if setting.repeatable else None for entry, setting in setting_fields()}
    assert Settings.from_environ({"SERVER_PORT": "5"}, {**flags, "frozen": False}).port == 5


def test_headers_may_stand_in_files_and_on_several_lines(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("Bearer abc\n")
    flags: dict[str, Any] = {"launcher_headers": (f"Authorization: @{secret}", "X-A:b")}
    assert Settings.from_environ({}, flags).launcher_headers == (("Authorization", "Bearer abc"), ("X-A", "b"))
    environ = {"LAUNCHER_HEADERS": f"Authorization: @{secret}\n\nX-A: b"}
    assert Settings.from_environ(environ).launcher_headers == (("Authorization", "Bearer abc"), ("X-A", "b"))
    file = tmp_path / "c.toml"
    file.write_text('launcher-header = ["X-A: b"]\nadmin-token = "t"\n')
    assert Settings.from_environ({"CONFIG": str(file)}).launcher_headers == (("X-A", "b"),)


@pytest.mark.parametrize(
    ("variable", "value", "wanted"),
    [
        ("PUBLIC_URL", "https://api.example:4431/base/", "https://api.example:4431/base"),
        ("LAUNCHER_TIMEOUT", "2.5", 2.5),
        ("LAUNCHER_TIMEOUT", "3s", 3.0),
        ("CACHE_TTL", "0", 0.0),
        ("CACHE_TTL", "1.5", 1.5),
        ("STALE_IF_ERROR", "60s", 60.0),
        ("CIRCUIT_BREAKER", "off", False),
        ("MANAGEMENT_PORT", "9187", 9187),
        ("SIM_AT", "2026-03-01T12:00:00Z", 1_772_366_400_000),
        ("SIM_AT", "2026-03-01", 1_772_323_200_000),
        ("SIM_RATE", "0.5", 0.5),
        ("SIM_SEED", "7", 7),
        ("ADMIN", "off", False),
        ("ADMIN", "ON", True),
        ("ACCESS_LOG", "false", False),
        ("SIM_FROZEN", "1", True),
    ],
)
def test_values_are_read_from_text(variable: str, value: str, wanted: object) -> None:
    field = next(entry.name for entry, setting in setting_fields() if setting.variable == variable)
    assert getattr(Settings.from_environ({variable: value}), field) == wanted


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BACKEND", "real"),
        ("SERVER_PORT", "65536"),
        ("SERVER_PORT", "-1"),
        ("SERVER_PORT", "x"),
        ("SERVER_PORT", "1.5"),
        ("ANSWER_STYLE", "Portal"),
        ("PUBLIC_URL", "api.example"),
        ("PUBLIC_URL", "ftp://api.example"),
        ("PUBLIC_URL", "http://"),
        ("PUBLIC_URL", "http://[bad"),
        ("PUBLIC_URL", "http://h:99999"),
        ("PUBLIC_URL", "http://h?x=1"),
        ("PUBLIC_URL", "http://a b"),
        ("EXIT_SPEC", "/nowhere/exits.yaml"),
        ("LAUNCHER_DIALECT", "public"),
        ("LAUNCHER_TIMEOUT", "0"),
        ("LAUNCHER_TIMEOUT", "nan"),
        ("LAUNCHER_TIMEOUT", "soon"),
        ("CACHE_TTL", "-1"),
        ("CACHE_TTL", "3601"),
        ("CIRCUIT_BREAKER", "ajar"),
        ("MANAGEMENT_PORT", "65536"),
        ("LAUNCHER_CA", "/nowhere/ca.pem"),
        ("RECORDINGS", "/nowhere"),
        ("SIM_SEED", "1e3"),
        ("SIM_JOBS", "0"),
        ("SIM_AT", "yesterday"),
        ("SIM_AT", "1969-12-31"),
        ("SIM_RATE", "0"),
        ("SIM_RATE", "inf"),
        ("SIM_FROZEN", "maybe"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("CONFIG", "/nowhere/server.toml"),
    ],
)
def test_a_wrong_value_names_the_key_and_the_value(variable: str, value: str) -> None:
    with pytest.raises(BadSetting) as caught:
        Settings.from_environ({variable: value})
    message = str(caught.value)
    assert message.startswith(f"{variable}: ")
    assert repr(value) in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LAUNCHER_HEADERS", "Authorization"),
        ("LAUNCHER_HEADERS", "Authorization secret: x"),
        ("LAUNCHER_HEADERS", "Authorization:"),
        ("LAUNCHER_HEADERS", "Authorization: se\tcret\x00"),
        ("LAUNCHER_HEADERS", "Authorization: @/nowhere/secret"),
        ("ADMIN_TOKEN", "@/nowhere/secret"),
        ("ADMIN_TOKEN", "sec\x7fret"),
    ],
)
def test_a_secret_is_named_but_not_shown(variable: str, value: str) -> None:
    with pytest.raises(BadSetting) as caught:
        Settings.from_environ({variable: value})
    assert str(caught.value).startswith(f"{variable}: its value ")
    assert "Authorization" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("prot = 1", "prot in .*there is no such setting$"),
        ("launcher_url = 'x'", "launcher_url in .*there is no such setting, but launcher-url$"),
        ("config = 'x'", "config in .*there is no such setting"),
        ("port = 70000", "port in .*70000 is not between"),
        ("port = [1]", "port in .*a list is not a value"),
        ("port = 2026-01-01", "port in .*a date is not a value"),
        ("port =", "is not TOML"),
        ("[server]\nport = 1", "server in .*a dict is not a value"),
        ("[serve]\nport = 1", "serve in .*there is no such setting"),
        ("launcher-header = [1, {a = 1}]", "launcher-header in .*"),
    ],
)
def test_a_wrong_file_names_the_key(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "server.toml"
    file.write_text(text)
    with pytest.raises(BadSetting, match=says):
        Settings.from_environ({"CONFIG": str(file)})


def test_a_file_that_is_no_text_is_no_toml(tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(BadSetting, match="is not TOML"):
        Settings.from_environ({"CONFIG": str(file)})


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that cannot be read by anybody")
def test_a_file_that_cannot_be_read_says_so() -> None:
    for variable, reason in (("EXIT_SPEC", "cannot be read"), ("CONFIG", "/proc/self/mem: ")):
        with pytest.raises(BadSetting, match=reason):
            Settings.from_environ({variable: "/proc/self/mem"})


def test_an_exit_spec_is_read_at_start(tmp_path: Path) -> None:
    file = tmp_path / "exits.yaml"
    file.write_text("- {code: 1, name: one}\n")
    assert Settings.from_environ({"EXIT_SPEC": str(file)}).exit_spec.row(1) == {"code": 1, "name": "one"}
    file.write_text("- {name: one}\n")
    with pytest.raises(BadSetting, match="row 1 has no integer code"):
        Settings.from_environ({"EXIT_SPEC": str(file)})


def test_the_launcher_backend_needs_a_launcher() -> None:
    with pytest.raises(BadSetting, match="launcher-url"):
        Settings.from_environ({"BACKEND": "launcher"})
    assert Settings.from_environ({"BACKEND": "launcher", "LAUNCHER_WEBSERVICE_URI": "http://l:1"}).launcher_url


def test_the_flags_of_serve_are_the_settings() -> None:
    options = {option.name: option for option in serve.serve.params if isinstance(option, click.Option)}
    assert set(options) - {"links"} == {entry.name for entry, _ in setting_fields()}
    for entry, setting in setting_fields():
        option = options[entry.name]
        assert f"--{setting.name}" in option.opts
        assert setting.variable in (option.help or "")
        assert option.multiple == setting.repeatable


def test_the_table_has_a_row_for_every_setting() -> None:
    head, line, *rows = settings_table().splitlines()
    assert line == "|---|---|---|---|"
    cells = [row.replace("\\|", "").count("|") for row in (head, *rows)]
    assert set(cells) == {5}
    assert [variable for variable in INTERFACE.values() if any(f"`{variable}`" in row for row in rows)] == list(
        INTERFACE.values()
    )
    text = settings_table()
    assert "| `-p, --port PORT` | `SERVER_PORT` | 9186 | port to listen on; 0 is any free port |" in text
    assert "| `--webportal-url URL` | `WEBPORTAL_URI` | empty |" in text
    assert "| `--frozen` | `SIM_FROZEN` | off |" in text
    assert "| `--rm-url URL` | `YARN_URI` | none |" in text
    assert "| 10 |" in text


def test_the_address_of_the_history_may_stand_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "url"
    path.write_text("postgresql://me:secret@db/history\n")
    assert Settings.from_environ({"HISTORY_URL": f"@{path}"}).history_url == "postgresql://me:secret@db/history"
    path.write_text("mysql://me:secret@db/history\n")
    with pytest.raises(BadSetting, match="its value is not an address") as raised:
        Settings.from_environ({"HISTORY_URL": f"@{path}"})
    assert "secret" not in str(raised.value)
