"""Who decides: the state machine, the search, the strategists, the budget and the journal."""
