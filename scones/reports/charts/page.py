"""The HTML page around the charts: one file, no script, nothing fetched from anywhere."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from scones.reports.charts.drawing import Drawing
from scones.reports.charts.svg import svg
from scones.reports.charts.theme import variables

STYLE = """
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main,header,footer{max-width:1080px;margin:0 auto;padding:0 20px}
header{padding-top:36px}
h1{font-size:clamp(1.5rem,4.5vw,2.1rem);line-height:1.2;letter-spacing:-.015em;margin:0 0 6px}
h2{font-size:1.2rem;letter-spacing:-.01em;margin:44px 0 4px}
h3{font-size:1rem;margin:0 0 2px}
p{margin:4px 0 14px;max-width:70ch}
a{color:var(--series1)}
.muted,footer,figcaption{color:var(--muted)}
figcaption,footer,small{font-size:.875rem}
code,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.86em;overflow-wrap:anywhere}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,250px),1fr));gap:14px;margin:22px 0 8px}
.card,.panel{background:var(--surface);border:1px solid var(--line);border-radius:12px;padding:16px 18px}
.card b{display:block;font-size:1.9rem;line-height:1.15;font-weight:650;
letter-spacing:-.02em;font-variant-numeric:tabular-nums}
.card .name{font-size:.875rem;color:var(--muted);margin-bottom:4px}
.card .note{font-size:.84rem;color:var(--muted);margin-top:4px}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:16px;
margin:14px 0;align-items:start}
figure{margin:0;background:var(--surface);border:1px solid var(--line);border-radius:12px;padding:16px 16px 14px}
figure svg{display:block;width:100%;height:auto;max-width:500px;margin:8px auto;font-family:inherit}
figcaption{margin-top:4px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.92rem;font-variant-numeric:tabular-nums}
th{font-weight:600;text-align:left;color:var(--muted);font-size:.84rem}
th,td{padding:7px 12px 7px 0;border-bottom:1px solid var(--grid);vertical-align:top}
tr:last-child td{border-bottom:0}
td:first-child{overflow-wrap:anywhere;min-width:7.5em}td .badge{white-space:nowrap}
td:first-child:has(.badge){min-width:0}td.number,th.number{text-align:right}
.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
.badge{display:inline-block;border:1px solid currentColor;border-radius:99px;padding:1px 10px;
font-size:.84rem;font-weight:600}
.strip{display:grid;grid-template-columns:repeat(auto-fill,minmax(93px,1fr));gap:11px;margin:12px 0}
.strip>div{background:var(--surface);border:1px solid var(--line);border-radius:10px;
padding:7px;font-size:.77rem;overflow-wrap:anywhere;line-height:1.35}
.strip img{display:block;width:100%;aspect-ratio:1;border-radius:6px;
image-rendering:pixelated;margin-bottom:6px;background:var(--grid)}
.strip .pair{display:grid;grid-template-columns:1fr 1fr;gap:4px}
.wide{grid-template-columns:repeat(auto-fill,minmax(170px,1fr))}
dl{display:grid;grid-template-columns:minmax(120px,max-content) 1fr;gap:6px 18px;margin:0;font-size:.92rem}
dt{color:var(--muted)}dd{margin:0;overflow-wrap:anywhere}
details{margin:12px 0}summary{cursor:pointer;color:var(--muted)}
footer{padding-top:28px;padding-bottom:44px}
@media(max-width:480px){.cards{grid-template-columns:1fr 1fr;gap:10px}.card b{font-size:1.55rem}
main,header,footer{padding-left:14px;padding-right:14px}figure,.card,.panel{padding:14px 12px}
dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:10px}}
"""


@dataclass(frozen=True)
class Card:
    """A headline number: what it is, the number as text, and a note such as its interval. Tone: good, bad or none."""

    name: str
    value: str
    note: str = ""
    tone: str = ""


def page(title: str, lead: str, body: Sequence[str], foot: str = "") -> str:
    """A whole document. `lead` and `body` are HTML already; title and foot are plain text."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title>\n<style>{variables()}{STYLE}</style></head>\n<body>"
        f"<header><h1>{escape(title)}</h1>{lead}</header>\n<main>\n"
        + "\n".join(body)
        + f"\n</main><footer>{escape(foot)}</footer></body></html>\n"
    )


def section(title: str, *parts: str, intro: str = "") -> str:
    """A heading, a sentence or two (plain text), and what belongs under them."""
    words = f'<p class="muted">{escape(intro)}</p>' if intro else ""
    return f"<section><h2>{escape(title)}</h2>{words}{''.join(parts)}</section>"


def cards(entries: Sequence[Card]) -> str:
    """Headline numbers side by side."""
    shown = [
        f'<div class="card"><div class="name">{escape(card.name)}</div>'
        f'<b class="{card.tone}">{escape(card.value)}</b><div class="note">{escape(card.note)}</div></div>'
        for card in entries
    ]
    return f'<div class="cards">{"".join(shown)}</div>'


def figure(title: str, drawing: Drawing, caption: str = "") -> str:
    """A chart with its title and a sentence on how to read it."""
    words = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f"<figure><h3>{escape(title)}</h3>{svg(drawing)}{words}</figure>"


def grid(*parts: str) -> str:
    """Figures and panels side by side, under each other where there is no room."""
    return f'<div class="grid">{"".join(parts)}</div>'


def panel(*parts: str, title: str = "") -> str:
    """A framed place for a table or a list."""
    heading = f"<h3>{escape(title)}</h3>" if title else ""
    return f'<div class="panel">{heading}{"".join(parts)}</div>'


def table(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: int = 0) -> str:
    """A table of HTML cells; its last `numbers` columns are aligned to the right. It scrolls where it does not fit."""
    first = len(header) - numbers

    def line(tag: str, cells: Sequence[str]) -> str:
        return "".join(
            f'<{tag} class="number">{cell}</{tag}>' if i >= first else f"<{tag}>{cell}</{tag}>"
            for i, cell in enumerate(cells)
        )

    lines = [line("th", [escape(name) for name in header]), *(line("td", row) for row in rows)]
    return f'<div class="scroll"><table>{"".join(f"<tr>{cells}</tr>" for cells in lines)}</table></div>'


def facts(entries: Sequence[tuple[str, str]]) -> str:
    """Names with their values (HTML)."""
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in entries) + "</dl>"


def badge(text: str, tone: str = "") -> str:
    """A word in a frame, such as Succeeded."""
    return f'<span class="badge {tone}">{escape(text)}</span>'


def picture(content: bytes, alt: str) -> str:
    """A PNG inside the page itself."""
    return f'<img alt="{escape(alt)}" src="data:image/png;base64,{base64.b64encode(content).decode()}">'


def strip(entries: Sequence[tuple[Sequence[str], str]], *, wide: bool = False) -> str:
    """Small pictures (one, or a pair), each with a line of HTML under it."""
    cells = []
    for pictures, words in entries:
        shown = "".join(pictures) if len(pictures) == 1 else f'<div class="pair">{"".join(pictures)}</div>'
        cells.append(f"<div>{shown}{words}</div>")
    return f'<div class="strip{" wide" if wide else ""}">{"".join(cells)}</div>'
