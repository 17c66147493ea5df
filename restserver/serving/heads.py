"""Heads of answers, formed as waitress forms them, without its going through every name each time.

Most answers of a server have the same names in their heads as some answer before, and other values. So waitress forms one head
of each kind with places in it for the values, and that form is kept: what goes out is, byte for byte, what it would be.

But for one thing: waitress ends the connection after an answer without a body (204, 304), since it tells no length. Such an
answer ends with its head, whatever that says (RFC 9112, 6.3), and who polls and gets nothing new wants to go on.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Final, cast
from wsgiref.types import WSGIEnvironment

from waitress.task import WSGITask
from waitress.utilities import build_http_date

from restserver.seeing.arrival import ARRIVED

if TYPE_CHECKING:
    from waitress.parser import HTTPRequestParser

    from restserver.serving.kept_heads import RememberingParser

MOST_KEPT: Final = 256
_forms: dict[tuple[str, tuple[str, ...]], str] = {}
"""By status and names."""
_FORMED: Final = {("200 OK", True), ("304 Not Modified", False)}
"""Status, and whether there has to be a length."""

Headers = list[tuple[str, str]]


class FormedTask(WSGITask):
    _goes_on = False

    def get_environment(self) -> WSGIEnvironment:
        environ = super().get_environment()
        environ[ARRIVED] = cast("RememberingParser", self.request).arrived
        return environ

    def build_response_header(self) -> bytes:
        headers = cast("Headers", self.response_headers)
        names = tuple([name for name, _ in headers])
        values = [value for _, value in headers]
        request = cast("HTTPRequestParser", self.request)
        if (
            (self.status, "Content-Length" in names) not in _FORMED
            or self.version != "1.1"
            or "CONNECTION" in request.headers
            or "" in values
        ):
            return self._whole_head()  # what the connection comes to, or a value, decides of the form
        form = _forms.get((self.status, names)) or self._form(names)
        return form.format(*values, _date(int(self.start_time))).encode("latin-1")

    def _whole_head(self) -> bytes:
        request = cast("HTTPRequestParser", self.request)
        asked_to_end = request.headers.get("CONNECTION", "").lower() == "close"
        self._goes_on = self.version == "1.1" and not self.has_body and not asked_to_end
        try:
            return super().build_response_header()
        finally:
            self._goes_on = False

    def set_close_on_finish(self) -> None:
        if not self._goes_on:
            super().set_close_on_finish()

    def _form(self, names: tuple[str, ...]) -> str:
        headers = self.response_headers
        plain = [name.replace("{", "{{").replace("}", "}}") for name in names]
        self.response_headers = [(name, f"{{{place}}}") for place, name in enumerate(plain)]
        form = self._whole_head().decode("latin-1")
        self.response_headers = headers
        given_by_waitress = f"Date: {build_http_date(self.start_time)}"
        form = form.replace(given_by_waitress, f"Date: {{{len(names)}}}")
        if len(_forms) >= MOST_KEPT:
            _forms.clear()
        _forms[self.status, names] = form
        return form


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return build_http_date(second)
