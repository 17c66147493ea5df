"""Every setting in one place: its name, variable, default, meaning and how its text is read.

Flags override the environment, the environment overrides the file, the file overrides the default. Whatever the source, a
value is text that the same parser reads; a wrong one is :class:`BadSetting`, which names the key and the value, and stops
the program at start. This module is the only door to the environment.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from restserver import setting_values as values
from restserver.answers.exit_spec import ExitSpec, shipped_exit_spec
from restserver.setting_values import Network


class BadSetting(Exception):
    """A setting that cannot be used. One line that names the key and the value."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key}: {reason}")


class Setting(Struct, frozen=True):
    """What is known about a setting, besides its default."""

    name: str
    """The flag without dashes, and the key in the file."""
    variable: str
    meaning: str
    parse: Callable[[str], Any]
    metavar: str = ""
    short: str = ""
    """A one-letter flag."""
    shown_default: str = ""
    """Where the default itself says little."""
    repeatable: bool = False
    secret: bool = False
    """Its value is never printed."""
    switch: bool = False
    """A flag without a value: given means on."""


def _setting(
    default: object, name: str, variable: str, parse: Callable[[str], Any], metavar: str, meaning: str, **more: Any
) -> Any:
    return field(default=default, metadata={_KEY: Setting(name, variable, meaning, parse, metavar, **more)})


_KEY: Final = "setting"
_NAMES: Final = "simulated", "launcher", "recorded"


@dataclass(frozen=True)
class Settings:
    backend: str = _setting(
        "simulated", "backend", "BACKEND", values.choice(*_NAMES), "|".join(_NAMES), "where records come from"
    )
    host: str = _setting("127.0.0.1", "host", "SERVER_HOST", values.text, "HOST", "address to listen on", short="H")
    port: int = _setting(
        9186,
        "port",
        "SERVER_PORT",
        values.integer(0, 65535),
        "PORT",
        "port to listen on; 0 is any free port",
        short="p",
    )
    style: str = _setting(
        "documented",
        "style",
        "ANSWER_STYLE",
        values.choice("documented", "portal"),
        "documented|portal",
        "names of the answers: the document's, or those the deployed web portal reads",
    )
    public_url: str | None = _setting(
        None,
        "public-url",
        "PUBLIC_URL",
        values.url,
        "URL",
        "base of jobFullDetailUrl",
        shown_default="from the request",
    )
    webportal_url: str = _setting("", "webportal-url", "WEBPORTAL_URI", values.url, "URL", "base of webportalLink")
    data_center: str = _setting(
        "", "data-center", "DATA_CENTER", values.text, "NAME", "runningDataCenter of the answers"
    )
    sub_cluster: str = _setting("", "sub-cluster", "SUB_CLUSTER", values.text, "NAME", "subCluster in the links")
    exit_spec: ExitSpec = field(
        default_factory=shipped_exit_spec,
        metadata={
            _KEY: Setting(
                "exit-spec",
                "EXIT_SPEC",
                "rows of appExitSpec, YAML or JSON",
                values.exit_spec,
                "FILE",
                shown_default="the shipped table",
            )
        },
    )
    launcher_url: str | None = _setting(
        None,
        "launcher-url",
        "LAUNCHER_WEBSERVICE_URI",
        values.url,
        "URL",
        "the real launcher; required for --backend launcher",
    )
    rm_url: str | None = _setting(None, "rm-url", "YARN_URI", values.url, "URL", "the real resource manager")
    dialect: str = _setting(
        "private",
        "dialect",
        "LAUNCHER_DIALECT",
        values.choice("private", "open"),
        "private|open",
        "how that launcher speaks",
    )
    launcher_timeout: float = _setting(
        10.0,
        "launcher-timeout",
        "LAUNCHER_TIMEOUT",
        values.seconds,
        "SECONDS",
        "deadline of one call, connect and read together",
    )
    cache_ttl: float = _setting(
        1.0,
        "cache-ttl",
        "CACHE_TTL",
        values.seconds_or_none,
        "SECONDS",
        "how old an answer of the launcher may be; 0 turns cache and single flight off",
    )
    stale_if_error: float = _setting(
        0.0,
        "stale-if-error",
        "STALE_IF_ERROR",
        values.seconds_or_none,
        "SECONDS",
        "how much older it may be, marked by X-Stale-Since, while the launcher fails; 0: an error is an error",
    )
    breaker: bool = _setting(
        True,
        "breaker",
        "CIRCUIT_BREAKER",
        values.on_off,
        "on|off",
        "leaves a launcher alone for a while that fails again and again",
    )
    launcher_headers: tuple[tuple[str, str], ...] = _setting(
        (),
        "launcher-header",
        "LAUNCHER_HEADERS",
        values.header,
        "'NAME: VALUE'",
        "credentials toward launcher and resource manager; a value @FILE is read from a file (in the variable: one a line)",
        repeatable=True,
        secret=True,
    )
    launcher_ca: Path | None = _setting(  # noqa: RUF009 - this is dataclasses.field
        None,
        "launcher-ca",
        "LAUNCHER_CA",
        values.existing_file,
        "FILE",
        "certificates to trust there",
        shown_default="the system's",
    )
    history_url: str | None = _setting(
        None,
        "history",
        "HISTORY_URL",
        values.database_url,
        "URL",
        "where past attempts are kept, for the open dialect (SQLAlchemy URL); @FILE is read from a file",
        shown_default="a SQLite file in --data-dir",
        secret=True,
    )
    archiver: bool | None = _setting(
        None,
        "archiver",
        "ARCHIVER",
        values.on_off,
        "on|off",
        "follows the launcher from within this process",
        shown_default="on for the open dialect",
    )
    poll_interval: float = _setting(
        30.0, "poll-interval", "POLL_INTERVAL", values.seconds, "SECONDS", "how often the archiver looks"
    )
    data_dir: Path | None = _setting(  # noqa: RUF009 - this is dataclasses.field
        None,
        "data-dir",
        "DATA_DIR",
        values.folder_to_be,
        "DIR",
        "what is kept between starts",
        shown_default="the platform's user data folder",
    )
    recordings: Path | None = _setting(  # noqa: RUF009 - this is dataclasses.field
        None,
        "recordings",
        "RECORDINGS",
        values.existing_folder,
        "DIR",
        "for --backend recorded; without --at it stands at the last recorded instant, frozen",
        shown_default="a dozen shipped in the package",
    )
    seed: int = _setting(1, "seed", "SIM_SEED", values.integer(0, 2**63 - 1), "N", "the simulated world")
    jobs: int = _setting(
        200, "jobs", "SIM_JOBS", values.integer(1, 100_000_000), "N", "how many simulated jobs there are at a time"
    )
    at: int | None = _setting(
        None, "at", "SIM_AT", values.instant, "INSTANT", "instant the clock starts at, ISO 8601", shown_default="now"
    )
    rate: float = _setting(1.0, "rate", "SIM_RATE", values.rate, "N", "simulated seconds per second")
    frozen: bool = _setting(
        False, "frozen", "SIM_FROZEN", values.on_off, "", "the clock stands still until moved", switch=True
    )
    profile: str = _setting("default", "profile", "SIM_PROFILE", values.text, "NAME|FILE", "the mix of simulated jobs")
    scenarios: Path | None = _setting(  # noqa: RUF009 - this is dataclasses.field
        None,
        "scenarios",
        "SIM_SCENARIOS",
        values.existing_folder,
        "DIR",
        "stories told by hand, YAML",
        shown_default="the shipped ones",
    )
    watch: bool = _setting(
        False,
        "watch",
        "SIM_WATCH",
        values.on_off,
        "",
        "reads stories and profile anew when their files change",
        switch=True,
    )
    state: Path | None = _setting(  # noqa: RUF009 - this is dataclasses.field
        None,
        "state",
        "SIM_STATE",
        values.file_to_be,
        "FILE",
        "the simulated world: restored at start, saved after every change and at exit",
    )
    admin: bool | None = _setting(
        None,
        "admin",
        "ADMIN",
        values.on_off,
        "on|off",
        "the control plane under /__admin",
        shown_default="on if simulated or recorded and on loopback, else off",
    )
    admin_token: str | None = _setting(
        None,
        "admin-token",
        "ADMIN_TOKEN",
        values.secret,
        "TOKEN",
        "what the control plane asks for beyond loopback; @FILE is read from a file",
        shown_default="made up and printed",
        secret=True,
    )
    cors_origins: tuple[str, ...] = _setting(
        (),
        "cors-origin",
        "CORS_ORIGINS",
        values.origin,
        "ORIGIN",
        "whose pages may read the answers in a browser; those named, but not *, may use the control plane too",
        shown_default="local ones if simulated, else none",
        repeatable=True,
    )
    read_tokens: tuple[str, ...] = _setting(
        (),
        "read-token",
        "READ_TOKEN",
        values.secret,
        "TOKEN",
        "who has none of these gets 401 from the API; @FILE is read from a file (in the variable: one a line)",
        repeatable=True,
        secret=True,
    )
    rate_limit: values.Allowance | None = _setting(  # noqa: RUF009 - this is dataclasses.field
        None,
        "rate-limit",
        "RATE_LIMIT",
        values.allowance,
        "N/s|N/m|N/h",
        "how often one client (an address) may ask a process of this server; more is 429",
    )
    server: str = _setting(
        "waitress",
        "server",
        "WSGI_SERVER",
        values.choice("waitress", "granian"),
        "waitress|granian",
        "what speaks HTTP; granian can use several processors (--workers), and is an extra: restserver[fast]",
    )
    workers: int = _setting(
        1,
        "workers",
        "WORKERS",
        values.integer(1, 64),
        "N",
        "processes that answer; more than one only with --server granian, --backend launcher and --management-port",
    )
    trusted_proxies: tuple[Network, ...] = _setting(
        (),
        "trusted-proxy",
        "TRUSTED_PROXIES",
        values.network,
        "ADDRESS",
        "a proxy whose X-Forwarded headers are believed, or a network of them (in the variable: one a line)",
        repeatable=True,
    )
    stop_delay: float = _setting(
        0.0,
        "stop-delay",
        "STOP_DELAY",
        values.seconds_or_none,
        "SECONDS",
        "how long it goes on answering after SIGTERM while /readyz says stopping, for balancers to see it",
    )
    log_format: str | None = _setting(
        None,
        "log-format",
        "LOG_FORMAT",
        values.choice("text", "json"),
        "text|json",
        "the log on standard error",
        shown_default="text on a terminal, else json",
    )
    log_level: str = _setting(
        "info",
        "log-level",
        "LOG_LEVEL",
        values.choice("debug", "info", "warning", "error"),
        "debug|info|warning|error",
        "least severe message to log",
    )
    access_log: bool = _setting(True, "access-log", "ACCESS_LOG", values.on_off, "on|off", "one line per request")
    otlp_endpoint: str | None = _setting(
        None,
        "otlp-endpoint",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        values.url,
        "URL",
        "a collector of traces (OpenTelemetry over HTTP), for --backend launcher and archive; an extra: restserver[tracing]",
    )
    management_port: int | None = _setting(
        None,
        "management-port",
        "MANAGEMENT_PORT",
        values.integer(0, 65535),
        "PORT",
        "moves /healthz, /readyz and /metrics to a port of their own",
    )
    config: Path | None = _setting(  # noqa: RUF009 - this is dataclasses.field
        None,
        "config",
        "CONFIG",
        values.existing_file,
        "FILE",
        'TOML file with the same keys: launcher-url = "..."',
        shown_default="none",
    )

    def __post_init__(self) -> None:
        if self.backend == "launcher" and self.launcher_url is None:
            raise BadSetting("launcher-url", "a real launcher has to be asked somewhere, and no address is given")
        if self.workers > 1:
            self._require_for_workers()

    def _require_for_workers(self) -> None:
        """A simulated world lives in one process; and each process counts for itself, so each needs its own ``/metrics``."""
        needs = {
            "--server granian": self.server == "granian",
            "--backend launcher": self.backend == "launcher",
            "--management-port (each worker has its own, from that one on)": bool(self.management_port),
        }
        for need, met in needs.items():
            if not met:
                raise BadSetting("workers", f"{self.workers} workers need {need}")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], flags: Mapping[str, object] | None = None) -> "Settings":
        """``flags`` by field name; a value ``None`` (or empty) means the flag was not given. Raises :class:`BadSetting`."""
        given = {name: value for name, value in (flags or {}).items() if _is_given(value)}
        located = {**_from_flags(given), **_from_environ(environ, given)}
        _, file = located.get("config", ("", None))
        return cls(**{name: value for name, (_, value) in {**_from_file(file), **located}.items()})


def from_process(flags: Mapping[str, object]) -> Settings:
    """With this process's environment."""
    return Settings.from_environ(os.environ, flags)


def setting_fields() -> Iterable[tuple[Field[Any], Setting]]:
    return [(entry, entry.metadata[_KEY]) for entry in fields(Settings)]


_Located = dict[str, tuple[str, Any]]
"""By field name: the key as its giver wrote it, and the value."""


def _is_given(value: object) -> bool:
    return not (value is None or value is False or value == ())


def _from_flags(flags: Mapping[str, object]) -> _Located:
    return {
        entry.name: (f"--{setting.name}", _read(f"--{setting.name}", setting, flags[entry.name]))
        for entry, setting in setting_fields()
        if entry.name in flags
    }


def _from_environ(environ: Mapping[str, str], flags: Mapping[str, object]) -> _Located:
    """An empty variable is as good as none: that is how compose files and shells unset one."""
    return {
        entry.name: (setting.variable, _read(setting.variable, setting, _lines(setting, environ[setting.variable])))
        for entry, setting in setting_fields()
        if environ.get(setting.variable) and entry.name not in flags
    }


def _lines(setting: Setting, value: str) -> object:
    return [line for line in value.splitlines() if line.strip()] if setting.repeatable else value


def _from_file(path: Path | None) -> _Located:
    if path is None:
        return {}
    import tomllib  # only a file needs it

    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting("--config", f"{path} is not TOML: {error}") from error
    except OSError as error:
        raise BadSetting("--config", f"{path}: {error.strerror}") from error
    known = {setting.name: (entry, setting) for entry, setting in setting_fields() if setting.name != "config"}
    located: _Located = {}
    for key, value in document.items():
        if key not in known:
            meant = key.replace("_", "-")
            raise BadSetting(
                f"{key} in {path}", f"there is no such setting{f', but {meant}' if meant in known else ''}"
            )
        entry, setting = known[key]
        located[entry.name] = (key, _read(f"{key} in {path}", setting, value))
    return located


def _read(key: str, setting: Setting, value: object) -> Any:
    if setting.repeatable:
        items = value if isinstance(value, list | tuple) else [value]
        return tuple(_parsed(key, setting, item) for item in items)
    return _parsed(key, setting, value)


def _parsed(key: str, setting: Setting, value: object) -> Any:
    if isinstance(value, bool):
        value = "on" if value else "off"
    if not isinstance(value, str | int | float):
        raise BadSetting(key, f"a {type(value).__name__} is not a value for it")
    try:
        return setting.parse(str(value))
    except ValueError as error:
        shown = "its value" if setting.secret else repr(value)
        raise BadSetting(key, f"{shown} {error}") from error


def settings_table() -> str:
    """The README's table of flags, variables, defaults and meanings, in Markdown."""
    rows = ["| Flag | Variable | Default | Meaning |", "|---|---|---|---|"]
    for entry, setting in setting_fields():
        flag = f"-{setting.short}, --{setting.name}" if setting.short else f"--{setting.name}"
        metavar = f" {setting.metavar}".replace("|", "\\|").rstrip()
        meaning = setting.meaning + ("; repeatable" if setting.repeatable else "")
        rows.append(f"| `{flag}{metavar}` | `{setting.variable}` | {default_text(entry, setting)} | {meaning} |")
    return "\n".join(rows) + "\n"


def default_text(entry: Field[Any], setting: Setting) -> str:
    if setting.shown_default:
        return setting.shown_default
    if isinstance(entry.default, bool):
        return "on" if entry.default else "off"
    if entry.default is None or entry.default == ():
        return "none"
    if entry.default == "":
        return "empty"
    return f"{entry.default:g}" if isinstance(entry.default, float) else str(entry.default)
