"""Tiny random models that run like the large ones: a BERT and a Llama of two layers, and verifiers made of them."""

import json

import numpy as np
import torch
from fakes import HASH_DIM, KINDS, SCRIPTS
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import BertConfig, BertModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from ecomscript.verification import bundle, script
from ecomscript.verification.combine import FILE, Combiner, adapter_hash
from ecomscript.verification.lora import Base, LoraSettings, SegmentModel
from ecomscript.verification.order import OrderModel
from ecomscript.verification.suite import STRONG

torch.set_num_threads(1)  # more threads only wait for each other on models this small
SMALL = LoraSettings(rank=4, alpha=8, max_length=64)
WORDS = "good bad fine poor camp tent stove light pack cook sleep walk paint brush cake bake candle buy use the a for of in with".split()


def _vocabulary(specials):
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,:;!?'\"()-/&$€“”°"
    texts = [*(k["kind"] for k in KINDS), *(s["text"] for script in SCRIPTS for s in script["steps"])]
    words = sorted({word for text in texts for word in text.lower().split() if word.isalnum()} | set(WORDS))
    return list(dict.fromkeys([*specials, *letters, *(f"##{c}" for c in letters), *words]))


def _tokenizer(unknown, specials, **named):
    vocabulary = {token: n for n, token in enumerate(_vocabulary(specials))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=unknown))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token=unknown, **named), len(vocabulary)


def write_bert(folder, seed=0):
    """Save a BERT of hidden size 32 with two layers, its weights drawn at random, and return its folder."""
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    named = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    tokenizer, size = _tokenizer("[UNK]", specials, **named)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    torch.manual_seed(seed)
    BertModel(BertConfig(vocab_size=size, max_position_embeddings=512, initializer_range=0.2, **shape)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_llama(folder):
    """Save a Llama of hidden size 32 with two layers whose tokenizer has no padding token, and return its folder."""
    tokenizer, size = _tokenizer("<unk>", ["<unk>", "<s>", "</s>"], bos_token="<s>", eos_token="</s>")
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 64}
    torch.manual_seed(0)
    LlamaForCausalLM(LlamaConfig(vocab_size=size, bos_token_id=1, eos_token_id=2, initializer_range=0.2, **shape)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def model_of(base, settings=SMALL, seed=0):
    """Return an adapted model whose adapter already changes what the base says."""
    torch.manual_seed(seed)
    model = SegmentModel(base, settings)
    with torch.no_grad():
        for name, parameter in model.encoder.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.1)
    return model


def even_combiner(*names, **meta):
    """Return a combiner in which every part counts the same."""
    n = len(names)
    return Combiner(names, np.zeros(n), np.ones(n), np.ones(n), 0.0, meta)


def write_verifiers(folder, bert):
    """Save untrained verifiers t1, t2 and t3 of the tiny BERT, and return their folder."""
    parts = {"t1": script.PARTS, "t2": ("model",), "t3": bundle.PARTS}
    for seed, (task, names) in enumerate(parts.items()):
        model_of(Base(str(bert)), seed=seed).save(folder / task, {"task": task})
        even_combiner(*names, adapter_sha256=adapter_hash(folder / task)).save(folder / task)
    torch.manual_seed(0)
    OrderModel(HASH_DIM).save(folder / "t1")
    return folder


def write_strong(folder, task, bert):
    """Save an adapter that judges a task beside the one of ``write_verifiers``, with the combiner of that one."""
    strong = folder / STRONG / task
    model_of(Base(str(bert)), seed=7).save(strong, {"task": task})
    own = json.loads((folder / task / FILE).read_text(encoding="utf-8"))
    even_combiner(*own["names"], adapter_sha256=adapter_hash(strong)).save(strong)
    return strong
