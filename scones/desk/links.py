"""Links from one page to where one goes next, with what is to be shown there in the address."""

from __future__ import annotations

import streamlit as st


def link(title: str, label: str, icon: str, **shown: str) -> None:
    """A link to the page of that title."""
    st.page_link(st.Page(_elsewhere, title=title, url_path=title.lower()), label=label, icon=icon, query_params=shown)


def _elsewhere() -> None:
    """In the place of the page's own function: a link needs its address alone."""
