"""One module per operator: what a language model is asked, and what of its answer is taken."""
