"""What a run is compared with and how it is told: oracle, tables, report."""
