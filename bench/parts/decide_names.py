"""Names of the figures that tell how a method was judged, in the order in which they are shown."""

JUDGED = (
    "recall",
    "precision",
    "violation",
    "naive_gain",
    "matched_recall",
    "recall_gain",
    "recall_gain.low",
    "recall_gain.high",
    "recall_gain_around",
)
