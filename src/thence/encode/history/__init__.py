"""From a history to what comes next: methods that read a whole list of items rather than one.

Everything here is a :class:`HistoryScorer`. The plain ones count (``plain``, ``neighbours``), the learned ones
(``sasrec``, ``encoder``) give one vector a history, so that an index of targets can serve them.
"""

from thence.encode.history.next_items import NextItems as NextItems
from thence.encode.history.scorer import HistoryScorer as HistoryScorer
