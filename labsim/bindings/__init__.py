"""The bindings, one file each: `labsim.rooms.rooms("labsim.bindings", "BINDING")` finds them."""
