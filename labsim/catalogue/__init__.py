"""The catalogue of negative tests, as data: what a careful server refuses, and what it must not.

A `Vector` (see `vector`) is one row; `catalogue()` (in `listed`) returns all of them, `run_vector`
(in `running`) sends one, over whatever sends requests.
"""
