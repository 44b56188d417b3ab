"""The files that set the project up agree with each other."""

import re

import yaml

from ecomscript.config import PROJECT_ROOT


def read(name):
    return (PROJECT_ROOT / name).read_text(encoding="utf-8")


def pins(name):
    """Return package → version; a line that pins nothing fails."""
    lines = [line for line in read(name).splitlines() if line and not line.startswith(("#", "-r "))]
    found = dict(re.fullmatch(r"([A-Za-z0-9._-]+)(?:\[\w+\])?==([\w.]+)", line).groups() for line in lines)
    assert len(found) == len(lines)
    return {package.lower().replace("_", "-"): version for package, version in found.items()}


def test_requirements_are_pinned_as_they_were_tested():
    tested = pins("requirements.lock")
    assert tested.items() >= pins("requirements.txt").items()
    assert tested.items() >= pins("requirements-dev.txt").items()
    assert tested.items() >= pins("requirements-cluster.txt").items()
    assert pins("requirements.txt")["torch"] == "2.13.0"


def test_the_front_matter_suits_the_pinned_gradio():
    front = yaml.safe_load(read("README.md").split("---\n")[1])
    assert (front["sdk"], front["sdk_version"]) == ("gradio", pins("requirements.txt")["gradio"])
    assert (PROJECT_ROOT / front["app_file"]).is_file()
    assert front["license"] == "apache-2.0" and "Apache License" in read("LICENSE")
    assert len(front["short_description"]) <= 60


def test_the_readme_names_commands_that_exist():
    targets = set(re.findall(r"^(\w+):", read("Makefile"), re.MULTILINE))
    assert set(re.findall(r"^make (\w+)", read("README.md"), re.MULTILINE)) == {"run", "test"} <= targets
    assert {"run", "test", "lint", "index", "fit", "bench", "vectors", "clean"} <= targets
    assert "make test" in read(".ci/run")
