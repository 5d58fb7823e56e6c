"""What `autoglm sandbox` does: the images and containers of the Docker backend, and the kernels for Jupyter."""

import os
import shutil
from typing import NoReturn

from open_autoglm.errors import InputError, SandboxUnavailable
from open_autoglm.front import Front
from open_autoglm.tools.export.words import size_text


def build_command(front: Front, base: str | None, *, debootstrap: bool, gpu: bool, index: str | None) -> int:
    """Build the image that fits this installation."""
    from open_autoglm.sandbox.backends.image import build, build_gpu  # noqa: PLC0415 - `--help` needs none of it

    if index is not None and not gpu:
        raise InputError("--index says where PyTorch for a GPU comes from. Give it with --gpu.")
    _require_engine()
    say = front.terminal.tell
    if gpu:
        name = build_gpu(base=base, debootstrap=debootstrap, index=index, say=say)
        front.terminal.say(f"{name} is built: Docker takes it for code that is given a GPU.")
        return 0
    name = build(base=base, debootstrap=debootstrap, say=say)
    front.terminal.say(f"{name} is built: '--sandbox auto' takes Docker from now on.")
    return 0


def list_command(front: Front, *, as_json: bool) -> int:
    """List the images, and the containers that run or were left behind."""
    from open_autoglm.sandbox.backends.engine import engine  # noqa: PLC0415 - as above
    from open_autoglm.sandbox.backends.image import VARIANTS, image_name, images  # noqa: PLC0415 - as above
    from open_autoglm.sandbox.backends.janitor import LABEL, owned  # noqa: PLC0415 - as above
    from open_autoglm.sandbox.supervision.owner import is_gone  # noqa: PLC0415 - needed by this command alone

    _require_engine()
    fitting = {variant: image_name(variant) for variant in VARIANTS}
    found = list(images())
    running = [(record["Id"][:12], record["State"], is_gone(record["Labels"][LABEL])) for record in owned(engine())]
    if as_json:
        front.terminal.say_json(
            {
                "images": [{"image": name, "bytes": size, "fits": name in fitting.values()} for name, size in found],
                "containers": [{"id": name, "state": state, "owner_gone": gone} for name, state, gone in running],
                "wanted": fitting["cpu"],
                "wanted_for_gpus": fitting["gpu"],
            }
        )
        return 0
    for name, size in found:
        note = "" if name in fitting.values() else "  (of another installation or version)"
        front.terminal.say(f"{name}  {size_text(size)}{note}")
    if fitting["cpu"] not in dict(found):
        front.terminal.say(f"{fitting['cpu']}  not built: autoglm sandbox build")
    if fitting["gpu"] not in dict(found):
        front.terminal.say(f"{fitting['gpu']}  not built, needed for GPUs alone: autoglm sandbox build --gpu")
    for name, state, gone in running:
        front.terminal.say(f"container {name}  {state}{'  (left behind: autoglm sandbox prune)' if gone else ''}")
    return 0


def prune_command(front: Front) -> int:
    """Remove what killed hosts left here, and where there is an engine their containers and the images that no longer fit."""
    from open_autoglm.sandbox.backends.engine import missing_engine  # noqa: PLC0415 - as above
    from open_autoglm.sandbox.supervision.orphans import clear_away  # noqa: PLC0415 - as above

    for left in clear_away():
        front.terminal.say(f"removed {left}")
    if (reason := missing_engine()) is None:
        _prune_engine(front)
    else:
        front.terminal.tell(f"Containers and images were not looked at. {reason}")
    return 0


def _prune_engine(front: Front) -> None:
    """Remove the containers of dead owners and the images that no longer fit; a base that was made here stays."""
    from docker.errors import APIError  # noqa: PLC0415 - as above

    from open_autoglm.sandbox.backends.engine import engine  # noqa: PLC0415 - as above
    from open_autoglm.sandbox.backends.image import VARIANTS, image_name, images  # noqa: PLC0415 - as above
    from open_autoglm.sandbox.backends.janitor import tidy  # noqa: PLC0415 - as above

    for container in tidy(engine()):
        front.terminal.say(f"removed container {container}")
    fitting = {image_name(variant) for variant in VARIANTS}
    for name in sorted(
        {name for name, _ in images()} - fitting, reverse=True
    ):  # an image for GPUs before the one below it
        try:
            engine(patient=True).remove_image(name)
        except APIError as error:
            front.terminal.tell(f"{name} stays: {error.explanation}")
        else:
            front.terminal.say(f"removed {name}")


def kernels_command(front: Front) -> int:
    """Install the kernelspecs of the sealed kernels for this user."""
    from open_autoglm.sandbox.kernels.kernelspecs import install  # noqa: PLC0415 - as above

    for folder in install():
        front.terminal.say(f"installed {folder}")
    return 0


def shell_command(front: Front, *, gpu: bool) -> NoReturn:
    """Become a shell in the image, to look around."""
    from open_autoglm.sandbox.backends.image import image_name  # noqa: PLC0415 - as above

    _require_engine()
    program = shutil.which("docker")
    if program is None:
        raise SandboxUnavailable("There is no docker program. Install it: apt-get install docker.io")
    options = ["--rm", "-it", "--network", "none", "--read-only", "--cap-drop", "ALL", "--tmpfs", "/tmp"]  # noqa: S108 - inside
    image = image_name("gpu" if gpu else "cpu")
    front.terminal.close()
    command = [program, "run", *options, "--security-opt", "no-new-privileges", "--entrypoint", "/bin/sh", image]
    os.execv(program, command)  # noqa: S606 - becoming the shell is what the command is for


def _require_engine() -> None:
    from open_autoglm.sandbox.backends.engine import missing_engine  # noqa: PLC0415 - as above

    reason = missing_engine()
    if reason:
        raise SandboxUnavailable(reason)
