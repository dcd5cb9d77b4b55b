"""What Streamlit serves: the pages of app.py, behind the door."""

from __future__ import annotations

from pathlib import Path

from starlette.middleware import Middleware
from streamlit.starlette import App

from scones.desk.door import guarded

app = App(Path(__file__).with_name("app.py"), middleware=[Middleware(guarded)])
