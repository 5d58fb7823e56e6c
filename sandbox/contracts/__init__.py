"""What every backend promises, as tests that ship."""
