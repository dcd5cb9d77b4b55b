"""A report's page as its reader has it: words, pictures, charts and their numbers; the HTML must be well formed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

EMPTY = {"meta", "img", "br"}
FETCHING = {"src", "href", "srcset", "poster", "action", "formaction", "data", "background"}


@dataclass
class Page(HTMLParser):
    """Attributes:
    charts: figures as Plotly gets them, by the place in the page's address.
    tables: the rows of each chart's numbers, header first.
    addresses: whatever a browser would fetch.
    """

    words: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    charts: dict[str, dict[str, Any]] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    scripts: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    badges: list[tuple[str, str]] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    handlers: list[str] = field(default_factory=list)
    policy: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str]]] = []
        self.figure = ""

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.addresses += [value for name, value in given.items() if name in FETCHING]
        self.handlers += [name for name in given if name.startswith("on")]
        if tag == "img":
            self.images.append(given["src"])
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"]
        if tag == "figure":
            self.figure = given["id"]
        if given.get("class") == "chart":
            self.labels[self.figure] = given["aria-label"]
        if self.figure and tag == "tr":
            self.tables.setdefault(self.figure, []).append([])
        if self.figure and tag in {"td", "th"}:
            self.tables[self.figure][-1].append("")
        if tag not in EMPTY:
            self.open.append((tag, given))

    def handle_endtag(self, tag: str) -> None:
        opened, _ = self.open.pop()
        assert opened == tag, f"{opened} is closed as {tag}"
        if tag == "figure":
            self.figure = ""

    def handle_data(self, data: str) -> None:
        tag, given = self.open[-1] if self.open else ("", {})
        if tag == "script":
            if given.get("type") != "application/json":
                self.scripts.append(data)
            elif self.figure:
                self.charts[self.figure] = json.loads(data)
        elif tag == "style":
            self.styles.append(data)
        else:
            self.words.append(data)
            if "badge" in given.get("class", ""):
                self.badges.append((data, given["class"].removeprefix("badge").strip()))
            if self.figure and tag in {"td", "th"}:
                self.tables[self.figure][-1][-1] += data


def read_page(text: str) -> Page:
    """Read a whole page.

    Raises:
        AssertionError: an element is closed in the wrong place or never.
    """
    page = Page()
    page.feed(text)
    page.close()
    assert not page.open, page.open
    return page


def assert_self_contained(page: Page) -> None:
    """Nothing is fetched, nothing runs but the page's own two scripts, and a chart's figure has its numbers."""
    assert not [address for address in page.addresses if not address.startswith(("data:", "#"))]
    assert not page.handlers
    assert not [style for style in page.styles if "url(" in style or "@import" in style]
    assert page.policy.startswith("default-src 'none'; base-uri 'none'; form-action 'none'; img-src data: blob:;")
    if not page.charts:
        assert page.policy.endswith("script-src 'none'") and page.scripts == []
        return
    assert page.policy.count("'sha256-") == len(page.scripts) == 2
    assert [script.lstrip().startswith("/**\n* plotly.js") for script in page.scripts] == [True, False]
    for name in page.charts:
        assert page.labels[name].strip(". "), f"{name} has no words for those who cannot see it"
        assert len(page.tables[name]) > 1, f"{name} has no numbers"
