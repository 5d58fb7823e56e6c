"""The numbers of the system calls that a policy may name, by machine: from the kernel's `unistd.h`; they never change.

A call that a machine does not have is missing from its table.
"""

from collections.abc import Mapping

SINCE_5_1: Mapping[str, int] = {
    "clone3": 435, "fsconfig": 431, "fsmount": 432, "fsopen": 430, "fspick": 433, "io_uring_enter": 426, "io_uring_register": 427,
    "io_uring_setup": 425, "mount_setattr": 442, "move_mount": 429, "open_tree": 428, "pidfd_getfd": 438,
}  # fmt: skip
"""Calls that came with Linux 5.1 or later: they have the same number everywhere."""

NUMBERS: Mapping[str, Mapping[str, int]] = {
    "x86_64": {
        **SINCE_5_1,
        "acct": 163, "add_key": 248, "adjtimex": 159, "bpf": 321, "capset": 126, "chroot": 161, "clock_adjtime": 305,
        "clock_settime": 227, "clone": 56, "connect": 42, "creat": 85, "delete_module": 176, "finit_module": 313, "init_module": 175,
        "ioctl": 16, "ioperm": 173, "iopl": 172, "kcmp": 312, "kexec_file_load": 320, "kexec_load": 246, "keyctl": 250, "kill": 62,
        "mknod": 133, "mknodat": 259, "mount": 165, "open": 2, "open_by_handle_at": 304, "openat": 257, "perf_event_open": 298,
        "pivot_root": 155, "prlimit64": 302, "process_vm_readv": 310, "process_vm_writev": 311, "ptrace": 101, "quotactl": 179,
        "reboot": 169, "request_key": 249, "sched_setscheduler": 144, "seccomp": 317,
        "sendto": 44, "setdomainname": 171, "setfsgid": 123, "setfsuid": 122, "setgid": 106, "setgroups": 116, "sethostname": 170,
        "setns": 308, "setregid": 114, "setresgid": 119, "setresuid": 117, "setreuid": 113, "settimeofday": 164, "setuid": 105,
        "socket": 41, "socketpair": 53, "swapoff": 168, "swapon": 167, "umount2": 166, "unlink": 87, "unlinkat": 263, "unshare": 272,
        "userfaultfd": 323,
    },
    "aarch64": {
        **SINCE_5_1,
        "acct": 89, "add_key": 217, "adjtimex": 171, "bpf": 280, "capset": 91, "chroot": 51, "clock_adjtime": 266, "clock_settime": 112,
        "clone": 220, "connect": 203, "delete_module": 106, "finit_module": 273, "init_module": 105, "ioctl": 29, "kcmp": 272,
        "kexec_file_load": 294, "kexec_load": 104, "keyctl": 219, "kill": 129, "mknodat": 33, "mount": 40, "open_by_handle_at": 265,
        "openat": 56, "perf_event_open": 241, "pivot_root": 41, "prlimit64": 261, "process_vm_readv": 270, "process_vm_writev": 271,
        "ptrace": 117, "quotactl": 60, "reboot": 142, "request_key": 218,         "sched_setscheduler": 119, "seccomp": 277, "sendto": 206, "setdomainname": 162, "setfsgid": 152, "setfsuid": 151, "setgid": 144,
        "setgroups": 159, "sethostname": 161, "setns": 268, "setregid": 143, "setresgid": 149, "setresuid": 147, "setreuid": 145,
        "settimeofday": 170, "setuid": 146, "socket": 198, "socketpair": 199, "swapoff": 225, "swapon": 224, "umount2": 39,
        "unlinkat": 35, "unshare": 97, "userfaultfd": 282,
    },
}  # fmt: skip
