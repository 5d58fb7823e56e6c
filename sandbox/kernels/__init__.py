"""Kernels that keep state, for chats and notebooks, and what they are spoken with."""
