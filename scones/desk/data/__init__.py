"""What the pages show, as data: nothing here knows Streamlit or Plotly."""
