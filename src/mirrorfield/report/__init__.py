"""The report: a result as one self-contained HTML page."""
