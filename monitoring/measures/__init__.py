"""Plain numbers: metrics, intervals, distances. numpy only."""
