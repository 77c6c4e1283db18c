"""A module whose import never ends."""

import os

import process_entries

process_entries.block(os.environ["LABSIM_TEST_TOLD"])
