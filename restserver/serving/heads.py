"""Heads of answers, formed as waitress forms them, without its going through every name each time.

Most answers of a server have the same names in their heads as some answer before, and other values. So waitress forms one head
of each kind with places in it for the values, and that form is kept: what goes out is, byte for byte, what it would be.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Final, cast

from waitress.task import WSGITask
from waitress.utilities import build_http_date

if TYPE_CHECKING:
    from waitress.parser import HTTPRequestParser

MOST_KEPT: Final = 256
_forms: dict[tuple[str, ...], str] = {}

Headers = list[tuple[str, str]]


class FormedTask(WSGITask):
    def build_response_header(self) -> bytes:
        headers = cast("Headers", self.response_headers)
        names = tuple([name for name, _ in headers])
        values = [value for _, value in headers]
        request = cast("HTTPRequestParser", self.request)
        if (
            self.status != "200 OK"
            or self.version != "1.1"
            or "CONNECTION" in request.headers
            or "Content-Length" not in names
            or "" in values
        ):
            return super().build_response_header()  # what the connection comes to, or a value, decides of the form
        form = _forms.get(names) or self._form(names)
        return form.format(*values, _date(int(self.start_time))).encode("latin-1")

    def _form(self, names: tuple[str, ...]) -> str:
        headers = self.response_headers
        plain = [name.replace("{", "{{").replace("}", "}}") for name in names]
        self.response_headers = [(name, f"{{{place}}}") for place, name in enumerate(plain)]
        form = super().build_response_header().decode("latin-1")
        self.response_headers = headers
        given_by_waitress = f"Date: {build_http_date(self.start_time)}"
        form = form.replace(given_by_waitress, f"Date: {{{len(names)}}}")
        if len(_forms) >= MOST_KEPT:
            _forms.clear()
        _forms[names] = form
        return form


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return build_http_date(second)
