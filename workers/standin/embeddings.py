"""OpenAI embeddings: no model behind them, only the letters.

The law: a text always has the same vector, which counts its runs of three letters, hashed into
buckets. So texts that are spelled alike are near each other, and that is all: a paraphrase is far,
and two order numbers are almost the same. Never take it for meaning.

It is an answer without output: it is due when the first token would be, and faults and the log work
as for any other answer.
"""

from __future__ import annotations

import base64
import hashlib
import math
import struct
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field, ValidationError
from typing_extensions import override

from forerun.workers.standin.asks import Ask, BadAsk
from forerun.workers.standin.replies import Reply
from forerun.workers.standin.tokenizer import count_tokens
from forerun.workers.standin.turns import Turn, openai_error

DIMENSIONS = 512
_RUN = 3


class EmbeddingsTurn(Turn):
    """One answer of `POST /v1/embeddings`; it never streams, so it has no events."""

    path: ClassVar[str] = "/v1/embeddings"
    request_id_header: ClassVar[str] = "x-request-id"

    @override
    def __init__(self, ask: Ask, reply: Reply, request_id: str) -> None:
        del reply, request_id
        self._ask = ask

    @staticmethod
    @override
    def read(body: bytes) -> Ask:
        """Understand a request body; raises BadAsk."""
        try:
            asked = _Embeddings.model_validate_json(body)
        except ValidationError as error:
            raise BadAsk.of(error) from error
        texts = (asked.input,) if isinstance(asked.input, str) else tuple(asked.input)
        if "" in texts:
            raise BadAsk("input: an empty string has no embedding")
        return Ask(
            model=asked.model,
            user="\n".join(texts),
            input_tokens=sum(map(count_tokens, texts)),
            max_output_tokens=0,
            stream=False,
            texts=texts,
            as_base64=asked.encoding_format == "base64",
        )

    @staticmethod
    @override
    def refusal(status: int, message: str, request_id: str) -> dict[str, Any]:
        """The body of an answer with an error status."""
        del request_id  # only in the header
        return {"error": openai_error(status, message)}

    @override
    def whole(self) -> dict[str, Any]:
        """The list of embedding objects."""
        tokens = self._ask.input_tokens
        return {
            "object": "list",
            "model": self._ask.model,
            "data": [
                {"object": "embedding", "index": index, "embedding": self._spelled(vector(text))}
                for index, text in enumerate(self._ask.texts)
            ],
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }

    def _spelled(self, numbers: list[float]) -> list[float] | str:
        if not self._ask.as_base64:
            return numbers
        return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def vector(text: str) -> list[float]:
    """`DIMENSIONS` numbers, of length 1 together."""
    padded = f" {' '.join(text.lower().split())} "
    counts = [0.0] * DIMENSIONS
    for start in range(max(len(padded) - _RUN + 1, 1)):
        run = padded[start : start + _RUN].encode(errors="surrogatepass")
        counts[int.from_bytes(hashlib.blake2b(run, digest_size=4).digest()) % DIMENSIONS] += 1
    length = math.sqrt(math.fsum(count * count for count in counts))
    return [count / length for count in counts]


class _Embeddings(BaseModel):
    model: str
    input: str | list[str] = Field(min_length=1)
    encoding_format: Literal["float", "base64"] = "float"
