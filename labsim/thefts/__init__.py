"""The thefts, one file each: `labsim.rooms.rooms("labsim.thefts", "THEFT")` finds them."""
