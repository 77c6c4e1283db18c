"""Parts that are wrong in the way that real ones were, to be put in place of a role's good ones."""
