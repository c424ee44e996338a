"""The DuckDB warehouse: a working file that one run writes, and a published copy that everybody reads."""
