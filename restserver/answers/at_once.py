"""The word between a server that answers some requests in the thread that reads them all, and an application that knows.

While that thread answers, nobody else is read. So what is answered there is at hand, or it is not answered there.
"""

from typing import Final

AT_ONCE: Final = "restserver.at_once"
"""In a request's environment: it is to be answered from what is at hand, or not at all."""


class NotAtOnce(BaseException):
    """It would take longer: the same is to be asked again, where that harms nobody. No error, so nothing handles it as one."""
