"""Executions of a pipeline as a table whose rows lead to them; on a phone each row is a card."""

from __future__ import annotations

from jinja2 import Environment

from pipelines.runs.history import Past
from scones.desk.data.pipelines import Listed
from scones.desk.linked import address
from scones.desk.wording import age, clock, now, theme
from scones.reports.charts.theme import colour
from scones.reports.charts.words import duration

MORE = 25
"""Executions that are shown first, and how many more at a time."""
STATES = {
    # PipelineExecutionStatus: in words, the role of its colour
    "Executing": ("Running", "series1"),
    "Stopping": ("Stopping", "warn"),
    "Succeeded": ("Succeeded", "good"),
    "Failed": ("Failed", "bad"),
    "CompletedWithFailures": ("Completed with failures", "warn"),
    "Stopped": ("Stopped", "warn"),
}
SHOWN_CHARACTERS = 48
TABLE = Environment(autoescape=True).from_string("""
<table aria-label="Executions">
<thead><tr>
<th>Execution</th><th>State</th><th>Started</th><th>Took</th><th>Differs from the defaults in</th>
</tr></thead>
<tbody>
{%- for row in rows %}
<tr>
<td class="name">
<a href="{{ row.address }}">{{ row.name }}</a>
{%- if row.more %}<small>{{ row.more }}</small>{% endif -%}
</td>
<td class="state"><span style="color: {{ row.colour }}">{{ row.state }}</span></td>
<td class="when">{{ row.started }}<small>{{ row.age }}</small></td>
<td class="took">{{ row.took }}</td>
<td class="differs">
{%- for name, value, whole in row.differs -%}
<small title="{{ name }} = {{ whole }}">{{ name }} = {{ value }}</small>
{%- endfor -%}
</td>
</tr>
{%- endfor %}
</tbody></table>
{%- if more %}<p><a href="{{ more }}">Show {{ number }} more</a></p>{% endif %}
""")


def executions_table(pipeline: str, listed: Listed, statuses: list[str], most: int) -> str:
    """The table as HTML; all text is escaped."""
    more = ""
    if len(listed.found) == most and not listed.is_all:
        more = address({"pipeline": pipeline, "state": " ".join(statuses), "most": str(most + MORE)})
    return TABLE.render(rows=[_row(pipeline, one) for one in listed.found], more=more, number=MORE)


def _row(pipeline: str, one: Past) -> dict[str, object]:
    state, role = STATES.get(one.status, (one.status, "muted"))
    more = [one.id] if one.display_name else []
    more += [f"by {one.started_by}"] if one.started_by else []
    running = (now() - one.started).total_seconds()
    return {
        "address": address({"pipeline": pipeline, "execution": one.id}),
        "name": one.display_name or one.id,
        "more": " · ".join(more),
        "state": state,
        "colour": colour(role, theme()),
        "started": clock(one.started),
        "age": age(running),
        "took": duration(running if one.seconds is None else one.seconds),
        "differs": [(name, _short(value), value) for name, value in one.differs.items()],
    }


def _short(value: str) -> str:
    """A value that fits: the end of an address, the beginning of other text."""
    if len(value) <= SHOWN_CHARACTERS:
        return value
    return f"…{value[-SHOWN_CHARACTERS:]}" if value.startswith("s3://") else f"{value[:SHOWN_CHARACTERS]}…"
