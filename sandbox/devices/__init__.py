"""GPUs: which there are, who has one, and whether it is idle afterwards."""
