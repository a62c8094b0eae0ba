"""Real data sets under thence's own columns, and the registry that says what they are."""

from thence.events.datasets.arcs import read_arcs_tsv as read_arcs_tsv
from thence.events.datasets.journey import complete_journey as complete_journey
from thence.events.datasets.registry import DATASETS as DATASETS
from thence.events.datasets.registry import DataSet as DataSet
from thence.events.datasets.registry import dataset_file as dataset_file
