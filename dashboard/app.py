"""The script that Streamlit runs for every visit and every click: which page, and what stands around it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard.desk import Desk, desk
from dashboard.pages import batch, confidence, drift, models, now, review, threshold
from dashboard.reach import problem_of_cloud
from dashboard.saying import problem
from scones.errors import SconesError

PAGES: tuple[tuple[str, str, Callable[[Desk], None]], ...] = (
    ("Now", ":material/monitor_heart:", now.show),
    ("Confidence", ":material/insights:", confidence.show),
    ("Drift", ":material/stacked_line_chart:", drift.show),
    ("Review", ":material/rate_review:", review.show),
    ("Threshold", ":material/tune:", threshold.show),
    ("Models", ":material/deployed_code:", models.show),
    ("Batch", ":material/folder_copy:", batch.show),
)
STYLE = """
<style>
[data-testid="stMainBlockContainer"] {padding-top: 4.2rem; max-width: 1240px}
h1 {letter-spacing: -.02em}
img {image-rendering: pixelated; border-radius: 6px}
@media (max-width: 640px) {[data-testid="stMainBlockContainer"] {padding-left: 1rem; padding-right: 1rem}}
</style>
"""


def main() -> None:
    """Draw the page that was asked for."""
    st.set_page_config(page_title="Scones Unlimited", page_icon=":material/local_shipping:", layout="wide")
    st.html(STYLE)
    pages = [
        st.Page(_drawn(show), title=title, icon=icon, url_path=title.lower(), default=title == "Now")
        for title, icon, show in PAGES
    ]
    st.navigation(pages, position="top").run()


def _drawn(show: Callable[[Desk], None]) -> Callable[[], None]:
    def page() -> None:
        try:
            found = desk()
        except SconesError as error:
            problem(error)
            return
        if error_of_cloud := problem_of_cloud():
            problem(error_of_cloud)
            return
        show(found)

    return page


if __name__ == "__main__":
    main()
