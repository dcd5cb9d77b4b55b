"""HTML of ours whose links change the page's address without loading the page again.

Streamlit's own links open a new visit. Here a plain click sets the query parameters of this one; a link may still be
copied, or opened in a tab of its own. Streamlit does not clean what a component draws: whoever calls escapes all text
from outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

import streamlit as st

PARAMETERS = ("pipeline", "state", "most", "execution", "step")
"""What the address says of the page Pipelines."""
JS = """
export default function ({parentElement, data, setTriggerValue}) {
    let place = parentElement.querySelector(".linked");
    if (!place) {
        place = document.createElement("div");
        place.className = "linked";
        parentElement.appendChild(place);
        place.addEventListener("click", event => {
            const link = event.target.closest("a[href^='?']");
            if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
            event.preventDefault();
            place.send("clicked", link.getAttribute("href"));
        });
    }
    place.send = setTriggerValue;
    if (place.drawn === data.html) return;
    const held = parentElement.activeElement?.getAttribute?.("href");
    const chosen = () => place.querySelector("[aria-current]"), before = chosen()?.getAttribute("href");
    place.innerHTML = place.drawn = data.html;
    const box = place.querySelector(".graph"), now = chosen();
    if (box && now && now.getAttribute("href") !== before) {
        const outer = box.getBoundingClientRect(), inner = now.getBoundingClientRect();
        const beside = inner.left < outer.left || inner.right > outer.right;
        const above = inner.top < outer.top || inner.bottom > outer.bottom;
        box.scrollBy(beside ? inner.left - outer.left - (outer.width - inner.width) / 2 : 0,
                     above ? inner.top - outer.top - (outer.height - inner.height) / 2 : 0);
    }
    if (held) place.querySelector(`a[href="${CSS.escape(held)}"]`)?.focus({preventScroll: true});
}
"""
STYLE = """
.linked {font-family: var(--st-font); color: var(--st-text-color); font-size: .9rem}
a {color: var(--st-link-color); text-decoration: none}
a:hover {text-decoration: underline}
a:focus-visible {outline: 2px solid var(--st-primary-color); outline-offset: 2px; border-radius: 4px}
.graph {overflow: auto; max-height: min(78vh, 60rem); max-width: 100%}
.graph svg {display: block; margin: 0 auto; max-width: 100%; min-width: var(--least); height: auto}
.graph a:hover {text-decoration: none}
.graph a:hover rect, .graph a:focus-visible rect {stroke: var(--st-primary-color)}
@media (prefers-reduced-motion: no-preference) {
    .pipeline-graph-running circle {animation: beat 1.6s ease-in-out infinite}
}
@keyframes beat {50% {opacity: .45}}
table {border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums}
th {text-align: left; font-weight: 400; opacity: .75; font-size: .85rem}
th, td {padding: .45rem .7rem .45rem 0; vertical-align: top; border-bottom: 1px solid var(--st-border-color)}
td.name {overflow-wrap: anywhere; min-width: 9rem}
td small {display: block; opacity: .75; overflow-wrap: anywhere}
td.when, td.took, td.state {white-space: nowrap}
td.differs {overflow-wrap: anywhere}
td.state span {font-weight: 600}
@media (max-width: 640px) {
    .graph svg {max-width: none}
    thead {position: absolute; clip-path: inset(50%); height: 1px; overflow: hidden}
    tr {display: grid; grid-template-columns: auto 1fr; column-gap: .8rem; padding: .6rem 0;
        border-bottom: 1px solid var(--st-border-color)}
    td {border: 0; padding: .1rem 0}
    td.name {grid-column: 1 / -1; grid-row: 1}
    td.differs {grid-column: 1 / -1}
    td:empty {display: none}
}
"""

_draw = st.components.v2.component("scones_linked", css=STYLE, js=JS)


def show_linked(html: str, key: str) -> bool:
    """Draw `html`; whether a link in it was clicked a moment ago, which the address says now."""

    def follow_link() -> None:
        address = st.session_state[key].clicked
        if address:
            go_to(dict(parse_qsl(address.removeprefix("?"))))

    return bool(_draw(key=key, data={"html": html}, on_clicked_change=follow_link).clicked)


def go_to(parameters: Mapping[str, str]) -> None:
    """Let the address of this visit say these query parameters of the page, and leave those of others."""
    for name in PARAMETERS:
        if parameters.get(name):
            st.query_params[name] = parameters[name]
        elif name in st.query_params:
            del st.query_params[name]


def address(parameters: Mapping[str, str]) -> str:
    """A link to this page with these query parameters; those without a value are left out."""
    return f"?{urlencode({name: value for name, value in parameters.items() if value})}"
