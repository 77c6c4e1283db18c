"""Mistakes of real systems, each as a preset that one role of the estate can be made to make."""
