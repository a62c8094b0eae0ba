"""EventLog: reads a shop's events, accepts, quarantines or recognises each row, and keeps the clock."""

from thence.events.datasets import DATASETS as DATASETS
from thence.events.datasets import complete_journey as complete_journey
from thence.events.datasets import read_arcs_tsv as read_arcs_tsv
from thence.events.ingest import ingest as ingest
from thence.events.log import EventLog as EventLog
from thence.events.options import IngestOptions as IngestOptions
from thence.events.report import IngestReport as IngestReport
from thence.events.report import SourceReport as SourceReport
from thence.events.screen import Screened as Screened
from thence.events.screen import screen as screen
from thence.events.sessions import sessions as sessions
from thence.events.split import TimeSplit as TimeSplit
