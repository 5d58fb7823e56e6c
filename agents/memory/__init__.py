"""What a language model is reminded of: of the attempt in hand, of this run, of earlier runs. Each under a share of tokens."""
