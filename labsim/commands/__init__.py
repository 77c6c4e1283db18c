"""One file per command: a SUMMARY of one line and `main(arguments) -> int`; listed, not registered.

Files that begin with an underscore are no commands. `setup`, `doctor` and what they import run on
any python3 from 3.8 on, because they run before there is a newer one: standard library only.
"""
