"""Values of a submission as the real launcher binds and judges them: types first, in the order of the document, then every
constraint at once.

Binding turns numbers, texts and flags into one another as its JSON library does, and stops at the first value that does
not fit. What is left is the same document with its defaults filled in, and the list of constraints that do not hold; the
order of that list was never stable, so ours is the order of the table.

Source: the recordings (s12b to s12d); the launcher fact sheet, 1.1, 2.2 and open question 6.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from msgspec import Struct

from simulator.submission.json_input import Decimal
from simulator.submission.refusals import LAUNCHER, Refused, malformed, unmappable

NAME = r"^[A-Za-z0-9\-._~]{1,256}$"

Chain = tuple[str, ...]
"""How a value was reached: ``Class["key"]``, outermost first."""


class Type(Protocol):
    """The type of one value: how it is bound, and which constraints hold inside it."""

    def bind(self, value: object, chain: Chain) -> object:
        """Raises Refused."""

    def violations(self, value: object, path: str) -> Iterator[str]:
        """Of a value that is not null."""


# --- what went wrong ------------------------------------------------------------------------------------------------

_TOKEN: Mapping[type, str] = {
    list: "START_ARRAY",
    dict: "START_OBJECT",
    str: "VALUE_STRING",
    int: "VALUE_NUMBER_INT",
    Decimal: "VALUE_NUMBER_FLOAT",
    bool: "VALUE_TRUE",
}


def _token(value: object) -> str:
    return "VALUE_FALSE" if value is False else _TOKEN[type(value)]


def _where(chain: Chain) -> str:
    through = f" (through reference chain: {'->'.join(chain)})" if chain else ""
    return f" at [Source: org.mortbay.jetty.HttpParser$Input@0]{through}"


def _not_a(java_type: str, value: object, chain: Chain) -> Refused:
    return unmappable(f"Can not deserialize instance of {java_type} out of {_token(value)} token", _where(chain))


def _bad_text(java_type: str, text: str, reason: str, chain: Chain) -> Refused:
    return malformed(f"Can not construct instance of {java_type} from String value '{text}': {reason}", _where(chain))


_FROM: Mapping[type, str] = {
    str: "String value; no single-String constructor/factory method",
    int: "Integral number; no single-int-arg constructor/factory method",
    Decimal: "Floating-point number; no one-double/Double-arg constructor/factory method",
    bool: "Boolean value; no single-boolean/Boolean-arg constructor/factory method",
}


def _not_instantiable(java_type: str, value: object, chain: Chain) -> Refused:
    if isinstance(value, list):
        return _not_a(java_type, value, chain)
    through = f" (through reference chain: {'->'.join(chain)})" if chain else ""
    return unmappable(
        f"Can not instantiate value of type [simple type, class {java_type}] from {_FROM[type(value)]}{through}"
    )


# --- scalars --------------------------------------------------------------------------------------------------------


class _Unjudged(Struct, frozen=True):
    def violations(self, value: object, path: str) -> Iterator[str]:
        return iter(())


class Whole(_Unjudged, frozen=True):
    """An integer of a size, ``int`` or ``long``."""

    java_type: str = "int"
    bits: int = 32

    def bind(self, value: object, chain: Chain) -> object:
        if isinstance(value, str):
            return self._of_text(value.strip(), chain)
        if type(value) is Decimal and math.isfinite(value):
            value = math.trunc(value)
        if type(value) is not int:
            raise _not_a(self.java_type, value, chain)
        if not self._holds(value):
            shown = str(value) if abs(value) < 10**30 else "very many digits"
            raise unmappable(f"Numeric value ({shown}) out of range of {self.java_type}", _where(chain))
        return value

    def _of_text(self, text: str, chain: Chain) -> int | None:
        if not text:
            return None
        if not _DIGITS.fullmatch(text):
            raise _bad_text(self.java_type, text, f"not a valid {self._word()} value", chain)
        number = int(text)
        if not self._holds(number):
            reason = f"Overflow: numeric value ({text}) out of range of {self.java_type}"
            raise _bad_text(self.java_type, text, reason, chain)
        return number

    def _holds(self, number: int) -> bool:
        half: int = 1 << (self.bits - 1)
        return -half <= number < half

    def _word(self) -> str:
        return "Integer" if self.java_type == "int" else self.java_type


_DIGITS = re.compile(r"[+-]?[0-9]{1,25}", re.ASCII)


class Flag(_Unjudged, frozen=True):
    def bind(self, value: object, chain: Chain) -> object:
        if isinstance(value, bool):
            return value
        if type(value) is int:
            return value != 0
        if isinstance(value, str):
            text = value.strip()
            if text not in _FLAGS:
                raise _bad_text("boolean", text, 'only "true" or "false" recognized', chain)
            return _FLAGS[text]
        raise _not_a("boolean", value, chain)


_FLAGS = {"true": True, "false": False, "": None}


class Text(_Unjudged, frozen=True):
    def bind(self, value: object, chain: Chain) -> object:
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, Decimal):
            return value.spelling
        if isinstance(value, int):
            return str(value)
        raise _not_a("java.lang.String", value, chain)


class Fraction(_Unjudged, frozen=True):
    """A 32-bit number."""

    def bind(self, value: object, chain: Chain) -> object:
        if type(value) in (int, Decimal):
            return float(str(value)) if isinstance(value, int) else float(value)  # type: ignore[arg-type]  # a Decimal
        if isinstance(value, str):
            text = value.strip()
            if not text:
                return None
            if not _NUMBER.fullmatch(text):
                raise _bad_text("float", text, "not a valid Float value", chain)
            return float(text)
        raise _not_a("float", value, chain)


_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)


class Word(_Unjudged, frozen=True):
    """One of several, by name or by place."""

    java_class: str
    words: tuple[str, ...]

    def bind(self, value: object, chain: Chain) -> object:
        java_class = f"{LAUNCHER}.model.{self.java_class}"
        if isinstance(value, str):
            if value in self.words:
                return value
            names = ", ".join(self.words)
            raise _bad_text(java_class, value, f"value not one of declared Enum instance names: [{names}]", chain)
        if type(value) is int:
            if 0 <= value < len(self.words):
                return self.words[value]
            legal = f"index value outside legal index range [0..{len(self.words) - 1}]"
            raise malformed(
                f"Can not construct instance of {java_class} from number value ({value}): {legal}", _where(chain)
            )
        raise _not_a(java_class, value, chain)


# --- containers -----------------------------------------------------------------------------------------------------


class Many(Struct, frozen=True):
    """A list. Its elements may be null."""

    item: Type

    def bind(self, value: object, chain: Chain) -> object:
        if not isinstance(value, list):
            raise _not_a("java.util.ArrayList", value, chain)
        return [None if each is None else self.item.bind(each, chain) for each in value]

    def violations(self, value: object, path: str) -> Iterator[str]:
        assert isinstance(value, list)  # noqa: S101  # as it was bound
        for each in value:
            if each is not None:
                yield from self.item.violations(each, f"{path}[]")


class ByName(Struct, frozen=True):
    """An object whose keys are names. ``judged``: the names have a form, and no value may be null."""

    item: Type
    judged: bool = True

    def bind(self, value: object, chain: Chain) -> object:
        if not isinstance(value, dict):
            raise _not_a("java.util.LinkedHashMap", value, chain)
        return {key: None if each is None else self.item.bind(each, chain) for key, each in value.items()}

    def violations(self, value: object, path: str) -> Iterator[str]:
        assert isinstance(value, dict)  # noqa: S101  # as it was bound
        for key, each in value.items():
            if self.judged and not re.fullmatch(NAME[1:-1], key):
                yield f"{path}: {unfit_name(key)}"
            if each is not None:
                yield from self.item.violations(each, f"{path}[{key}]")
            elif self.judged:
                yield f"{path}: Map value is null for Map key: [{key}]"


def unfit_name(name: str) -> str:
    return f"Name [{name}] is not matched with naming convention regex [{NAME}]"


# --- objects --------------------------------------------------------------------------------------------------------

Constraint = Callable[[object], str | None]
"""The reason why a value is refused, or ``None``."""


class Key(Struct, frozen=True):
    name: str
    type: Type
    default: Callable[[], object] = lambda: None
    constraints: tuple[Constraint, ...] = ()


class Shape(Struct, frozen=True):
    """An object with keys of its own. Keys it does not know are not looked at."""

    java_class: str
    keys: tuple[Key, ...]
    whole: Callable[[Mapping[str, object]], Iterable[str]] = lambda _: ()
    """Reasons that several keys give together."""

    @property
    def full_class(self) -> str:
        return f"{LAUNCHER}.model.{self.java_class}"

    def bind(self, value: object, chain: Chain = ()) -> object:
        if not isinstance(value, dict):
            raise _not_instantiable(self.full_class, value, chain)
        told = {}
        known = {key.name: key for key in self.keys}
        for name, each in value.items():
            key = known.get(name)
            if key is not None:
                step = f'{self.full_class}["{name}"]'
                told[name] = None if each is None else key.type.bind(each, (*chain, step))
        return {key.name: told[key.name] if key.name in told else key.default() for key in self.keys}

    def bound(self, value: object) -> Mapping[str, object]:
        """The whole body. Raises Refused."""
        told = self.bind(value)
        assert isinstance(told, dict)  # noqa: S101  # that is what it binds
        return told

    def violations(self, value: object, path: str = "") -> Iterator[str]:
        assert isinstance(value, dict)  # noqa: S101  # as it was bound
        for reason in self.whole(value):
            yield f"{path}: {reason}"
        for key in self.keys:
            inner = f"{path}.{key.name}" if path else key.name
            told = value[key.name]
            for constraint in key.constraints:
                broken = constraint(told)
                if broken is not None:
                    yield f"{inner}: {broken}"
            if told is not None:
                yield from key.type.violations(told, inner)


def required(value: object) -> str | None:
    return "may not be null" if value is None else None


def filled(value: object) -> str | None:
    return None if value else "may not be empty"


def at_least(least: float) -> Constraint:
    return lambda value: (
        f"must be greater than or equal to {least}" if isinstance(value, int | float) and value < least else None
    )


def at_most(most: float) -> Constraint:
    return lambda value: (
        f"must be less than or equal to {most}" if isinstance(value, int | float) and value > most else None
    )


def matching(pattern: str) -> Constraint:
    fits = re.compile(pattern.removeprefix("^").removesuffix("$"))
    return lambda value: None if value is None or fits.fullmatch(str(value)) else f'must match "{pattern}"'


def no_longer_than(most: int) -> Constraint:
    """In UTF-16, as Java counts."""
    return lambda value: (
        f"size must be between 0 and {most}"
        if isinstance(value, str) and len(value.encode("utf-16-le", "surrogatepass")) // 2 > most
        else None
    )
