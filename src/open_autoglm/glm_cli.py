"""`autoglm glm`: the arguments of its commands."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from open_autoglm.cli_options import BaseUrl, Given, Json

glm_app = App(name="glm", help="A GLM of your own: serve one on this machine's GPUs, and see how it fares.")


@glm_app.command(name="serve", usage="Usage: autoglm glm serve [MODEL] [OPTIONS] [-- FLAGS OF VLLM]\n")
def glm_serve(
    model: Annotated[
        str | None,
        Parameter(help="A model by name, or a folder with one; default: the most capable that fits."),
    ] = None,
    /,
    *flags: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    gpus: Annotated[
        int | None, Parameter(help="How many GPUs; default: the fewest that give the longest context.")
    ] = None,
    port: Annotated[int, Parameter(help="Port on loopback; default 8000.")] = 8000,
    lora: Annotated[tuple[str, ...], Parameter(help="LoRA adapter as NAME=FOLDER (repeatable).")] = (),
    vllm: Annotated[Path | None, Parameter(help="Which vLLM: the program, or its environment.")] = None,
    docker: Annotated[bool, Parameter(help="Run vLLM's container instead.")] = False,
    dry_run: Annotated[bool, Parameter(help="Print the command that would be run, and nothing else.")] = False,
    front: Given,
) -> int:
    """Serve a GLM by vLLM, on loopback alone, until Ctrl-C."""
    from open_autoglm.glm_command import serve_command  # noqa: PLC0415 - `--help` needs none of it

    if model is not None and model.startswith("-"):  # what follows `--` where no model is named
        flags, model = (model, *flags), None
    return serve_command(
        front, model, flags, gpus=gpus, port=port, lora=lora, vllm=vllm, docker=docker, dry_run=dry_run
    )


@glm_app.command(name="status")
def glm_status(*, base_url: BaseUrl = None, as_json: Json = False, front: Given) -> int:
    """Show what an endpoint serves: load, tokens per second, prompts found in the cache, adapters."""
    from open_autoglm.glm_command import status_command  # noqa: PLC0415 - as above

    return status_command(front, base_url, as_json=as_json)
