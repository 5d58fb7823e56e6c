"""Words to a task by rules: English and Chinese, no model, the same answer every time."""

from open_autoglm.agents.recipes.intent.assemble import understand

__all__ = ["understand"]
