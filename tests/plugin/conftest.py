"""The plugin's fixtures. pytest would find them by itself, but earlier than coverage begins to measure: see pyproject.toml."""

from restserver.pytest_plugin import (
    _restserver_stage,
    _shared_simulated_launcher,
    _shared_simulated_server,
    contract,
    make_simulated_launcher,
    make_simulated_server,
    simulated_launcher,
    simulated_launcher_settings,
    simulated_server,
    simulated_server_settings,
)

__all__ = [
    "_restserver_stage",
    "_shared_simulated_launcher",
    "_shared_simulated_server",
    "contract",
    "make_simulated_launcher",
    "make_simulated_server",
    "simulated_launcher",
    "simulated_launcher_settings",
    "simulated_server",
    "simulated_server_settings",
]
