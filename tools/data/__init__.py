"""From files to honest splits: reading, profiling, splitting, staging. Nothing here executes anything."""
