"""Enough of curl to run the README on a machine that has none: -s -S -i -f -X -H -d -o, and a URL."""

import argparse
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen


def main() -> int:
    parser = argparse.ArgumentParser(prog="curl", allow_abbrev=False)
    parser.add_argument("-s", "--silent", action="store_true")
    parser.add_argument("-S", "--show-error", action="store_true")
    parser.add_argument("-i", "--include", action="store_true")
    parser.add_argument("-f", "--fail", action="store_true")
    parser.add_argument("-X", "--request")
    parser.add_argument("-H", "--header", action="append", default=[])
    parser.add_argument("-d", "--data", "--data-binary")
    parser.add_argument("-o", "--output")
    parser.add_argument("url")
    options = parser.parse_args()
    data: bytes | None = None
    if options.data is not None:
        data = open(options.data[1:], "rb").read() if options.data.startswith("@") else options.data.encode()  # noqa: PTH123, SIM115 - a one-shot program
    request = Request(options.url, data=data, method=options.request or ("POST" if data is not None else "GET"))
    for header in options.header:
        name, _, value = header.partition(":")
        request.add_header(name, value.strip())
    try:
        answer = urlopen(request, timeout=60)
    except HTTPError as refused:
        if options.fail:
            return 22
        answer = refused
    with answer:
        out = bytearray()
        if options.include:
            out += f"HTTP/1.1 {answer.status} {answer.reason}\r\n{answer.headers}".encode()
        out += answer.read()
    if options.output:
        with open(options.output, "wb") as file:  # noqa: PTH123 - a one-shot program
            file.write(out)
    else:
        sys.stdout.buffer.write(out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
