"""From the journal to a verified model: name the winner, earn its score, refit, check what ships."""
