"""EventLog: reads a shop's events, accepts, quarantines or recognises each row, and keeps the clock."""
