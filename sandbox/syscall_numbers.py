"""The numbers of the system calls that a policy may name, by machine: from the kernel's `unistd.h`; they never change.

A call that a machine does not have is missing from its table.
"""

from collections.abc import Mapping

SINCE_5_1: Mapping[str, int] = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429, "fsopen": 430,
    "fsconfig": 431, "fsmount": 432, "fspick": 433, "clone3": 435, "pidfd_getfd": 438, "mount_setattr": 442,
}  # fmt: skip
"""Calls that came with Linux 5.1 or later: they have the same number everywhere."""

NUMBERS: Mapping[str, Mapping[str, int]] = {
    "x86_64": {
        **SINCE_5_1,
        "acct": 163, "add_key": 248, "adjtimex": 159, "bpf": 321, "chroot": 161, "clock_adjtime": 305, "clock_settime": 227, "clone": 56,
        "connect": 42, "delete_module": 176, "finit_module": 313, "init_module": 175, "ioctl": 16, "ioperm": 173, "iopl": 172, "kcmp": 312,
        "kexec_file_load": 320, "kexec_load": 246, "keyctl": 250, "mount": 165, "open_by_handle_at": 304, "perf_event_open": 298,
        "pivot_root": 155, "process_vm_readv": 310, "process_vm_writev": 311, "ptrace": 101, "quotactl": 179, "reboot": 169,
        "request_key": 249, "seccomp": 317, "sendto": 44, "setdomainname": 171, "sethostname": 170, "setns": 308, "settimeofday": 164,
        "socket": 41, "socketpair": 53, "swapoff": 168, "swapon": 167, "umount2": 166, "unshare": 272, "userfaultfd": 323,
    },
    "aarch64": {
        **SINCE_5_1,
        "acct": 89, "add_key": 217, "adjtimex": 171, "bpf": 280, "chroot": 51, "clock_adjtime": 266, "clock_settime": 112, "clone": 220,
        "connect": 203, "delete_module": 106, "finit_module": 273, "init_module": 105, "ioctl": 29, "kcmp": 272, "kexec_file_load": 294,
        "kexec_load": 104, "keyctl": 219, "mount": 40, "open_by_handle_at": 265, "perf_event_open": 241, "pivot_root": 41,
        "process_vm_readv": 270, "process_vm_writev": 271, "ptrace": 117, "quotactl": 60, "reboot": 142, "request_key": 218,
        "seccomp": 277, "sendto": 206, "setdomainname": 162, "sethostname": 161, "setns": 268, "settimeofday": 170, "socket": 198,
        "socketpair": 199, "swapoff": 225, "swapon": 224, "umount2": 39, "unshare": 97, "userfaultfd": 282,
    },
}  # fmt: skip
