"""Every chart, once: functions from plain data to a Plotly figure, which report pages and the desk both show.

Colours stand in a figure as roles (theme.py). `theme.painted` puts one theme's colours in their place for the desk; a
page does it in the reader's browser, where the theme can change while the page is open.
"""
