"""The flags of the commands, made from the settings: their names, defaults and meanings have one home."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from restserver.settings import Setting, default_text, setting_fields


def setting_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """All of them: the flags of ``serve``."""
    return options_of([entry.name for entry, _ in setting_fields()])(command)


def options_of(names: Sequence[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Those of the settings that a command knows."""

    def optioned(command: Callable[..., Any]) -> Callable[..., Any]:
        for entry, setting in reversed(list(setting_fields())):
            if entry.name in names:
                command = _option(entry.name, setting, default_text(entry, setting))(command)
        return command

    return optioned


def _option(field_name: str, setting: Setting, default: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    names = [f"--{setting.name}", *([f"-{setting.short}"] if setting.short else []), field_name]
    told = f"{setting.meaning}  [{setting.variable}; default: {default}]"
    if setting.switch:
        return click.option(*names, is_flag=True, default=False, help=told)
    return click.option(*names, default=None, multiple=setting.repeatable, metavar=setting.metavar, help=told)
