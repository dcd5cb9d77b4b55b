"""HTML pages from the templates beside this module: each is one file that loads nothing from anywhere.

Templates escape whatever stands in them. A page holds plotly.js once, and its Content-Security-Policy lets no other
script run than the two whose SHA-256 it names, and nothing be fetched (W3C, Content Security Policy Level 3).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from scones.reports.charts import theme, words
from scones.reports.charts.numbers import Numbers, numbers

OURS = files("scones.reports") / "templates" / "page.js"


@dataclass(frozen=True)
class Chart:
    """A chart on a page: `name` is its place in the address, `caption` a sentence on how to read it."""

    name: str
    title: str
    figure: go.Figure
    caption: str = ""

    @property
    def numbers(self) -> Numbers:
        return numbers(self.figure)


@dataclass(frozen=True)
class Card:
    """A headline number: what it is, the number as text, and a note such as its interval. Tone: good, bad or none."""

    name: str
    value: str
    note: str = ""
    tone: str = ""


def render(template: str, charts: Sequence[Chart], **given: Any) -> str:
    """The page that `template` makes of what is given; it finds the charts by name as `charts`."""
    scripts = [get_plotlyjs(), OURS.read_text("utf-8")] if charts else []
    sources = " ".join(map(_source, scripts)) or "'none'"
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data: blob:; style-src 'unsafe-inline'; "
        f"script-src {sources}"
    )
    by_name = {chart.name: chart for chart in charts}
    palettes = {"light": theme.palette("light"), "dark": theme.palette("dark")}
    page = environment().get_template(template)
    return page.render(charts=by_name, policy=policy, scripts=scripts, palettes=palettes, **given)


def write_page(file: Path, text: str) -> Path:
    """Write the page; it appears whole, over an earlier one. Returns `file`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(file.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    return partial.replace(file)


def share(value: float) -> str:
    """A share as per cent with one decimal."""
    return f"{100 * value:.1f}%"


def interval(found: Mapping[str, Any], name: str, form: str = "") -> str:
    """The 95 % interval of the metric `name`; shares unless `form` says how a number is written."""
    low, high = found[f"{name}_low"], found[f"{name}_high"]
    if form:
        return f"95% interval {low:{form}} to {high:{form}}"
    return f"95% interval {share(low)} to {share(high)}"


def image(content: bytes) -> str:
    """A PNG as an address that holds it."""
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


@cache
def environment() -> Environment:
    """What reads the templates: everything is escaped, and a name that is not given is an error."""
    loader = PackageLoader("scones.reports")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters |= {"share": share, "percent": words.percent, "image": image, "moment": words.moment}
    return made


def _source(script: str) -> str:
    """The script as CSP's list of sources names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
