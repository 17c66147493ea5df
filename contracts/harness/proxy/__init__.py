"""``restserver proxy``: stands before a running server, passes everything through, and judges what passes by.

Choices, and why:

* **h11 on asyncio, no web framework.** A framework tidies: it folds header names, drops duplicates, adds ``Date`` and
  ``Server``, decodes paths. What passes here must come out as it went in, so the wire is spoken through h11, which keeps names,
  order and duplicates, is strict about framing, and is small. One thread: judging an answer takes a fraction of a millisecond.
* **Both messages are framed anew.** A length, or chunks, as the message says it itself, never copied: two readers that could
  disagree on where a message ends are how requests are smuggled. A message with both a length and chunks is refused.
* **An answer is held back until it is judged**, so that the mark stands in a header; but for at most a second and 4 MiB. A
  longer one is passed on as it comes, and a slow one is marked in its trailer if it is chunked. What was not judged says so in
  the header ``sl-not-judged``. With ``--errors`` nothing is passed on unjudged but what is too large to judge.
* **``Host`` is that of the target**, as nginx and Prism do it: servers are found by it, and links in bodies are then the same
  as without the proxy. Everything else of a request that is meant for the server's eyes reaches it as it was sent, with ``Via``.
* **Two answers can be compared only if one was complete before the other was asked for**: the laws over time are kept to that.
"""
