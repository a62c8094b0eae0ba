"""The page of decisions: what a boundary takes, where one threshold would differ, and who is right."""

from thence.decide.report.report import DecisionReport, decision_report

__all__ = ["DecisionReport", "decision_report"]
