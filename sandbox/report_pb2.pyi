from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATUS_UNSPECIFIED: _ClassVar[Status]
    STATUS_OK: _ClassVar[Status]
    STATUS_ERROR: _ClassVar[Status]
    STATUS_TIMEOUT: _ClassVar[Status]
    STATUS_OUT_OF_MEMORY: _ClassVar[Status]
    STATUS_VIOLATION: _ClassVar[Status]
    STATUS_STALLED: _ClassVar[Status]
    STATUS_CANCELLED: _ClassVar[Status]
    STATUS_SANDBOX_ERROR: _ClassVar[Status]
STATUS_UNSPECIFIED: Status
STATUS_OK: Status
STATUS_ERROR: Status
STATUS_TIMEOUT: Status
STATUS_OUT_OF_MEMORY: Status
STATUS_VIOLATION: Status
STATUS_STALLED: Status
STATUS_CANCELLED: Status
STATUS_SANDBOX_ERROR: Status

class ExecutionReport(_message.Message):
    __slots__ = ("schema_version", "execution_id", "phase", "status", "exit_code", "signal", "started_at", "queued_seconds", "wall_seconds", "exception", "stdout", "stderr", "progress", "artefacts", "refused", "resources", "violations", "isolation", "job_sha256", "claimed_seconds", "detail", "signature", "wheelhouse_sha256", "connections")
    class ClaimedSecondsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    EXIT_CODE_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    QUEUED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    WALL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    STDOUT_FIELD_NUMBER: _ClassVar[int]
    STDERR_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    ARTEFACTS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    VIOLATIONS_FIELD_NUMBER: _ClassVar[int]
    ISOLATION_FIELD_NUMBER: _ClassVar[int]
    JOB_SHA256_FIELD_NUMBER: _ClassVar[int]
    CLAIMED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    WHEELHOUSE_SHA256_FIELD_NUMBER: _ClassVar[int]
    CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    schema_version: int
    execution_id: str
    phase: str
    status: Status
    exit_code: int
    signal: int
    started_at: float
    queued_seconds: float
    wall_seconds: float
    exception: ClaimedException
    stdout: Stream
    stderr: Stream
    progress: _containers.RepeatedCompositeFieldContainer[Progress]
    artefacts: _containers.RepeatedCompositeFieldContainer[Artefact]
    refused: _containers.RepeatedCompositeFieldContainer[RefusedArtefact]
    resources: Resources
    violations: _containers.RepeatedCompositeFieldContainer[Violation]
    isolation: Isolation
    job_sha256: str
    claimed_seconds: _containers.ScalarMap[str, float]
    detail: str
    signature: bytes
    wheelhouse_sha256: str
    connections: _containers.RepeatedCompositeFieldContainer[Connection]
    def __init__(self, schema_version: _Optional[int] = ..., execution_id: _Optional[str] = ..., phase: _Optional[str] = ..., status: _Optional[_Union[Status, str]] = ..., exit_code: _Optional[int] = ..., signal: _Optional[int] = ..., started_at: _Optional[float] = ..., queued_seconds: _Optional[float] = ..., wall_seconds: _Optional[float] = ..., exception: _Optional[_Union[ClaimedException, _Mapping]] = ..., stdout: _Optional[_Union[Stream, _Mapping]] = ..., stderr: _Optional[_Union[Stream, _Mapping]] = ..., progress: _Optional[_Iterable[_Union[Progress, _Mapping]]] = ..., artefacts: _Optional[_Iterable[_Union[Artefact, _Mapping]]] = ..., refused: _Optional[_Iterable[_Union[RefusedArtefact, _Mapping]]] = ..., resources: _Optional[_Union[Resources, _Mapping]] = ..., violations: _Optional[_Iterable[_Union[Violation, _Mapping]]] = ..., isolation: _Optional[_Union[Isolation, _Mapping]] = ..., job_sha256: _Optional[str] = ..., claimed_seconds: _Optional[_Mapping[str, float]] = ..., detail: _Optional[str] = ..., signature: _Optional[bytes] = ..., wheelhouse_sha256: _Optional[str] = ..., connections: _Optional[_Iterable[_Union[Connection, _Mapping]]] = ...) -> None: ...

class Connection(_message.Message):
    __slots__ = ("host", "port", "refused", "count", "bytes")
    HOST_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    host: str
    port: int
    refused: str
    count: int
    bytes: int
    def __init__(self, host: _Optional[str] = ..., port: _Optional[int] = ..., refused: _Optional[str] = ..., count: _Optional[int] = ..., bytes: _Optional[int] = ...) -> None: ...

class ClaimedException(_message.Message):
    __slots__ = ("type", "message", "frames")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    type: str
    message: str
    frames: _containers.RepeatedCompositeFieldContainer[Frame]
    def __init__(self, type: _Optional[str] = ..., message: _Optional[str] = ..., frames: _Optional[_Iterable[_Union[Frame, _Mapping]]] = ...) -> None: ...

class Frame(_message.Message):
    __slots__ = ("file", "line", "function", "source")
    FILE_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    file: str
    line: int
    function: str
    source: str
    def __init__(self, file: _Optional[str] = ..., line: _Optional[int] = ..., function: _Optional[str] = ..., source: _Optional[str] = ...) -> None: ...

class Stream(_message.Message):
    __slots__ = ("head", "tail", "total_bytes", "sha256")
    HEAD_FIELD_NUMBER: _ClassVar[int]
    TAIL_FIELD_NUMBER: _ClassVar[int]
    TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    head: str
    tail: str
    total_bytes: int
    sha256: str
    def __init__(self, head: _Optional[str] = ..., tail: _Optional[str] = ..., total_bytes: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("step", "value", "at_seconds")
    STEP_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    AT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    step: float
    value: float
    at_seconds: float
    def __init__(self, step: _Optional[float] = ..., value: _Optional[float] = ..., at_seconds: _Optional[float] = ...) -> None: ...

class Artefact(_message.Message):
    __slots__ = ("path", "sha256", "size_bytes")
    PATH_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    path: str
    sha256: str
    size_bytes: int
    def __init__(self, path: _Optional[str] = ..., sha256: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class RefusedArtefact(_message.Message):
    __slots__ = ("path", "reason")
    PATH_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    path: str
    reason: str
    def __init__(self, path: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class Resources(_message.Message):
    __slots__ = ("cpu_user_seconds", "cpu_system_seconds", "peak_memory_bytes", "peak_processes", "throttled_seconds", "oom_kills", "process_limit_hits")
    CPU_USER_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CPU_SYSTEM_SECONDS_FIELD_NUMBER: _ClassVar[int]
    PEAK_MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    PEAK_PROCESSES_FIELD_NUMBER: _ClassVar[int]
    THROTTLED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    OOM_KILLS_FIELD_NUMBER: _ClassVar[int]
    PROCESS_LIMIT_HITS_FIELD_NUMBER: _ClassVar[int]
    cpu_user_seconds: float
    cpu_system_seconds: float
    peak_memory_bytes: int
    peak_processes: int
    throttled_seconds: float
    oom_kills: int
    process_limit_hits: int
    def __init__(self, cpu_user_seconds: _Optional[float] = ..., cpu_system_seconds: _Optional[float] = ..., peak_memory_bytes: _Optional[int] = ..., peak_processes: _Optional[int] = ..., throttled_seconds: _Optional[float] = ..., oom_kills: _Optional[int] = ..., process_limit_hits: _Optional[int] = ...) -> None: ...

class Violation(_message.Message):
    __slots__ = ("kind", "detail", "count", "subject", "severity")
    KIND_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    kind: str
    detail: str
    count: int
    subject: str
    severity: str
    def __init__(self, kind: _Optional[str] = ..., detail: _Optional[str] = ..., count: _Optional[int] = ..., subject: _Optional[str] = ..., severity: _Optional[str] = ...) -> None: ...

class Isolation(_message.Message):
    __slots__ = ("backend", "tier", "isolating", "policy_sha256", "calls_reported", "image", "device")
    BACKEND_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    ISOLATING_FIELD_NUMBER: _ClassVar[int]
    POLICY_SHA256_FIELD_NUMBER: _ClassVar[int]
    CALLS_REPORTED_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    backend: str
    tier: str
    isolating: bool
    policy_sha256: str
    calls_reported: bool
    image: str
    device: str
    def __init__(self, backend: _Optional[str] = ..., tier: _Optional[str] = ..., isolating: bool = ..., policy_sha256: _Optional[str] = ..., calls_reported: bool = ..., image: _Optional[str] = ..., device: _Optional[str] = ...) -> None: ...
