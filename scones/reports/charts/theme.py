"""Colours by role, for light and for dark surroundings, and the style sheet that both kinds of report share."""

from __future__ import annotations

from typing import Literal

Role = str
Theme = Literal["light", "dark"]

COLOURS: dict[Role, tuple[str, str]] = {
    # role: light, dark
    "page": ("#f6f5f1", "#14171b"),
    "surface": ("#ffffff", "#1d2126"),
    "ink": ("#1f2730", "#e7e9ec"),
    "muted": ("#5f6a76", "#9aa5b1"),
    "line": ("#dcd9d0", "#363c44"),
    "grid": ("#ece9e2", "#2a2f36"),
    "good": ("#237a57", "#58c99b"),
    "bad": ("#bf3b30", "#f0857a"),
    "warn": ("#9a6700", "#e0b04c"),
    "series1": ("#2863ae", "#7ab2f7"),
    "series2": ("#cf6a17", "#f2a35e"),
    "series3": ("#237a57", "#58c99b"),
    "series4": ("#7f4fa8", "#c49be8"),
    "series5": ("#b83b66", "#f08cab"),
    "series6": ("#7a6a4f", "#c9b791"),
}
"""Every text role reaches a contrast of 4.5 to 1 on `surface` (WCAG 2.1, level AA); a test measures it."""

SERIES = 6


def series(index: int) -> Role:
    """The role of the n-th series, counted from 0; after the last colour they begin again."""
    return f"series{index % SERIES + 1}"


def colour(role: Role, theme: Theme) -> str:
    """The colour of a role as `#rrggbb`."""
    return COLOURS[role][("light", "dark").index(theme)]


def variables() -> str:
    """The colours as CSS custom properties (`--ink`, …): light, and dark where the reader's system asks for it."""
    light = "".join(f"--{role}:{pair[0]};" for role, pair in COLOURS.items())
    dark = "".join(f"--{role}:{pair[1]};" for role, pair in COLOURS.items())
    return (
        f":root{{color-scheme:light dark;{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
        "@media print{:root{color-scheme:light;" + light + "}}"
    )
