"""The page: one document, in three languages, that a browser lets do what it needs and nothing else."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from supportbot.spec import Language
from supportbot.whatsapp.pairing_page import PAGE_WORDS, make_page


class Elements(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, str] = {}
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._open = tag

    def handle_data(self, data: str) -> None:
        self.inside[self._open] = self.inside.get(self._open, "") + data

    def handle_endtag(self, tag: str) -> None:
        self._open = ""


@pytest.mark.parametrize("language", Language)
def test_what_the_policy_allows_is_what_the_page_holds(language: Language) -> None:
    page = make_page(language)
    policy = dict(rule.strip().split(" ", 1) for rule in page.policy.split(";"))
    elements = Elements(page.html)

    assert policy == {
        "default-src": "'none'",
        "script-src": f"'sha256-{_sha256(elements.inside['script'])}'",
        "style-src": f"'sha256-{_sha256(elements.inside['style'])}'",
        "img-src": "blob:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


@pytest.mark.parametrize("language", Language)
def test_nothing_comes_from_elsewhere_and_nothing_is_inline_in_attributes(language: Language) -> None:
    page = make_page(language)
    attributes = [(tag, name) for tag, attrs in Elements(page.html).found for name in attrs]

    assert not [
        pair for pair in attributes if pair[1] in {"src", "href", "style", "action"} or pair[1].startswith("on")
    ]
    assert not re.search(r"https?://|//[a-z]+\.", page.html.replace("linked_devices", ""))
    assert "{{" not in page.html


def test_the_script_finds_everything_that_it_asks_for() -> None:
    page = make_page(Language.EN)
    script = Elements(page.html).inside["script"]
    ids = {attrs["id"] for _, attrs in Elements(page.html).found if "id" in attrs}
    data = {name for tag, attrs in Elements(page.html).found if tag == "body" for name in attrs}

    assert set(re.findall(r"\bat\(\"([a-z-]+)\"\)", script)) | set(re.findall(r"show\(\"([a-z-]+)\"", script)) <= ids
    used = {re.sub(r"([A-Z])", r"-\1", word).lower() for word in re.findall(r"words\.(\w+)", script)}
    assert {f"data-{word}" for word in used} == data


def test_all_languages_have_the_same_words() -> None:
    assert len({frozenset(words) for words in PAGE_WORDS.values()}) == 1
    assert set(PAGE_WORDS) == set(Language)


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
