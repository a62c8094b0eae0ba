"""What smaller and faster forms of a model cost in accuracy, beside each other."""

from thence.evaluate.tradeoff.forms import Form, Tradeoff
from thence.evaluate.tradeoff.judge import cpu_micros, listed_hit_rate, listed_recall

__all__ = ["Form", "Tradeoff", "cpu_micros", "listed_hit_rate", "listed_recall"]
