"""The built-in strategist: real pipelines, written from tested blocks, without any language model."""
