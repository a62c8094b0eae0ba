"""Real data sets that come inside packages, under thence's own columns."""

from thence.events.datasets.completejourney import completejourney as completejourney
