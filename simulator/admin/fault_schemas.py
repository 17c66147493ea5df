"""The schemas of the faults that can be made: one for each kind on each of its sides, from the table of kinds."""

from collections.abc import Iterator, Mapping
from typing import Any

from simulator.faults.faults import MOST_SEED, OPERATIONS_OF_SIDE, WIREMOCKS_WORDS
from simulator.faults.keys import LONGEST
from simulator.faults.kinds import KINDS, STATUSES_OF_SIDE, STATUSES_OF_THROTTLING

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": 1000}
_LENGTH: Schema = {"type": "integer", "minimum": 0, "maximum": LONGEST, "description": "Milliseconds."}
_PART: Schema = {"type": "number", "minimum": 0, "maximum": LONGEST}
_COMMON: Mapping[str, Schema] = {
    "name": {**TEXT, "description": "A pattern of names: `alice~*`; of ids where applications are asked for."},
    "probability": {"type": "number", "minimum": 0, "maximum": 1},
    "seed": {"type": "integer", "minimum": 0, "maximum": MOST_SEED},
    "ttl": {
        "type": ["number", "string"],
        "exclusiveMinimum": 0,
        "description": "Seconds on the simulated clock, or an ISO 8601 duration; after that it heals.",
    },
}
_DISTRIBUTION: Schema = {
    "oneOf": [
        {
            "type": "object",
            "required": ["type", "median", "sigma"],
            "additionalProperties": False,
            "properties": {
                "type": {"const": "lognormal"},
                "median": {"type": "number", "minimum": 1, "maximum": LONGEST},
                "sigma": {"type": "number", "minimum": 0, "maximum": 10},
                "maxValue": _PART,
            },
        },
        {
            "type": "object",
            "required": ["type", "lower", "upper"],
            "additionalProperties": False,
            "properties": {"type": {"const": "uniform"}, "lower": _PART, "upper": _PART},
        },
    ]
}
_KEYS: Mapping[str, Schema] = {
    "fixedDelayMilliseconds": _LENGTH,
    "delayDistribution": _DISTRIBUTION,
    "totalDuration": _LENGTH,
    "numberOfChunks": {"type": "integer", "minimum": 1, "maximum": 1000},
    "retryAfter": {"type": "integer", "minimum": 0, "maximum": 86_400, "description": "Seconds."},
    **dict.fromkeys(("reason", "message", "code", "path", "found", "body"), TEXT),
}


def fault_wanted() -> Schema:
    return {"oneOf": list(_variants())}


def _variants() -> Iterator[Schema]:
    words = {kind: [kind] for kind in KINDS}
    for theirs, ours in WIREMOCKS_WORDS.items():
        words[ours].append(theirs)
    for word, kind in KINDS.items():
        for place, side in enumerate(kind.sides):
            keys = {key: _KEYS[key] for key in sorted(kind.keys - {"status"})}
            if "status" in kind.keys:
                statuses = STATUSES_OF_THROTTLING if word == "throttled" else STATUSES_OF_SIDE[side]
                keys["status"] = {"enum": list(statuses)}
            variant: dict[str, Any] = {
                "type": "object",
                "title": f"{word} ({side})",
                "required": ["kind"] if place == 0 else ["kind", "side"],
                "additionalProperties": False,
                "properties": {
                    "kind": {"enum": words[word]},
                    "side": {"const": side},
                    "operation": {"enum": list(OPERATIONS_OF_SIDE[side])},
                    **_COMMON,
                    **keys,
                },
            }
            if word == "latency":
                variant["oneOf"] = [{"required": ["fixedDelayMilliseconds"]}, {"required": ["delayDistribution"]}]
            yield variant
