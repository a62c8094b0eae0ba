"""EventLog: reads a shop's events, accepts, quarantines or recognises each row, and keeps the clock."""

from thence.events.ingest import ingest as ingest
from thence.events.log import EventLog as EventLog
from thence.events.options import IngestOptions as IngestOptions
from thence.events.report import IngestReport as IngestReport
from thence.events.report import SourceReport as SourceReport
from thence.events.sessions import sessions as sessions
from thence.events.split import TimeSplit as TimeSplit
