"""What `fuzz` is made of: good requests, mutations, and why a mutant may be served."""
