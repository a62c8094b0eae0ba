"""One training loop, with checkpoints that resume to the same bytes."""

from thence.train.config import TrainConfig as TrainConfig
from thence.train.fit import fit as fit
