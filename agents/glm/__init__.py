"""The strategist that a language model drives. `wire` is the contract between what is asked and who answers."""
