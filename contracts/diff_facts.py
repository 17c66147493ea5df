"""What can differ between two contracts, and whom it breaks: everything that judges a change lives here.

The page is a closed world: what it does not name does not come. So whatever *widens* an answer can break a reader who kept to
the old page, and whatever narrows it cannot; of what callers send it is the other way round.
"""

from dataclasses import dataclass
from enum import Enum


class Way(Enum):
    WIDER = "wider"
    NARROWER = "narrower"
    CHANGED = "changed"
    """Neither contains the other, or it cannot be told."""
    WORDS = "words"


@dataclass(frozen=True)
class Fact:
    """A difference of two schemas, not yet judged."""

    path: str
    what: str
    """A key of WAYS."""
    detail: str


@dataclass(frozen=True)
class Change:
    operation: str
    """Operation id; empty: of the whole contract."""
    style: str
    status: int | None
    path: str
    """Field path, parameter, header or error code; may be empty."""
    what: str
    detail: str
    breaking: bool
    why: str


WAYS: dict[str, tuple[Way, str]] = {
    "key removed": (Way.CHANGED, "readers of the key find nothing"),
    "key renamed": (Way.CHANGED, "readers of the old key find nothing"),
    "key added": (Way.WIDER, "the object was closed, so strict readers refuse a key they do not know"),
    "key added to an open object": (Way.NARROWER, "the object was open, so readers expect keys they do not know"),
    "key may be missing": (Way.WIDER, "readers counted on the key"),
    "key always there": (Way.NARROWER, "readers already cope with its absence, and need not"),
    "object opened": (Way.WIDER, "strict readers refuse keys they do not know"),
    "object closed": (Way.NARROWER, "readers lose nothing they could name"),
    "null added": (Way.WIDER, "readers counted on a value"),
    "null removed": (Way.NARROWER, "the null that readers cope with does not come any more"),
    "type widened": (Way.WIDER, "a type comes that readers do not know"),
    "type narrowed": (Way.NARROWER, "only types that readers know are left"),
    "type changed": (Way.CHANGED, "readers get another type"),
    "value added": (Way.WIDER, "readers that list every value meet one they do not know"),
    "value removed": (Way.NARROWER, "only values that readers know are left"),
    "range widened": (Way.WIDER, "values come that readers had no room for"),
    "range narrowed": (Way.NARROWER, "every value was possible before"),
    "range changed": (Way.CHANGED, "values come that readers had no room for"),
    "pattern dropped": (Way.WIDER, "texts come that readers may not be able to take apart"),
    "pattern set": (Way.NARROWER, "every such text was possible before"),
    "pattern changed": (Way.CHANGED, "texts of another form may come; whether they do, two patterns do not tell"),
    "alternative added": (Way.WIDER, "readers meet a form they do not know"),
    "alternative removed": (Way.NARROWER, "only forms that readers know are left"),
    "keyword changed": (Way.CHANGED, "what may come is another set; whether a larger one cannot be told"),
    "words changed": (Way.WORDS, "only the explanation differs; read it"),
    "code changed": (Way.CHANGED, "clients tell errors apart by their code"),
    "code added": (Way.WIDER, "clients that list every code meet one they do not know"),
    "code removed": (Way.NARROWER, "the error does not come any more"),
    "message changed": (Way.CHANGED, "clients look for the text"),
    "message added": (Way.WIDER, "clients that look for the texts they know miss this one"),
    "message removed": (Way.NARROWER, "only texts that clients know are left"),
    "message pattern changed": (Way.CHANGED, "what stands in the text's places is of another form"),
    "status added": (Way.WIDER, "clients that list every status meet one they do not know"),
    "status added, with a setting": (
        Way.NARROWER,
        "only a server that is configured so answers it, and none is that was not asked to",
    ),
    "status with every setting": (Way.WIDER, "servers answer it that did not before, without being configured so"),
    "status only with a setting": (Way.NARROWER, "servers without that setting do not answer it any more"),
    "status removed": (Way.NARROWER, "the failure does not come any more"),
    "success removed": (Way.CHANGED, "the answer that readers wait for does not come"),
    "header removed": (Way.CHANGED, "readers of the header find nothing"),
    "header added": (Way.NARROWER, "headers that are not known are passed over"),
    "operation removed": (Way.CHANGED, "callers get 404"),
    "operation moved": (Way.CHANGED, "callers of the old path get 404"),
    "operation added": (Way.NARROWER, "nobody calls it yet"),
    "operation renamed": (Way.WORDS, "requests and answers are the same; generated clients call it otherwise"),
    "base path changed": (Way.CHANGED, "callers of the old paths get 404"),
    "parameter removed": (Way.CHANGED, "what callers ask for with it is passed over"),
    "parameter added": (Way.NARROWER, "it may be left out"),
    "required parameter added": (Way.CHANGED, "callers do not send it yet"),
    "parameter required": (Way.CHANGED, "callers that leave it out are refused"),
    "parameter optional": (Way.NARROWER, "callers that send it may go on"),
}
FOR_CALLERS = {
    Way.WIDER: "callers may send more than before",
    Way.NARROWER: "what callers may have sent is refused now",
    Way.CHANGED: "what callers may have sent can be refused now",
}


def change(operation: str, style: str, status: int | None, fact: Fact) -> Change:
    """A difference as those who read answers (and send nothing new) meet it."""
    way, why = WAYS[fact.what]
    breaking = way in (Way.WIDER, Way.CHANGED)
    return Change(operation, style, status, fact.path, fact.what, fact.detail, breaking, why)


def change_of_parameter(operation: str, style: str, fact: Fact) -> Change:
    """A difference in what may be sent, as callers meet it."""
    way, why = WAYS[fact.what]
    breaking = way in (Way.NARROWER, Way.CHANGED)
    return Change(operation, style, None, fact.path, fact.what, fact.detail, breaking, FOR_CALLERS.get(way, why))
