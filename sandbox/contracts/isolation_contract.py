"""What a backend promises that may run code of a model or a stranger, as tests that it inherits.

`ConfinementContract` holds for all of them, `IsolationContract` where namespaces keep executions apart; what is promised where
only rules do, is in `rules_contract`.
"""

import uuid
from pathlib import Path

from open_autoglm.sandbox.contracts.conformance import DAEMON, Bench, Contract
from open_autoglm.sandbox.contracts.demand import demand
from open_autoglm.sandbox.report import Status


class ConfinementContract(Contract):
    """What every backend promises that may run code of a model or a stranger."""

    empty_sets: tuple[str, ...] = ("CapInh", "CapPrm", "CapEff", "CapAmb")
    """Sets of capabilities, by their names in /proc/self/status, in which there is none."""

    def test_there_are_no_rights_to_abuse(self, bench: Bench) -> None:
        """No capability, no way to new ones, no namespaces within, nothing to mount."""
        code = f"""
import ctypes
status = dict(line.split(':', 1) for line in open('/proc/self/status').read().splitlines())
print([name for name in {self.empty_sets!r} if int(status[name], 16)], status['NoNewPrivs'].strip())
libc = ctypes.CDLL(None)
print(libc.unshare(0x10000000), libc.mount(b'none', b'/tmp', b'tmpfs', 0, None), libc.chroot(b'/tmp'))
"""
        report = bench.run(code)

        assert report.stdout.head == "[] 1\n-1 -1 -1\n", report.stdout.head + report.stderr.head

    def test_signals_to_its_own_group_reach_nobody_else(self, bench: Bench) -> None:
        """Who waits for it outside is not stopped or ended with it."""
        code = "import signal\ntry: os.killpg(0, signal.SIGSTOP)\nexcept OSError: pass\nos.killpg(0, signal.SIGTERM)"
        report = bench.run(code, wall_seconds=1.0)

        assert report.status in (Status.STATUS_OK, Status.STATUS_ERROR, Status.STATUS_TIMEOUT), report
        assert bench.run("print(1)").stdout.head == "1\n"

    def test_what_it_runs_from_cannot_be_changed(self, bench: Bench) -> None:
        """Neither its own code, nor Python, nor the fork server; and signals reach nobody else."""
        code = """
import json
for path in (__file__, json.__file__, sys.executable, '/autoglm/forkserver.py', '/new', '/dev/new', '/autoglm/job/in/new'):
    try: open(path, 'a').close(); print('wrote', path)
    except OSError: pass
print('fine', flush=True)
os.kill(-1, 9)
"""
        assert bench.run(code).stdout.head == "fine\n"
        assert bench.run("print(1)").stdout.head == "1\n"


class IsolationContract(ConfinementContract):
    """What is promised where every execution has namespaces of its own."""

    empty_sets = (*ConfinementContract.empty_sets, "CapBnd")

    def test_there_is_no_network(self, bench: Bench) -> None:
        """Not by address, not by name, not to services of the host."""
        code = """
import socket
for target in (('127.0.0.1', 22), ('1.1.1.1', 53), ('169.254.169.254', 80)):
    try: socket.create_connection(target, timeout=1); print('reached', target)
    except OSError: pass
try: socket.getaddrinfo('example.com', 80); print('resolved')
except OSError: pass
print(sorted(os.listdir('/sys/class/net')) if os.path.isdir('/sys/class/net') else 'none')
server = socket.create_server(('127.0.0.1', 0)); socket.create_connection(server.getsockname()).close(); print('loopback')
for family in (socket.AF_UNIX, socket.AF_INET6, socket.AF_NETLINK): socket.socket(family, socket.SOCK_DGRAM if family != socket.AF_NETLINK else socket.SOCK_RAW).close()
for family in (17, 38, 40): # packets, the kernel's cryptography, the machine that this one is a guest of
    try: socket.socket(family, socket.SOCK_STREAM); print('made', family)
    except OSError: pass
"""
        report = bench.run(code)

        assert report.stdout.head == "none\nloopback\n", report.stderr.head

    def test_files_of_the_host_are_not_there(self, bench: Bench, tmp_path: Path) -> None:
        """Nor the host's user, nor its processes."""
        secret = tmp_path / "secret"
        secret.write_text("x")
        names = [str(secret), "/etc/shadow", "/root/.ssh", "/home", "/var", "/run"]
        code = f"""
print([n for n in {names!r} if os.path.exists(n)])
print(os.getuid() != 0, len([n for n in os.listdir('/proc') if n.isdigit()]) <= 5, len(os.listdir('/root')) if os.path.isdir('/root') and os.access('/root', os.R_OK) else 0)
"""
        report = bench.run(code)

        assert report.stdout.head.splitlines()[0] == "[]"
        assert report.stdout.head.splitlines()[1].startswith("True True")

    def test_what_the_policy_refuses_is_in_the_report(self, bench: Bench) -> None:
        """By name and address, counted, and nothing of what innocent code does; the code sees plain failures."""
        code = """
import ctypes, socket
libc = ctypes.CDLL(None, use_errno=True)
print([libc.ptrace(0, 0, 0, 0) for _ in range(3)], ctypes.get_errno(), libc.unshare(0x00020000), libc.syscall(425, 1, 0) == -1, ctypes.get_errno())
try: socket.socket(40, socket.SOCK_STREAM)
except OSError as error: print(error.errno)
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    try: socket.socket(socket.AF_INET, kind).connect(('169.254.169.254', 80))
    except OSError as error: print(error.errno)
socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(b'x', ('::1', 9))
try: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(b'x', ('2001:db8::1', 53))
except OSError as error: print(error.errno)
server = socket.create_server(('127.0.0.1', 0)); socket.create_connection(server.getsockname()).close()
one, other = socket.socketpair(); one.send(b'x'); print(other.recv(1))
subprocess.run(['true'], check=True)
"""
        report = bench.run(code)
        demand(there=report.isolation.calls_reported, reason="somebody else listens to the system calls here")
        tried = {violation.subject: (violation.count, violation.severity) for violation in report.violations}

        assert report.stdout.head == "[-1, -1, -1] 1 -1 True 38\n97\n101\n101\n101\nb'x'\n", report.stderr.head
        assert tried == {
            "ptrace": (3, "high"),
            "unshare": (1, "high"),
            "io_uring_setup": (1, "high"),
            "socket vsock": (1, "high"),
            "connect 169.254.169.254:80": (2, "low"),
            "sendto [2001:db8::1]:53": (1, "low"),
        }
        assert report.status == Status.STATUS_OK
        assert len(report.isolation.policy_sha256) == 64

    def test_nothing_of_one_execution_is_seen_by_the_next(self, bench: Bench) -> None:
        """Files wherever they can be written, shared memory of both kinds, message queues, processes."""
        tag = uuid.uuid4().hex
        look = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def writable():
    found = []
    for where, folders, files in os.walk('/'):
        folders[:] = [f for f in folders if os.path.join(where, f) not in ('/proc', '/sys', '/usr', '/nix', sys.prefix, sys.base_prefix)]
        found.append(where) if os.access(where, os.W_OK) else None
    return found
"""
        plant = f"""
print(writable())
for folder in writable():
    try: open(os.path.join(folder, '{tag}'), 'w').close()
    except OSError: pass
from multiprocessing import shared_memory
print(libc.shmget(4242, 4096, 0o1666) >= 0, libc.mq_open(b'/{tag}', 0o102, 0o666, None) >= 0)
shared_memory.SharedMemory('s{tag}', create=True, size=100)
daemon('{tag}')
"""
        search = f"""
print([os.path.join(w, f) for w in writable() for f in os.listdir(w) if '{tag}' in f])
print(libc.shmget(4242, 4096, 0o666), libc.mq_open(b'/{tag}', 2))
print([p for p in os.listdir('/proc') if p.isdigit() and '{tag}' in open(f'/proc/{{p}}/cmdline').read().partition('solution')[0]])
"""
        planted = bench.run(look + DAEMON + plant)
        found = bench.run(look + search)

        assert planted.status == Status.STATUS_OK, planted.stderr.head
        assert "/tmp" in planted.stdout.head  # noqa: S108 - a folder inside
        assert "/dev/shm" in planted.stdout.head  # noqa: S108
        assert found.stdout.head == "[]\n-1 -1\n[]\n", found.stdout.head

    def test_ports_and_devices_carry_nothing_to_the_next(self, bench: Bench) -> None:
        """A closed connection stays listed for a minute; times and modes of device files stay as long as they are."""
        names = """
names = ['/dev/' + name for name in os.listdir('/dev') if name not in ('core', 'fd', 'shm', 'stdin', 'stdout', 'stderr')] + ['/dev/pts/ptmx']
"""
        plant = """
import socket
for path in names:
    for change in (lambda: os.utime(path, (1, 1)), lambda: os.chmod(path, 0o601)):
        try: change()
        except OSError: pass
server = socket.create_server(('127.0.0.1', 0))
for _ in range(3):
    client = socket.create_connection(server.getsockname()); accepted, _ = server.accept(); client.close(); accepted.close()
print(len(open('/proc/net/tcp').read().splitlines()) > 3)
"""
        search = """
print(len(open('/proc/net/tcp').read().splitlines()))
print([path for path in names if os.stat(path).st_mtime == 1 or os.stat(path).st_mode & 0o777 == 0o601])
open('/dev/null', 'w').write('x'); os.openpty(); print(len(open('/dev/urandom', 'rb').read(9)))
"""
        assert bench.run(names + plant).stdout.head == "True\n"
        assert bench.run(names + search).stdout.head == "1\n[]\n9\n"
