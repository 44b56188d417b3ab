import re
from pathlib import Path

import pytest

from ecomscript import config
from ecomscript.config import DEFAULT_ENCODER, PROJECT_ROOT, Settings
from ecomscript.errors import ConfigError


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
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "GRADIO_SERVER_PORT": "8080",
    }
    expected = Settings(Path("/data/index"), Path("/data/cache"), "someone/encoder", "0.0.0.0", 8080, 4)
    assert Settings.from_env(env) == expected


def test_an_empty_variable_is_as_good_as_none():
    names = ("ECOMSCRIPT_INDEX", "ECOMSCRIPT_CACHE", "ECOMSCRIPT_ENCODER", "ECOMSCRIPT_THREADS", "GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT")
    assert Settings.from_env(dict.fromkeys(names, " ")) == Settings()


@pytest.mark.parametrize("name", ["ECOMSCRIPT_THREADS", "GRADIO_SERVER_PORT"])
@pytest.mark.parametrize("value", ["many", "1.5", "-1", "0", "99999999", "1\x002"])
def test_a_bad_number_names_its_variable(name, value):
    with pytest.raises(ConfigError, match=f"{name} is .*expected"):
        Settings.from_env({name: value})


def test_the_readme_names_every_variable():
    names = set(re.findall(r'"((?:ECOMSCRIPT|GRADIO)_[A-Z_]+)"', Path(config.__file__).read_text(encoding="utf-8")))
    table = set(re.findall(r"^\| `([A-Z_]+)` \|", (PROJECT_ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert names == table
