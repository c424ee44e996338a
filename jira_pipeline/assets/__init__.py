"""Software-defined assets: thin wiring between Dagster and the packages that do the work. Asset key = table name."""
