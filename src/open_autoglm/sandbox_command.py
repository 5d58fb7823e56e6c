"""What `autoglm sandbox` does: the images and containers of the Docker backend."""

import os
import shutil
from typing import NoReturn

from open_autoglm.errors import SandboxUnavailable
from open_autoglm.front import Front
from open_autoglm.runs import size_text


def build_command(front: Front, base: str | None, *, debootstrap: bool) -> int:
    """Build the image that fits this installation."""
    from open_autoglm.sandbox.image import build  # noqa: PLC0415 - `--help` needs none of it

    _require_engine()
    name = build(base=base, debootstrap=debootstrap, say=front.terminal.tell)
    front.terminal.say(f"{name} is built: '--sandbox auto' takes Docker from now on.")
    return 0


def list_command(front: Front, *, as_json: bool) -> int:
    """List the images, and the containers that run or were left behind."""
    from open_autoglm.sandbox.docker import engine  # noqa: PLC0415 - as above
    from open_autoglm.sandbox.image import image_name, images  # noqa: PLC0415 - as above
    from open_autoglm.sandbox.janitor import LABEL, is_gone, owned  # noqa: PLC0415 - as above

    _require_engine()
    wanted = image_name()
    found = list(images())
    running = [(record["Id"][:12], record["State"], is_gone(record["Labels"][LABEL])) for record in owned(engine())]
    if as_json:
        front.terminal.say_json(
            {
                "images": [{"image": name, "bytes": size, "fits": name == wanted} for name, size in found],
                "containers": [{"id": name, "state": state, "owner_gone": gone} for name, state, gone in running],
                "wanted": wanted,
            }
        )
        return 0
    for name, size in found:
        front.terminal.say(
            f"{name}  {size_text(size)}{'' if name == wanted else '  (of another installation or version)'}"
        )
    if wanted not in dict(found):
        front.terminal.say(f"{wanted}  not built: autoglm sandbox build")
    for name, state, gone in running:
        front.terminal.say(f"container {name}  {state}{'  (left behind: autoglm sandbox prune)' if gone else ''}")
    return 0


def prune_command(front: Front) -> int:
    """Remove the containers of dead owners and the images that no longer fit; a base that was made here stays."""
    from docker.errors import APIError  # noqa: PLC0415 - as above

    from open_autoglm.sandbox.docker import engine  # noqa: PLC0415 - as above
    from open_autoglm.sandbox.image import image_name, images  # noqa: PLC0415 - as above
    from open_autoglm.sandbox.janitor import tidy  # noqa: PLC0415 - as above

    _require_engine()
    for container in tidy(engine()):
        front.terminal.say(f"removed container {container}")
    for name, _ in list(images()):
        if name == image_name():
            continue
        try:
            engine().remove_image(name)
        except APIError as error:
            front.terminal.tell(f"{name} stays: {error.explanation}")
        else:
            front.terminal.say(f"removed {name}")
    return 0


def shell_command(front: Front) -> NoReturn:
    """Become a shell in the image, to look around."""
    from open_autoglm.sandbox.image import image_name  # noqa: PLC0415 - as above

    _require_engine()
    program = shutil.which("docker")
    if program is None:
        raise SandboxUnavailable("There is no docker program. Install it: apt-get install docker.io")
    options = ["--rm", "-it", "--network", "none", "--read-only", "--cap-drop", "ALL", "--tmpfs", "/tmp"]  # noqa: S108 - inside
    front.terminal.close()
    command = [program, "run", *options, "--security-opt", "no-new-privileges", "--entrypoint", "/bin/sh", image_name()]
    os.execv(program, command)  # noqa: S606 - becoming the shell is what the command is for


def _require_engine() -> None:
    from open_autoglm.sandbox.docker import missing_engine  # noqa: PLC0415 - as above

    reason = missing_engine()
    if reason:
        raise SandboxUnavailable(reason)
