import re
from pathlib import Path

import pytest

from ecomscript import config
from ecomscript.config import DEFAULT_ENCODER, PROJECT_ROOT, Settings
from ecomscript.errors import ConfigError

VARIABLES = set(re.findall(r'"((?:ECOMSCRIPT|GRADIO|OPENAI|HF)_[A-Z0-9_]+)"', Path(config.__file__).read_text(encoding="utf-8")))


def test_defaults():
    settings = Settings.from_env({})
    assert settings == Settings()
    assert (settings.index_dir, settings.encoder, settings.host, settings.port) == (None, DEFAULT_ENCODER, "127.0.0.1", None)


def test_everything_can_be_set():
    env = {
        "ECOMSCRIPT_INDEX": " /data/index ",
        "ECOMSCRIPT_CACHE": "/data/cache",
        "ECOMSCRIPT_ENCODER": "someone/encoder",
        "ECOMSCRIPT_THREADS": "4",
        "ECOMSCRIPT_SESSIONS": "50",
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "GRADIO_SERVER_PORT": "8080",
        "ECOMSCRIPT_PLANNER": "llm",
        "OPENAI_API_KEY": " sk-abc\n",
        "OPENAI_BASE_URL": "http://127.0.0.1:11434/v1",
        "ECOMSCRIPT_PLANNER_MODEL": "llama3.2",
        "ECOMSCRIPT_MILVUS_URI": "https://me:secret@milvus:19530",
        "ECOMSCRIPT_LOCAL_MODEL": "/data/model.gguf",
        "ECOMSCRIPT_LOCAL_4BIT": "1",
        "ECOMSCRIPT_LLM_TIMEOUT": "30",
        "ECOMSCRIPT_LLM_DRAFTS": "3",
        "ECOMSCRIPT_DAILY_TOKENS": "0",
        "ECOMSCRIPT_VISITOR_TOKENS": "5000",
        "ECOMSCRIPT_VERIFY": "small",
        "ECOMSCRIPT_CHROMIUM": "/opt/chromium",
        "ECOMSCRIPT_FEEDBACK": "/data/ratings.sqlite",
        "ECOMSCRIPT_FEEDBACK_REPO": "me/ratings",
        "HF_TOKEN": "hf-abc",
    }
    expected = Settings(
        Path("/data/index"),
        Path("/data/cache"),
        "someone/encoder",
        "0.0.0.0",
        8080,
        4,
        sessions=50,
        planner="llm",
        openai_api_key="sk-abc",
        openai_base_url="http://127.0.0.1:11434/v1",
        planner_model="llama3.2",
        milvus_uri="https://me:secret@milvus:19530",
        local_model="/data/model.gguf",
        local_4bit=True,
        llm_timeout_s=30,
        llm_drafts=3,
        daily_tokens=0,
        visitor_tokens=5000,
        verify="small",
        chromium=Path("/opt/chromium"),
        feedback_file=Path("/data/ratings.sqlite"),
        feedback_repo="me/ratings",
        hub_token="hf-abc",
    )
    assert Settings.from_env(env) == expected
    assert set(env) | {"ECOMSCRIPT_MODELS"} == VARIABLES


def test_an_empty_variable_is_as_good_as_none():
    assert Settings.from_env(dict.fromkeys(VARIABLES, " ")) == Settings()


def test_an_unknown_size_of_verifiers_is_named():
    assert Settings.from_env({"ECOMSCRIPT_VERIFY": "small"}).verify == "small"
    with pytest.raises(ConfigError, match="ECOMSCRIPT_VERIFY is 'huge', expected auto, small, strong"):
        Settings.from_env({"ECOMSCRIPT_VERIFY": "huge"})


@pytest.mark.parametrize("name", ["ECOMSCRIPT_THREADS", "GRADIO_SERVER_PORT", "ECOMSCRIPT_LLM_TIMEOUT", "ECOMSCRIPT_LLM_DRAFTS"])
@pytest.mark.parametrize("value", ["many", "1.5", "-1", "0", "99999999", "1\x002"])
def test_a_bad_number_names_its_variable(name, value):
    with pytest.raises(ConfigError, match=f"{name} is .*expected"):
        Settings.from_env({name: value})


def test_a_planner_that_does_not_exist():
    with pytest.raises(ConfigError, match="ECOMSCRIPT_PLANNER is 'magic', expected auto, library, llm"):
        Settings.from_env({"ECOMSCRIPT_PLANNER": "magic"})


@pytest.mark.parametrize(
    "address", ["localhost:11434", "ftp://x/v1", "http://", "http://[x/v1", "http://me:secret@host/v1", "http://h:99999/v1"]
)
def test_an_address_that_is_none_is_not_repeated(address):
    with pytest.raises(ConfigError, match="OPENAI_BASE_URL is no plain web address") as caught:
        Settings.from_env({"OPENAI_BASE_URL": address})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("key", ["sk secret", "sk-secret\u201d", "sk-secret\n-x"])
def test_a_key_that_is_none_is_not_repeated(key):
    with pytest.raises(ConfigError, match="OPENAI_API_KEY has characters") as caught:
        Settings.from_env({"OPENAI_API_KEY": key})
    assert "secret" not in str(caught.value)


def test_a_key_is_not_in_what_is_printed_of_the_settings():
    for name, value in {"OPENAI_API_KEY": "sk-secret", "ECOMSCRIPT_MILVUS_URI": "http://me:sk-secret@host"}.items():
        assert "sk-secret" not in repr(Settings.from_env({name: value}))


@pytest.mark.parametrize("address", ["./milvus.db", "host:19530", "http://me:secret@", "http://me:secret@h:99999"])
def test_an_address_of_milvus_that_is_none_is_not_repeated(address):
    with pytest.raises(ConfigError, match="ECOMSCRIPT_MILVUS_URI is no plain web address") as caught:
        Settings.from_env({"ECOMSCRIPT_MILVUS_URI": address})
    assert "secret" not in str(caught.value)


def test_the_readme_names_every_variable():
    table = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", (PROJECT_ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert table == VARIABLES
