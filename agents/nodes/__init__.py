"""The steps of the two graphs. A node is a coroutine of state and dependencies; none knows which comes next."""
