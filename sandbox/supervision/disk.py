"""How much an execution has written."""

import os
from pathlib import Path


def used(folder: int) -> int:
    """Return the bytes used on the file system of this folder, which holds nothing else."""
    about = os.fstatvfs(folder)
    return (about.f_blocks - about.f_bfree) * about.f_frsize


def is_out_of_names(folder: int) -> bool:
    """Whether its file system takes no more files."""
    about = os.fstatvfs(folder)
    return about.f_files > 0 and about.f_ffree == 0


def size_of(folders: tuple[Path, ...], enough: int) -> int:
    """Return the bytes on disk under these folders, counting no further than `enough`."""
    total, todo = 0, [str(folder) for folder in folders]
    while todo and total <= enough:
        try:
            with os.scandir(todo.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:  # it vanished while we looked, or lies too deep for a path
            continue
    return total
