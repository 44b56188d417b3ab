"""Settings of the app: the only reader of the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar, get_args
from urllib.parse import urlsplit

from ecomscript.errors import ConfigError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
ASSETS = PROJECT_ROOT / "assets"
DEMO_CATALOG = ASSETS / "catalog"
SHIPPED_VECTORS = ASSETS / "vectors"
SHIPPED_MODELS = ASSETS / "models"
DEFAULT_ENCODER = "all-MiniLM-L6-v2"
CHROMIUM = "/usr/bin/chromium"
FEEDBACK_OFF = "off"
OPENAI_EXAMPLE = "http://127.0.0.1:11434/v1; a key has its own setting"
PlannerChoice = Literal["auto", "library", "llm"]
PLANNERS: tuple[PlannerChoice, ...] = get_args(PlannerChoice)
VerifyChoice = Literal["auto", "small", "strong"]
VERIFY_CHOICES: tuple[VerifyChoice, ...] = get_args(VerifyChoice)
Choice = TypeVar("Choice", bound=str)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a deployment may choose.

    Attributes:
        index_dir: Folder of the intention index that serves products; None means the demo index in ``cache_dir``.
        cache_dir: Where built indexes are kept; must be writable on first start.
        encoder: "all-MiniLM-L6-v2" (weights from the pinned package) or any Sentence-BERT name or folder.
        host: Address that the web server binds.
        port: Port of the web server; None lets Gradio take the first free one from 7860.
        threads: CPU threads for the encoder.
        sessions: Of how many visitors plan and basket are held in memory at once, the last ones seen.
        models_dir: Folder of the verifiers t1, t2 and t3; another one, with adapters of a stronger base, may take its place.
        verify: Which verifiers `verify` asks: see ``verification.suite.strong_for_claims``.
        chromium: The browser that measures the page.
        feedback: Whether visitors may rate; False shows no thumbs and stores nothing.
        feedback_file: SQLite file of the ratings; None means ``feedback.sqlite`` in ``cache_dir``.
        feedback_repo: Dataset repository of the Hugging Face Hub that ratings are published in, such as "me/ratings"; "" for none.
        hub_token: Token that may write to it; "" publishes nothing.
        planner: Who writes the steps: "library", "llm", or "auto": a language model where one is set up and no ready plan is close.
        openai_api_key: Key of OpenAI or of the service at ``openai_base_url``; "" when there is none.
        openai_base_url: Address of a service that speaks OpenAI's protocol; "" means OpenAI itself.
        planner_model: Name of the model there.
        local_model: A causal language model on this machine, in place of a service: a hub name, a folder or a .gguf file; "" for none.
        local_4bit: Load it in four bits; needs a GPU and bitsandbytes.
        milvus_uri: Address of the Milvus server of an index that lives there, perhaps with a user and a password; "" for none.
        llm_timeout_s: Most seconds that a plan waits for a language model.
        llm_drafts: Plans that it writes for one goal; T1 takes the best.
        daily_tokens: Most tokens that all visitors together use up a day (UTC).
        visitor_tokens: Most tokens that one visitor uses up a day.
    """

    index_dir: Path | None = None
    cache_dir: Path = PROJECT_ROOT / ".cache"
    encoder: str = DEFAULT_ENCODER
    host: str = "127.0.0.1"
    port: int | None = None
    threads: int = 1
    sessions: int = 300
    models_dir: Path = SHIPPED_MODELS
    verify: VerifyChoice = "auto"
    chromium: Path = Path(CHROMIUM)
    feedback: bool = True
    feedback_file: Path | None = None
    feedback_repo: str = ""
    hub_token: str = field(default="", repr=False)

    planner: PlannerChoice = "auto"
    openai_api_key: str = field(default="", repr=False)
    openai_base_url: str = ""
    planner_model: str = "gpt-4o-mini"
    milvus_uri: str = field(default="", repr=False)
    local_model: str = ""
    local_4bit: bool = False
    llm_timeout_s: int = 60
    llm_drafts: int = 1
    daily_tokens: int = 2_000_000
    visitor_tokens: int = 100_000

    @property
    def ratings(self) -> Path:
        """Where ratings are stored."""
        return self.feedback_file or self.cache_dir / "feedback.sqlite"

    @property
    def has_service(self) -> bool:
        """Whether a service with a language model is set up: one with a key or an address."""
        return bool(self.openai_api_key or self.openai_base_url)

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read the variables that the README lists under "Configuration"; an empty one counts as not set.

        Args:
            env: Variables to read instead of the process environment.

        Raises:
            ConfigError: A value is not usable.
        """
        env = os.environ if env is None else env
        given = {name: value.strip() for name, value in env.items() if value.strip()}
        default = cls()
        feedback = given.get("ECOMSCRIPT_FEEDBACK", "")

        def number(name: str, low: int, high: int, default: int) -> int:
            return _int(name, given[name], low, high) if name in given else default

        return cls(
            index_dir=Path(given["ECOMSCRIPT_INDEX"]) if "ECOMSCRIPT_INDEX" in given else None,
            cache_dir=Path(given.get("ECOMSCRIPT_CACHE", default.cache_dir)),
            encoder=given.get("ECOMSCRIPT_ENCODER", DEFAULT_ENCODER),
            host=given.get("GRADIO_SERVER_NAME", default.host),
            port=_int("GRADIO_SERVER_PORT", given["GRADIO_SERVER_PORT"], 1, 65535) if "GRADIO_SERVER_PORT" in given else None,
            threads=number("ECOMSCRIPT_THREADS", 1, 64, default.threads),
            sessions=number("ECOMSCRIPT_SESSIONS", 1, 1_000_000, default.sessions),
            models_dir=Path(given.get("ECOMSCRIPT_MODELS", SHIPPED_MODELS)),
            planner=_one_of("ECOMSCRIPT_PLANNER", PLANNERS, given.get("ECOMSCRIPT_PLANNER", default.planner)),
            openai_api_key=_key(given.get("OPENAI_API_KEY", "")),
            openai_base_url=_address("OPENAI_BASE_URL", given.get("OPENAI_BASE_URL", ""), OPENAI_EXAMPLE),
            planner_model=given.get("ECOMSCRIPT_PLANNER_MODEL", default.planner_model),
            milvus_uri=_address("ECOMSCRIPT_MILVUS_URI", given.get("ECOMSCRIPT_MILVUS_URI", ""), "http://127.0.0.1:19530", user=True),
            local_model=given.get("ECOMSCRIPT_LOCAL_MODEL", ""),
            local_4bit=bool(number("ECOMSCRIPT_LOCAL_4BIT", 0, 1, 0)),
            llm_timeout_s=number("ECOMSCRIPT_LLM_TIMEOUT", 1, 3600, default.llm_timeout_s),
            llm_drafts=number("ECOMSCRIPT_LLM_DRAFTS", 1, 8, default.llm_drafts),
            daily_tokens=number("ECOMSCRIPT_DAILY_TOKENS", 0, 10**12, default.daily_tokens),
            visitor_tokens=number("ECOMSCRIPT_VISITOR_TOKENS", 0, 10**12, default.visitor_tokens),
            verify=_one_of("ECOMSCRIPT_VERIFY", VERIFY_CHOICES, given.get("ECOMSCRIPT_VERIFY", default.verify)),
            chromium=Path(given.get("ECOMSCRIPT_CHROMIUM", default.chromium)),
            feedback=feedback.lower() != FEEDBACK_OFF,
            feedback_file=Path(feedback) if feedback and feedback.lower() != FEEDBACK_OFF else None,
            feedback_repo=_repo("ECOMSCRIPT_FEEDBACK_REPO", given.get("ECOMSCRIPT_FEEDBACK_REPO", ""), given.get("HF_TOKEN", "")),
            hub_token=given.get("HF_TOKEN", ""),
        )


def _one_of(name: str, choices: tuple[Choice, ...], text: str) -> Choice:
    for choice in choices:
        if text == choice:
            return choice
    raise ConfigError(f"{name} is {text[:40]!r}, expected {', '.join(choices)}", "Choose one of them or unset it.")


def _key(text: str) -> str:
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise ConfigError("OPENAI_API_KEY has characters that no key has", "Copy the key again, without quotes and spaces.")
    return text


def _address(name: str, text: str, example: str, user: bool = False) -> str:
    """Check an address without repeating it: it may hold a password."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (user or parts.username is None) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if text and not usable:
        raise ConfigError(f"{name} is no plain web address", f"Write it like {example}.")
    return text


def _repo(name: str, repo: str, token: str) -> str:
    if repo and not re.fullmatch(r"[\w.-]{1,96}/[\w.-]{1,96}", repo, re.ASCII):
        raise ConfigError(f"{name} is {repo!r}, expected an owner and a name such as 'me/ratings'", "Correct it or unset it.")
    if repo and not token:
        raise ConfigError(
            f"{name} is set but HF_TOKEN is not", "Set HF_TOKEN to a token that may write to that repository, or unset the first."
        )
    return repo


def environment_of_child(**changes: str) -> dict[str, str]:
    """Return the environment of this process with other values, for a process that it starts."""
    return {**os.environ, **changes}


def _int(name: str, text: str, low: int, high: int) -> int:
    try:
        value = int(text)
    except ValueError:
        raise ConfigError(f"{name} is {text!r}, expected a whole number", f"Set it between {low} and {high} or unset it.") from None
    if not low <= value <= high:
        raise ConfigError(f"{name} is {value}, expected {low} to {high}", "Choose a value in that range or unset it.")
    return value
