"""When an execution stands still."""

from open_autoglm.sandbox.supervision.stall import StallWatch


def test_only_silence_without_work_is_a_standstill() -> None:
    """Output, work, and the end of a process that had worked each begin the time anew."""
    watch = StallWatch(10.0)
    looks = [
        (0, 0.0, 0),
        (9, 0.0, 0),
        (10, 0.0, 5),
        (19, 0.0, 5),
        (20, 0.2, 5),
        (30, 0.2, 5),
        (30.5, 0.0, 5),
        (40, 0.05, 5),
    ]
    assert not any(watch.is_stalled(now, cpu_seconds=cpu, said_bytes=said) for now, cpu, said in looks)
    assert watch.is_stalled(41, cpu_seconds=0.05, said_bytes=5)
