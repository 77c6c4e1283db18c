"""The sections of the catalogue: one file each, with a constant `SECTION`."""
