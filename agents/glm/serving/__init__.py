"""A GLM on this machine's own GPUs: which one fits, how vLLM is started with it, and how it fares."""
