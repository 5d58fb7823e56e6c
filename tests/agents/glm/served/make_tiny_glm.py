"""Makes GLM checkpoints of the real architectures with random weights, small enough for two processors. Runs in vLLM's environment.

    python make_tiny_glm.py OUT SOURCE...

leaves OUT/tiny-moe (Glm4MoeForCausalLM, thinks), OUT/tiny-dense (Glm4ForCausalLM, does not) and OUT/adapter, a LoRA adapter for the second.
The tokenizer, of 8,000 words, is trained on the files SOURCE.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    Glm4Config,
    Glm4ForCausalLM,
    Glm4MoeConfig,
    Glm4MoeForCausalLM,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

CONTEXT = 32_768
WORDS = 8_000
SPECIAL = (
    "<|endoftext|>", "[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>",
    "<think>", "</think>", "<tool_call>", "</tool_call>", "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>", "<tool_response>",
    "</tool_response>", "/nothink",
)  # fmt: skip
TURNS = """[gMASK]<sop>{% for m in messages %}<|{{ m.role }}|>
{% if m.role == 'assistant' and m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}{{ m.content }}{% endfor %}"""
THINKING = (
    TURNS
    + "{% if add_generation_prompt %}<|assistant|>{{ '</think>' if enable_thinking is defined and not enable_thinking else '<think>' }}{% endif %}"
)
"""As GLM-4.7's: the prompt opens the thinking, or closes it at once."""
PLAIN = TURNS + "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
RANK = 8
NEVER = -20.0
SOON = 1.0
"""After some hundred words: a model that does not think and says little, so that whole runs with it take minutes."""


def tokenizer(sources: Sequence[Path], template: str) -> PreTrainedTokenizerFast:
    """Train a byte-level tokenizer on the files."""
    pieces = Tokenizer(models.BPE())
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=WORDS, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
    )
    pieces.train_from_iterator(texts(sources), trainer)
    made = PreTrainedTokenizerFast(
        tokenizer_object=pieces, eos_token=SPECIAL[0], pad_token=SPECIAL[0], additional_special_tokens=list(SPECIAL[1:])
    )
    made.chat_template = template
    return made


def texts(sources: Sequence[Path]) -> Iterator[str]:
    """Yield what the files hold."""
    for path in sources:
        yield path.read_text(encoding="utf-8")


def common(words: int) -> dict[str, object]:
    """Return what both architectures are given."""
    return {
        "vocab_size": words,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "max_position_embeddings": CONTEXT,
        "eos_token_id": [0],
        "pad_token_id": 0,
        "dtype": "float32",
    }


def unwritten(pieces: PreTrainedTokenizerFast) -> list[int]:
    """Return the words that a trained model hardly writes: special ones, and pieces of a letter that are none by themselves."""
    return [number for number in range(len(pieces)) if number < len(SPECIAL) or "\ufffd" in pieces.decode([number])]


def save(
    kind: type[PreTrainedModel],
    config: PretrainedConfig,
    folder: Path,
    *,
    never: Sequence[int],
    steady: float,
    ends: float,
) -> None:
    """Make a model of random weights that writes no word of `never` but the end, and that as its logit `ends` says.

    Otherwise the mark of a tool call, in the middle of an answer, would have the server take the rest for one, and pieces of letters, which
    a grammar counts as one, come out as several. The first number of every state is the same for all words and left as it is by every layer, so that
    the last matrix can weigh words by it.
    """
    torch.manual_seed(0)
    model = kind(config)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                weights[0] = 0.0  # outputs x inputs
            elif name.endswith("experts.down_proj"):
                weights[:, 0] = 0.0  # experts x outputs x inputs
        model.get_input_embeddings().weight[:, 0] = steady
        head = model.get_output_embeddings().weight
        head[:, 0] = 0.0
        head[never, 0] = NEVER
        head[0, 0] = ends
    model.save_pretrained(folder)


def make_moe(folder: Path, sources: Sequence[Path]) -> None:
    """Make the mixture of experts."""
    pieces = tokenizer(sources, THINKING)
    config = Glm4MoeConfig(
        **common(len(pieces)),
        moe_intermediate_size=32,
        n_routed_experts=4,
        num_experts_per_tok=2,
        n_shared_experts=1,
        first_k_dense_replace=1,
        n_group=1,
        topk_group=1,
        use_qk_norm=True,
        num_nextn_predict_layers=0,
    )
    save(Glm4MoeForCausalLM, config, folder, never=unwritten(pieces), steady=0.2, ends=NEVER)
    pieces.save_pretrained(folder)


def make_dense(folder: Path, sources: Sequence[Path]) -> None:
    """Make the dense model."""
    pieces = tokenizer(sources, PLAIN)
    config = Glm4Config(**common(len(pieces)))
    save(Glm4ForCausalLM, config, folder, never=unwritten(pieces), steady=4.0, ends=SOON)
    pieces.save_pretrained(folder)


def make_adapter(folder: Path, base: Path) -> None:
    """Make an adapter of the model's attention by hand: matrices A of RANK x inputs, and B of outputs x RANK."""
    folder.mkdir()
    settings = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": str(base),
        "r": RANK,
        "lora_alpha": 64,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": ["q_proj", "o_proj"],
    }
    (folder / "adapter_config.json").write_text(json.dumps(settings), encoding="utf-8")
    torch.manual_seed(1)
    weights = {}
    for layer in range(2):
        for name, inputs, outputs in (("q_proj", 64, 128), ("o_proj", 128, 64)):
            place = f"base_model.model.model.layers.{layer}.self_attn.{name}"
            weights[f"{place}.lora_A.weight"] = torch.randn(RANK, inputs)
            weights[f"{place}.lora_B.weight"] = torch.randn(outputs, RANK)
            weights[f"{place}.lora_B.weight"][0] = 0.0
    save_file(weights, folder / "adapter_model.safetensors")


def main(out: Path, sources: Sequence[Path]) -> None:
    """Make all three."""
    make_moe(out / "tiny-moe", sources)
    make_dense(out / "tiny-dense", sources)
    make_adapter(out / "adapter", out / "tiny-dense")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
