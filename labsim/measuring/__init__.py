"""What is measured in a running lab beyond single attempts: courses, roll-outs, alarms."""
