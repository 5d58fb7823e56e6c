"""What a reader is told of a server's log: the cause, which stands long before the end, and what to do."""

import pytest

from open_autoglm.agents.glm.serving.diagnosis import ADVICE, KEPT_LINES, advice, clean, last_lines, reasons

LOG = "\n".join(
    [
        "(APIServer pid=567) INFO 11-21 23:09:17 [kv_cache_utils.py:80] Available KV cache memory: 1.00 GiB, out of memory: no",
        "(EngineCore pid=9) ERROR 11-21 23:10:18 [core.py:10] Traceback (most recent call last):",
        '(EngineCore pid=9) ERROR 11-21 23:10:18 [core.py:10]   File "core.py", line 1, in run',
        "(EngineCore pid=9) ERROR 11-21 23:10:18 [core.py:10] ValueError: Free memory on device cuda:0 (3.2/79.1 GiB) is less than desired",
        *(f"(APIServer pid=567) frame {number}" for number in range(KEPT_LINES)),
        "RuntimeError: Engine core initialization failed. See root cause above.",
    ]
)


def test_the_first_error_stands_before_the_end() -> None:
    """The last one mostly says that there was one."""
    told = reasons(LOG)
    assert told[0] == "ValueError: Free memory on device cuda:0 (3.2/79.1 GiB) is less than desired"
    assert told[1] == "..."
    assert told[-1].startswith("RuntimeError: Engine core")
    assert len(told) == KEPT_LINES + 2
    assert reasons("one\ntwo") == ["one", "two"]


def test_lines_are_fit_to_be_printed() -> None:
    """No colours, no bell, nothing that a progress bar wrote over, no line without end."""
    assert clean("  0%|  | 1/9\r100%|##| 9/9\x07\x1b[0m") == "100%|##| 9/9"
    assert len(clean("x" * 10_000)) < 400
    assert last_lines("a\n\n\r\n b") == ["a", " b"]


def test_what_is_no_trouble_is_no_reason() -> None:
    """A server speaks of memory also where it has enough."""
    assert "Another program uses the GPU" in advice(LOG)
    assert advice("all is well") == "The whole log says more."


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("vllm: error: unrecognized arguments: --structured-outputs-config", "0.33 or newer"),
        ("OSError: [Errno 98] Address already in use", "--port"),
        ("torch.OutOfMemoryError: CUDA out of memory.", "--gpus"),
        ("RuntimeError: No CUDA GPUs are available", "driver"),
        ("huggingface_hub.errors.GatedRepoError: 403 Client Error", "HF_TOKEN"),
        ("OSError: zai-org/GLM is not a local folder and is not a valid model identifier", "Bring its folder"),
        ("ValueError: The checkpoint has model type `glm9` but Transformers does not recognize this architecture", "a newer one"),
        ("OSError: [Errno 28] No space left on device", "HF_HOME"),
        ('docker: could not select device driver "" with capabilities: [[gpu]]', "NVIDIA Container Toolkit"),
        ("Unable to find image 'vllm/vllm-openai:v0.33.0' locally", "docker pull"),
        ("RuntimeError: operator torchvision::nms does not exist", "Make it anew"),
    ],
)  # fmt: skip
def test_each_trouble_has_its_advice(line: str, words: str) -> None:
    """As vLLM, its libraries and Docker word it."""
    assert words in advice(line)


def test_no_advice_hides_another() -> None:
    """Each pattern is there once."""
    assert len({pattern for pattern, _ in ADVICE}) == len(ADVICE)
