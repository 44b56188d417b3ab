"""What all tests share: no network beyond this machine, a hash encoder, a tiny catalogue and its index."""

import ipaddress
import os
import socket

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"

import pytest
from fakes import HashEncoder, flat_weights, write_catalogue

from ecomscript.association.index import IntentionIndex
from ecomscript.pipeline import Pipeline
from ecomscript.planning.intake import Intake
from ecomscript.planning.library import Library
from index_build.build import build


class NetworkBlockedError(OSError):
    """A test tried to leave this machine."""


def _is_local(host):
    if host in {None, "", "localhost", b"localhost", socket.gethostname()}:
        return True
    try:
        address = ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _guarded(real):
    def connect(self, address):
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_local(address[0]):
            raise NetworkBlockedError(f"blocked connection to {address[0]}")
        return real(self, address)

    return connect


@pytest.fixture(scope="session", autouse=True)
def _no_network():
    resolve = socket.getaddrinfo

    def getaddrinfo(host, *args, **kwargs):
        if not _is_local(host):
            raise NetworkBlockedError(f"blocked look-up of {host}")
        return resolve(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        patch.setattr(socket.socket, "connect", _guarded(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", _guarded(socket.socket.connect_ex))
        yield


@pytest.fixture
def chat_server():
    """A server that replays answers of language models."""
    from chat_server import ChatServer  # noqa: PLC0415

    server = ChatServer()
    yield server
    server.close()


@pytest.fixture
def encoder():
    return HashEncoder()


@pytest.fixture
def catalogue_dir(tmp_path):
    """A folder with the tiny catalogue; a test may change it."""
    return write_catalogue(tmp_path / "catalogue")


@pytest.fixture(scope="session")
def tiny_source(tmp_path_factory):
    """The tiny catalogue, shared: not to be changed."""
    return write_catalogue(tmp_path_factory.mktemp("tiny") / "catalogue")


@pytest.fixture(scope="session")
def tiny_index_dir(tiny_source, tmp_path_factory):
    """The index of the tiny catalogue with its library, shared: not to be changed."""
    out = tmp_path_factory.mktemp("tiny-index") / "index"
    build(tiny_source, out, HashEncoder(), quiet=True)
    return out


@pytest.fixture(scope="session")
def tiny_parts(tiny_index_dir):
    """Library, index, encoder and flat weights over the tiny catalogue."""
    encoder = HashEncoder()
    library = Library.load(tiny_index_dir / "library", encoder.name)
    index = IntentionIndex.load(tiny_index_dir, encoder.name)
    return library, index, encoder, flat_weights(encoder.dim)


@pytest.fixture(scope="session")
def tiny_pipeline(tiny_parts):
    """A whole pipeline over the tiny catalogue; the gate works by its rules alone."""
    return Pipeline.of(*tiny_parts, Intake())


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory):
    """Folder of a BERT of two layers with random weights, shared: not to be changed."""
    from fake_models import write_bert  # noqa: PLC0415  (torch, which most tests need not load)

    return write_bert(tmp_path_factory.mktemp("tiny-bert"))


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory):
    """Folder of a Llama of two layers with random weights and no padding token, shared: not to be changed."""
    from fake_models import write_llama  # noqa: PLC0415

    return write_llama(tmp_path_factory.mktemp("tiny-llama"))


@pytest.fixture(scope="session")
def tiny_verifiers_dir(tiny_bert, tmp_path_factory):
    """Folder of untrained verifiers t1, t2 and t3 over the tiny BERT, shared: not to be changed."""
    from fake_models import write_verifiers  # noqa: PLC0415

    return write_verifiers(tmp_path_factory.mktemp("tiny-verifiers"), tiny_bert)
