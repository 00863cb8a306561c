"""The three vendor APIs behind one call, each through the vendor's own SDK."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from openai.types.responses import Response, ResponseCompletedEvent, ResponseIncompleteEvent


@dataclass(kw_only=True)
class Answer:
    """What a caller saw of one answer; it is filled while the answer comes."""

    text: str = ""
    deltas: list[str] = field(default_factory=list[str])
    finish: str | None = None
    usage: tuple[int, int] | None = None

    def add(self, delta: str | None) -> None:
        if delta:
            self.deltas.append(delta)
            self.text += delta


class Api(Protocol):
    async def __call__(
        self,
        prompt: str,
        *,
        answer: Answer | None = None,
        stream: bool = True,
        model: str = "sim-mid",
        maximum: int = 1000,
    ) -> Answer: ...


@dataclass
class ChatApi:
    client: AsyncOpenAI

    async def __call__(
        self,
        prompt: str,
        *,
        answer: Answer | None = None,
        stream: bool = True,
        model: str = "sim-mid",
        maximum: int = 1000,
    ) -> Answer:
        answer = answer or Answer()
        create = self.client.chat.completions.create
        if not stream:
            whole = await create(
                model=model,
                messages=[{"role": "user", "content": prompt}],
                max_completion_tokens=maximum,
            )
            answer.add(whole.choices[0].message.content)
            answer.finish = whole.choices[0].finish_reason
            assert whole.usage is not None
            answer.usage = (whole.usage.prompt_tokens, whole.usage.completion_tokens)
            return answer
        events = await create(
            model=model,
            messages=[{"role": "user", "content": prompt}],
            max_completion_tokens=maximum,
            stream=True,
            stream_options={"include_usage": True},
        )
        async with events:
            async for chunk in events:
                for choice in chunk.choices:
                    answer.add(choice.delta.content)
                    answer.finish = choice.finish_reason
                if chunk.usage:
                    answer.usage = (chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
        return answer


@dataclass
class ResponsesApi:
    client: AsyncOpenAI

    async def __call__(
        self,
        prompt: str,
        *,
        answer: Answer | None = None,
        stream: bool = True,
        model: str = "sim-mid",
        maximum: int = 1000,
    ) -> Answer:
        answer = answer or Answer()
        create = self.client.responses.create
        response: Response | None = None
        if not stream:
            response = await create(model=model, input=prompt, max_output_tokens=maximum)
            answer.add(response.output_text)
        else:
            events = await create(model=model, input=prompt, max_output_tokens=maximum, stream=True)
            async with events:
                async for event in events:
                    if event.type == "response.output_text.delta":
                        answer.add(event.delta)
                    if isinstance(event, ResponseCompletedEvent | ResponseIncompleteEvent):
                        response = event.response
        if response is not None:
            assert response.usage is not None
            assert response.output_text == answer.text
            cut = response.incomplete_details
            answer.finish = cut.reason if cut else response.status
            answer.usage = (response.usage.input_tokens, response.usage.output_tokens)
        return answer


@dataclass
class MessagesApi:
    client: AsyncAnthropic

    async def __call__(
        self,
        prompt: str,
        *,
        answer: Answer | None = None,
        stream: bool = True,
        model: str = "sim-mid",
        maximum: int = 1000,
    ) -> Answer:
        answer = answer or Answer()
        create = self.client.messages.create
        if not stream:
            whole = await create(
                model=model,
                messages=[{"role": "user", "content": prompt}],
                max_tokens=maximum,
            )
            answer.add("".join(block.text for block in whole.content if block.type == "text"))
            answer.finish = whole.stop_reason
            answer.usage = (whole.usage.input_tokens, whole.usage.output_tokens)
            return answer
        events = await create(
            model=model,
            messages=[{"role": "user", "content": prompt}],
            max_tokens=maximum,
            stream=True,
        )
        entering = 0
        async with events:
            async for event in events:
                if event.type == "message_start":
                    entering = event.message.usage.input_tokens
                if event.type == "content_block_delta" and event.delta.type == "text_delta":
                    answer.add(event.delta.text)
                if event.type == "message_delta":
                    answer.finish = event.delta.stop_reason
                    answer.usage = (entering, event.usage.output_tokens)
        return answer
