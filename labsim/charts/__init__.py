"""One picture per file: a table in, a figure out. The only importer of matplotlib."""
