"""The running estate: the only package that touches the operating system."""
