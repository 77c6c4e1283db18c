"""What is measured in a running lab beyond single attempts: over time, in a roll-out, and alarms."""
