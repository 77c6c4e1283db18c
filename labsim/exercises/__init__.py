"""The exercises, one file per notebook: `from labsim.exercises import dpop as ex`."""
