"""What the API refuses without asking a launcher, by status: for those who wish to see it (``Prefer: code=400``).

Only the command line hands this on, to what stands around a simulated backend.
"""

from collections.abc import Callable, Mapping
from typing import Final

import falcon

from restserver.app import LONGEST_TARGET
from restserver.errors import ApiError, InvalidParameter, MethodNotAllowed, TooManyRequests, Unauthorized, UriTooLong
from restserver.parameters import A_VERSION
from restserver.resources import READ_METHODS
from restserver.setting_values import Allowance

REFUSALS: Final[Mapping[int, Callable[[falcon.Request], ApiError]]] = {
    400: lambda req: InvalidParameter("version", req.get_param("version", default=""), A_VERSION),
    401: lambda _: Unauthorized(offered=False),
    405: lambda req: MethodNotAllowed(req.method, req.path, READ_METHODS),
    414: lambda _: UriTooLong(LONGEST_TARGET),
    429: lambda _: TooManyRequests(str(Allowance(600, 60_000)), 1),
}
