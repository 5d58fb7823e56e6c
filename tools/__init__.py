"""What the agents use: the task, data, metrics, tuning, export and serving. Each folder or module is one tool."""
