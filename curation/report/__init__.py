"""The report: what was found and decided, as one file that opens anywhere without asking anybody for anything."""

from curation.report.writing import report_html, write_report

__all__ = ["report_html", "write_report"]
