"""Where exposures come from: logs, tables, public data sets and simulated worlds."""
