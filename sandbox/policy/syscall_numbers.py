"""The numbers of the system calls that a policy may name, by machine: from the kernel's `unistd.h`; they never change.

A call that a machine does not have is missing from its table.
"""

from collections.abc import Mapping

SINCE_5_1: Mapping[str, int] = {
    "clone3": 435, "fchmodat2": 452, "file_setattr": 469, "fsconfig": 431, "fsmount": 432, "fsopen": 430, "fspick": 433,
    "io_uring_enter": 426, "io_uring_register": 427, "io_uring_setup": 425, "memfd_secret": 447, "mount_setattr": 442, "move_mount":
    429, "open_tree": 428, "open_tree_attr": 467, "quotactl_fd": 443, "pidfd_getfd": 438, "process_madvise": 440, "process_mrelease": 448, "removexattrat": 466, "setxattrat":
    463,
}  # fmt: skip
"""Calls that came with Linux 5.1 or later: they have the same number everywhere."""

NUMBERS: Mapping[str, Mapping[str, int]] = {
    "x86_64": {
        **SINCE_5_1,
        "accept": 43, "accept4": 288, "acct": 163, "add_key": 248, "adjtimex": 159, "bind": 49, "bpf": 321, "capset": 126, "chmod":
        90, "chown": 92, "chroot": 161, "clock_adjtime": 305, "clock_settime": 227, "clone": 56, "connect": 42, "creat": 85,
        "delete_module": 176, "fanotify_init": 300, "fchmod": 91, "fchmodat": 268, "fchown": 93, "fchownat": 260, "fcntl": 72,
        "finit_module": 313, "fremovexattr": 199, "fsetxattr": 190, "futimesat": 261, "init_module": 175, "inotify_add_watch": 254,
        "inotify_init": 253, "inotify_init1": 294, "ioctl": 16, "ioperm": 173, "iopl": 172, "ioprio_set": 251, "kcmp": 312,
        "kexec_file_load": 320, "kexec_load": 246, "keyctl": 250, "kill": 62, "lchown": 94, "listen": 50, "lremovexattr": 198,
        "lsetxattr": 189, "memfd_create": 319, "migrate_pages": 256, "mknod": 133, "mknodat": 259, "mount": 165, "move_pages": 279,
        "mq_open": 240, "mq_unlink": 241, "msgctl": 71, "msgget": 68, "msgrcv": 70, "msgsnd": 69, "open": 2, "open_by_handle_at": 304,
        "openat": 257, "perf_event_open": 298, "pivot_root": 155, "prlimit64": 302, "process_vm_readv": 310, "process_vm_writev": 311,
        "lookup_dcookie": 212, "modify_ldt": 154, "ptrace": 101, "quotactl": 179, "reboot": 169, "removexattr": 197, "request_key": 249, "sched_setaffinity": 203,
        "sched_setattr": 314, "sched_setparam": 142, "sched_setscheduler": 144, "seccomp": 317, "semctl": 66, "semget": 64, "semop":
        65, "semtimedop": 220, "sendto": 44, "setdomainname": 171, "setfsgid": 123, "setfsuid": 122, "setgid": 106, "setgroups": 116,
        "sethostname": 170, "setns": 308, "setpriority": 141, "setregid": 114, "setresgid": 119, "setresuid": 117, "setreuid": 113,
        "settimeofday": 164, "setuid": 105, "setxattr": 188, "shmat": 30, "shmctl": 31, "shmdt": 67, "shmget": 29, "socket": 41,
        "socketpair": 53, "swapoff": 168, "swapon": 167, "syslog": 103, "umount2": 166, "unlink": 87, "unlinkat": 263, "unshare": 272,
        "userfaultfd": 323, "utime": 132, "utimensat": 280, "utimes": 235,
    },
    "aarch64": {
        **SINCE_5_1,
        "accept": 202, "accept4": 242, "acct": 89, "add_key": 217, "adjtimex": 171, "bind": 200, "bpf": 280, "capset": 91, "chroot":
        51, "clock_adjtime": 266, "clock_settime": 112, "clone": 220, "connect": 203, "delete_module": 106, "fanotify_init": 262,
        "fchmod": 52, "fchmodat": 53, "fchown": 55, "fchownat": 54, "fcntl": 25, "finit_module": 273, "fremovexattr": 16, "fsetxattr":
        7, "init_module": 105, "inotify_add_watch": 27, "inotify_init1": 26, "ioctl": 29, "ioprio_set": 30, "kcmp": 272,
        "kexec_file_load": 294, "kexec_load": 104, "keyctl": 219, "kill": 129, "listen": 201, "lremovexattr": 15, "lsetxattr": 6,
        "memfd_create": 279, "migrate_pages": 238, "mknodat": 33, "mount": 40, "move_pages": 239, "mq_open": 180, "mq_unlink": 181,
        "msgctl": 187, "msgget": 186, "msgrcv": 188, "msgsnd": 189, "open_by_handle_at": 265, "openat": 56, "perf_event_open": 241,
        "pivot_root": 41, "prlimit64": 261, "process_vm_readv": 270, "process_vm_writev": 271, "lookup_dcookie": 18, "ptrace": 117, "quotactl": 60,
        "reboot": 142, "removexattr": 14, "request_key": 218, "sched_setaffinity": 122, "sched_setattr": 274, "sched_setparam": 118,
        "sched_setscheduler": 119, "seccomp": 277, "semctl": 191, "semget": 190, "semop": 193, "semtimedop": 192, "sendto": 206,
        "setdomainname": 162, "setfsgid": 152, "setfsuid": 151, "setgid": 144, "setgroups": 159, "sethostname": 161, "setns": 268,
        "setpriority": 140, "setregid": 143, "setresgid": 149, "setresuid": 147, "setreuid": 145, "settimeofday": 170, "setuid": 146,
        "setxattr": 5, "shmat": 196, "shmctl": 195, "shmdt": 197, "shmget": 194, "socket": 198, "socketpair": 199, "swapoff": 225,
        "swapon": 224, "syslog": 116, "umount2": 39, "unlinkat": 35, "unshare": 97, "userfaultfd": 282, "utimensat": 88,
    },
}  # fmt: skip
