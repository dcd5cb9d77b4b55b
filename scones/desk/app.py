"""The script that Streamlit runs for every visit and every click: which page, and what stands around it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import streamlit as st
from PIL import Image, ImageDraw

from project.errors import SconesError
from scones.desk.bar import GONE, show_banner, show_bar, tab
from scones.desk.desk import OperationsDesk, desk
from scones.desk.views import batch, confidence, drift, models, pipelines, review, threshold
from scones.desk.views import now as now_page
from scones.desk.wording import now, theme, zone
from scones.reports.charts.theme import colour
from scones.reports.charts.words import in_zone

PAGES: tuple[tuple[str, str, Callable[[OperationsDesk], None]], ...] = (
    ("Now", ":material/monitor_heart:", now_page.show),
    ("Confidence", ":material/insights:", confidence.show),
    ("Drift", ":material/stacked_line_chart:", drift.show),
    ("Review", ":material/rate_review:", review.show),
    ("Threshold", ":material/tune:", threshold.show),
    ("Pipelines", ":material/account_tree:", pipelines.show),
    ("Models", ":material/deployed_code:", models.show),
    ("Batch", ":material/folder_copy:", batch.show),
)
STYLE = """
[data-testid="stMainBlockContainer"] {padding-top: 4.2rem; padding-bottom: 3rem; max-width: 1240px}
[data-testid="stHeading"] h1 {font-size: 2rem; letter-spacing: -.02em; padding-bottom: .4rem}
[data-testid="stHeading"] h3 {font-size: 1.15rem; padding: .3rem 0}
[data-testid="stImage"] img {image-rendering: pixelated; border-radius: 6px}
[data-testid="stHeaderActionElements"] {display: none}
a:focus-visible, button:focus-visible, summary:focus-visible {outline: 2px solid FOCUS !important; outline-offset: 2px}
[data-testid="stTable"] {overflow-x: auto}
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p {color: MUTED; opacity: 1}
[data-testid="stTable"] td, [data-testid="stTable"] th {font-variant-numeric: tabular-nums}
.st-key-bar {margin-bottom: -1rem}
.st-key-unseen {visibility: hidden; position: absolute; height: 0; overflow: hidden}
@media (max-width: 640px) {
    [data-testid="stMainBlockContainer"] {padding-left: 1rem; padding-right: 1rem}
    [data-testid="stLayoutWrapper"]:has(> .st-key-review-neighbours) {min-width: 100%}
}
"""
DARK_STYLE = """
[data-testid="stBaseButton-primary"]:enabled, [data-testid="stBaseButton-primaryFormSubmit"]:enabled {
    color: PAGE !important
}
"""
"""White on the pale blue of the dark theme could not be read; a button that is shut has no blue."""


def main() -> None:
    """Draw the page that was asked for."""
    # First, or the tab's picture would be the page's symbol, fetched from another server.
    st.set_page_config(page_icon=_icon(), layout="wide")
    pages = [
        st.Page(page(show), title=title, icon=icon, url_path=title.lower(), default=title == "Now")
        for title, icon, show in PAGES
    ]
    chosen = st.navigation(pages, position="top")
    st.set_page_config(page_title=tab(chosen.title, _open_desk()))
    look = theme()
    style = STYLE + (DARK_STYLE if look == "dark" else "")
    style = style.replace("FOCUS", colour("series1", look)).replace("PAGE", colour("page", look))
    style = style.replace("MUTED", colour("muted", look))
    st.html(f"<style>{style}</style>")
    chosen.run()


@cache
def _icon() -> Image.Image:
    """Two wheels. Streamlit's own symbols would be fetched from another server when they stand in the tab."""
    picture = Image.new("RGBA", (64, 64))
    canvas = ImageDraw.Draw(picture)
    for left in (2, 34):
        canvas.ellipse((left, 22, left + 28, 50), outline=colour("series1", "light"), width=6)
    canvas.line(((16, 36), (32, 14), (48, 36)), fill=colour("series2", "light"), width=6)
    return picture


def page(show: Callable[[OperationsDesk], None]) -> Callable[[], None]:
    """What Streamlit calls for a page: `show` at the desk, or why there is none."""

    def drawn() -> None:
        found = _open_desk()
        show_bar(found)
        if not found:
            st.session_state.setdefault(GONE, now())
        show_banner()
        if found:
            with found.feed.standing_back(), in_zone(zone()):
                show(found)

    return drawn


def _open_desk() -> OperationsDesk | None:
    """The desk; None without a cloud or with wrong settings, which the banner tells."""
    try:
        return desk()
    except SconesError:
        return None


if __name__ == "__main__":
    main()
