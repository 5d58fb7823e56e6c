"""How we know: suites of data sets, run as a user would run them and scored on rows the product never saw."""
