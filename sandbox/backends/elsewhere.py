"""Systems that are no Linux: what to do there, in words."""

NO_OTHER_SYSTEM = {
    "darwin": "macOS has no isolation of this kind: run Open-AutoGLM in a container (examples/container/Dockerfile), where Landlock isolates, "
    "or in a Linux virtual machine.",
    "win32": "Windows has no isolation of this kind: run Open-AutoGLM in WSL 2, where Docker and bubblewrap work as on Linux, or in a container "
    "(examples/container/Dockerfile), where Landlock isolates.",
}


def elsewhere(backend: str, platform: str) -> str | None:
    """Return what to do on a system that is no Linux, where this backend cannot work; None on Linux."""
    if platform == "linux":
        return None
    what = "an engine on the same Linux machine" if backend == "docker" else "Linux"
    advice = NO_OTHER_SYSTEM.get(platform, "Run Open-AutoGLM on a Linux machine.")
    return f"The {backend} sandbox needs {what}. {advice}"
