"""What a backend promises that keeps executions apart by rules and without namespaces, as tests that it inherits.

What `IsolationContract` promises beyond that, is not promised: a loopback network, names of files that do not show, folders of the
system that are one's own, shared memory by name.
"""

import uuid
from pathlib import Path

from open_autoglm.sandbox.contracts.conformance import DAEMON, Bench
from open_autoglm.sandbox.contracts.demand import demand
from open_autoglm.sandbox.contracts.isolation_contract import ConfinementContract
from open_autoglm.sandbox.report import Status

TRY = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def works(action):
    try: return bool(action()) or True
    except OSError: return False
"""


class RulesContract(ConfinementContract):
    """What rules can promise."""

    def test_there_are_no_sockets_but_pairs(self, bench: Bench) -> None:
        """None of any family; a pair can neither be given a name nor send to one."""
        code = """
import socket
print([family.name for family in socket.AddressFamily if works(lambda: socket.socket(family, socket.SOCK_DGRAM))])
print(works(lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)), works(lambda: socket.getaddrinfo('example.com', 80)))
one, other = socket.socketpair(); one.send(b'x'); print(other.recv(1))
print(works(lambda: one.bind('\\0here')), works(lambda: one.connect('/run/docker.sock')), works(lambda: one.sendto(b'x', '/dev/log')))
"""
        report = bench.run(TRY + code)

        assert report.stdout.head == "[]\nFalse False\nb'x'\nFalse False False\n", report.stderr.head

    def test_files_of_the_host_cannot_be_read_listed_or_changed(self, bench: Bench, tmp_path: Path) -> None:
        """Wherever they lie, by whatever way; nor are there ways to them through processes."""
        secret, folder = tmp_path / "secret", tmp_path / "folder"
        secret.write_text("x")
        secret.chmod(0o666)
        folder.mkdir(mode=0o777)
        folder.chmod(0o777)
        code = f"""
secret, folder = {str(secret)!r}, {str(folder)!r}
ways = [
    lambda: open(secret).read(), lambda: open(secret, 'a'), lambda: os.truncate(secret, 0), lambda: os.listdir(folder), lambda: os.unlink(secret),
    lambda: os.mkdir(folder + '/x'), lambda: os.rename(secret, OUT / 'x'), lambda: os.link(secret, OUT / 'x'), lambda: os.chmod(secret, 0),
    lambda: os.utime(secret, (1, 1)), lambda: os.open('/', os.O_RDONLY | os.O_TMPFILE), lambda: open('/dev/shm/x', 'w'), lambda: open('/tmp/x', 'w'),
    lambda: os.listdir('/'), lambda: os.listdir('/proc'), lambda: os.listdir('/tmp'), lambda: os.listdir('/etc'), lambda: open('/etc/passwd').read(),
    lambda: open(f'/proc/{{os.getppid()}}/environ').read(), lambda: open(f'/proc/{{os.getppid()}}/cmdline').read(),
    lambda: open(f'/proc/self/root{{secret}}').read(), lambda: os.readlink(f'/proc/{{os.getppid()}}/cwd'), lambda: open('/proc/self/net/tcp').read(),
    lambda: open('/dev/kvm'), lambda: open('/dev/tty'), lambda: open('/dev/pts/ptmx'), lambda: os.mkfifo(folder + '/fifo'),
]
print([number for number, way in enumerate(ways) if works(way)])
(OUT / 'link').symlink_to(secret); print(works(lambda: open(OUT / 'link').read()))
"""
        report = bench.run(TRY + code)

        assert report.stdout.head == "[]\nFalse\n", report.stdout.head + report.stderr.head
        assert (secret.read_text(), secret.stat().st_mode & 0o777, list(folder.iterdir())) == ("x", 0o666, [])
        assert secret.stat().st_mtime != 1

    def test_the_dead_of_one_execution_make_no_room_for_the_next(self, bench: Bench) -> None:
        """Children that nobody waited for come back to the fork server: its limit on processes is that of the first time, every time."""
        code = """
count = 0
try:
    while count < 400:
        if os.fork() == 0: time.sleep(30); os._exit(0)
        count += 1
except OSError: pass
print(count)
"""
        counts = [int(bench.run(code, processes=20).stdout.head or 0) for _ in range(4)]

        assert all(0 < count <= 20 for count in counts), counts
        assert bench.run("print(subprocess.run(['true']).returncode)", processes=20).stdout.head == "0\n"

    def test_what_the_policy_refuses_is_in_the_report(self, bench: Bench, tmp_path: Path) -> None:
        """By name and path, counted; and nothing of what innocent code does, such as copying a file with its rights and times."""
        code = f"""
import shutil, socket
print([libc.ptrace(0, 0, 0, 0) for _ in range(3)], libc.shmget(1, 4096, 0o1666), works(lambda: socket.socket()))
works(lambda: os.chmod({str(tmp_path)!r}, 0)), works(lambda: open('/etc/new', 'w'))
shutil.copy2(__file__, 'copied'); os.chmod('copied', 0o600); pathlib.Path('new').touch(); subprocess.run(['true'], check=True)
print(works(lambda: os.utime('missing')), os.path.exists('new'))
"""
        report = bench.run(TRY + code)
        demand(there=report.isolation.calls_reported, reason="somebody else listens to the system calls here")
        tried = {violation.subject: (violation.count, violation.severity) for violation in report.violations}

        assert report.stdout.head == "[-1, -1, -1] -1 False\nFalse True\n", report.stderr.head
        assert tried == {
            "ptrace": (3, "high"),
            "shmget": (1, "low"),
            "socket inet": (1, "low"),
            f"chmod {tmp_path}": (1, "low"),
            "open /etc/new": (1, "low"),
        }
        assert len(report.isolation.policy_sha256) == 64

    def test_processes_outside_are_out_of_reach(self, bench: Bench) -> None:
        """They are not ended, stopped, slowed down or bound; one's own are as free as ever."""
        code = """
import resource, signal
outside = os.getppid()
print([works(lambda: way(outside)) for way in (
    lambda pid: os.kill(pid, 0), lambda pid: os.kill(pid, signal.SIGSTOP), lambda pid: os.setpriority(os.PRIO_PROCESS, pid, 19),
    lambda pid: os.sched_setaffinity(pid, {0}), lambda pid: resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, 3)),
    lambda pid: os.setpriority(os.PRIO_USER, 0, 19), lambda pid: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0)),
    lambda pid: os.pidfd_open(pid) and signal.pidfd_send_signal(os.pidfd_open(pid), signal.SIGSTOP),
)])
child = subprocess.Popen(['sleep', '60']); child.terminate(); print(child.wait())
os.nice(1); os.sched_setaffinity(0, os.sched_getaffinity(0)); resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
"""
        report = bench.run(TRY + code)

        assert report.stdout.head == f"{[False] * 8}\n-15\n", report.stdout.head + report.stderr.head

    def test_nothing_of_one_execution_is_seen_by_the_next(self, bench: Bench) -> None:
        """Files wherever they can be written, their times and rights, shared memory and queues of the system, processes."""
        tag = uuid.uuid4().hex
        places = "[OUT, pathlib.Path.cwd(), pathlib.Path(os.environ['TMPDIR']), IN, pathlib.Path(__file__).parent, *map(pathlib.Path, ('/tmp', '/dev/shm', '/var/tmp', sys.prefix))]"
        plant = f"""
for place in {places}:
    try: (place / '{tag}').touch()
    except OSError: pass
for path in (sys.executable, '/dev/null', '/usr/bin'):
    works(lambda: os.utime(path, (1, 1))), works(lambda: os.utime(path)), works(lambda: os.chmod(path, 0o700))
print(libc.shmget(4242, 4096, 0o1666) >= 0, libc.mq_open(b'/{tag}', 0o102, 0o666, None) >= 0, works(lambda: os.memfd_create('x')))
daemon('{tag}')
"""
        search = f"""
print([str(place / '{tag}') for place in {places} if (place / '{tag}').exists()])
print([path for path in (sys.executable, '/dev/null', '/usr/bin') if time.time() - os.stat(path).st_mtime < 5 or os.stat(path).st_mtime == 1])
"""
        planted = bench.run(TRY + DAEMON + plant)
        found = bench.run(TRY + search)

        assert (planted.status, planted.stdout.head) == (Status.STATUS_OK, "False False False\n"), planted.stderr.head
        assert found.stdout.head == "[]\n[]\n", found.stdout.head
