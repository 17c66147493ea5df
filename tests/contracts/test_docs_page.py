"""The page at ``/docs``: complete in itself, and it tells everything the OpenAPI document does."""

import copy
from html.parser import HTMLParser

import pytest

from contracts import registry
from contracts.docs_page import docs_page, page_of

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """Collects what a browser would load or jump to, and checks that tags are closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "href":
                self.links.append(value or "")
            elif name == "src":
                self.loaded.append(value or "")
            elif name == "id":
                self.ids.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize("style", registry.STYLES)
def test_the_page_needs_nothing_else(style: str) -> None:
    text = docs_page(style)
    page = Page(text)
    assert page.loaded == []
    assert "<script" not in text
    assert "@import" not in text
    assert "url(" not in text
    assert page.open == []
    targets = {link for link in page.links if link != "openapi.json"}
    assert targets == {f"#{name}" for name in page.ids}
    assert len(set(page.ids)) == len(page.ids)


@pytest.mark.parametrize("style", registry.STYLES)
def test_the_page_tells_every_operation_key_code_and_message(style: str) -> None:
    words = Page(docs_page(style)).words
    whole = " ".join(words)
    for operation in registry.OPERATIONS:
        assert operation in whole
        for path in registry.field_paths(operation, style):
            key = path.rpartition(".")[2].removesuffix("[]")
            assert key == "*" or any(word == key or word.endswith(f".{key}") for word in words), path
        for told in registry.messages(operation, style).values():
            for message in told:
                assert message.code in words
                assert message.template in words
    for name in registry.openapi(style)["components"]["schemas"]:
        assert name in words


def test_what_a_document_says_is_never_taken_for_markup() -> None:
    document = copy.deepcopy(registry.openapi("documented"))
    document["info"]["title"] = "<script>alert(1)</script> $title"
    document["paths"]["/jobs/{jobName}"]["get"]["summary"] = "a & b <i>"
    text = page_of(document)
    assert "<script" not in text
    assert "a &amp; b &lt;i&gt;" in text
