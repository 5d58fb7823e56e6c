"""The host's side of executions: starts them, watches them, ends them and reports what it saw."""
