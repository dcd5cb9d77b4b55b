"""Charts for reports: drawn once, written as SVG that follows the reader's light or dark theme, and as PNG.

A plot (plots.py, tables.py, timeline.py) makes a `Drawing` of marks whose colours are roles of theme.py; svg.py and
png.py write it. Nothing but Pillow is needed, so a job's container can draw as well.
"""
