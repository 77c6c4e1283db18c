"""The replays, one file each: `labsim.rooms.rooms("labsim.replays", "REPLAY")` finds them."""
