"""A small server that speaks OpenAI's chat protocol and replays answers; the name of the model says which, and how they go wrong."""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

ANSWERS = yaml.safe_load((Path(__file__).parent / "chat_answers.yaml").read_text(encoding="utf-8"))
PLACES = ("forest", "river", "lake", "hill", "meadow", "beach", "valley", "bridge", "island", "cave")
ANSWERS["calls-many"] = json.dumps({"calls": [{"call": "add_step", "text": f"Walk to the {place} at dawn"} for place in PLACES * 10]})
KEY = "sk-test-0123456789abcdef"
LLAMA_CPP_SAYS = "{'type': 'literal_error', 'loc': ('body', 'response_format', 'type'), 'input': 'json_schema'}"
"""The middle of what the server of llama-cpp-python 0.3 answers, with status 500, where it is asked for a schema strictly."""
PIECE = 7
"""Characters of an answer in one event."""


class ChatServer(ThreadingHTTPServer):
    """Serves until ``close``.

    Attributes:
        asked: The body of every request, in order.
        keys: The key of every request.
        broken_off: Set when a client has left before its answer ended.
        ended: Set when an answer was sent to its end.
        pause_s: Between two events of an answer.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked, self.keys, self.pause_s = [], [], 0.0
        self.broken_off, self.ended = threading.Event(), threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, request, client_address):
        """Say nothing of a client that has left: tests look at standard error."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"

    def close(self):
        self.shutdown()
        self.server_close()

    def answer(self, model, messages):
        """Return what is replayed: a list is one answer a request of the same chat, the last one for ever."""
        found = ANSWERS.get(model, ANSWERS["good"])
        if isinstance(found, str):
            return found
        return found[min(sum(m["role"] == "assistant" for m in messages), len(found) - 1)]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Say nothing."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        self.server.keys.append(self.headers.get("Authorization", "").removeprefix("Bearer "))
        try:
            self._serve(body)
        except (BrokenPipeError, ConnectionResetError):
            self.server.broken_off.set()
            self.close_connection = True

    def _serve(self, body):
        kind = body["model"]
        refusal = self._refusal(kind, body)
        if refusal is not None:
            self._json(*refusal)
        elif kind == "html":
            self._whole(200, "text/html", b"<!doctype html><h1>It works!</h1>")
        elif kind == "not-events":
            self._whole(200, "text/event-stream", b'data: {"choices": 7}\n\ndata: what?\n\n')
        else:
            self._stream(kind, body)

    def _refusal(self, kind, body):
        """Return status, error and headers of a request that is not answered."""
        tries = sum(asked["model"] == kind for asked in self.server.asked)
        if self.server.keys[-1] == "wrong":
            return 401, {"message": "Incorrect API key provided: wr**ng.", "code": "invalid_api_key"}, {}
        if kind == "missing":
            return 404, {"message": "The model `missing` does not exist.", "code": "model_not_found"}, {}
        if kind == "busy" or (kind == "busy-once" and tries == 1):
            return 429, {"message": "Rate limit reached."}, {"Retry-After-Ms": "20"}
        if kind == "broke":
            return 429, {"message": "You exceeded your quota.", "code": "insufficient_quota"}, {"x-should-retry": "false"}
        if kind == "failing" or (kind == "failing-once" and tries == 1):
            return 500, {"message": "CUDA error at /srv/secret/path"}, {"Retry-After-Ms": "20"}
        if kind == "small":
            return 400, {"message": "This model's maximum context length is 128 tokens.", "code": "context_length_exceeded"}, {}
        if kind == "old" and body.get("response_format", {}).get("type") in {"json_schema", "json_object"}:
            return 400, {"message": "Invalid field: response_format"}, {}
        if kind == "llama-cpp" and body.get("response_format", {}).get("type") == "json_schema":
            return 500, {"message": f"1 validation error:\n  {LLAMA_CPP_SAYS}", "type": "internal_server_error"}, {"Retry-After-Ms": "20"}
        if kind == "picky" and "temperature" in body:
            return 400, {"message": "Unsupported value.", "param": "temperature", "code": "unsupported_value"}, {}
        if kind == "strict" and "stream_options" in body:
            return 422, {"message": "extra fields not permitted: stream_options"}, {}
        return None

    def _stream(self, kind, body):
        text = self.server.answer(kind, body["messages"])
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        if kind == "silent":
            self._wait_for_hangup()
            return
        pieces = [text[at : at + PIECE] for at in range(0, len(text), PIECE)]
        if kind == "dies":
            pieces = pieces[: 3 * len(pieces) // 4]
        for n, piece in enumerate(pieces):
            delta = {"index": 0, "delta": {"content": piece}, "finish_reason": None}
            if n == 0 and body.get("logprobs") and not kind.startswith("untold"):
                told = [{"token": "Yes", "logprob": -0.1}, {"token": " yes", "logprob": -4.0}, {"token": " No", "logprob": -2.5}]
                delta["logprobs"] = {"content": [{**told[0], "top_logprobs": told}]}
            self._event({"choices": [delta]})
            time.sleep(0.2 if kind == "slow" else self.server.pause_s)
        if kind == "dies":
            return
        reason = {"cut": "length", "calls-cut": "length", "filtered": "content_filter"}.get(kind, "stop")
        self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
        if kind == "lying":
            self._event({"choices": [], "usage": {"prompt_tokens": -5, "completion_tokens": 10**12}})
        elif "stream_options" in body:
            self._event({"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 50}})
        self.wfile.write(b"data: [DONE]\n\n")
        self.server.ended.set()

    def _wait_for_hangup(self):
        for _ in range(200):
            self.wfile.write(b": nothing yet\n\n")
            time.sleep(0.05)

    def _event(self, data):
        self.wfile.write(b"data: " + json.dumps(data).encode() + b"\n\n")
        self.wfile.flush()

    def _json(self, status, error, headers):
        self._whole(status, "application/json", json.dumps({"error": error}).encode(), headers)

    def _whole(self, status, kind, body, headers=()):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
