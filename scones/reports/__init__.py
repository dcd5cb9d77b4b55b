"""The report of one pipeline execution: collected from the cloud, drawn, written as one HTML page, registered."""
