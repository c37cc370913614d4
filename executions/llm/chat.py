"""Chat Completions, as OpenAI, vLLM, Ollama, Azure, LiteLLM and OpenRouter speak it."""

from __future__ import annotations

import json
from typing import Any

from executions.core.transcript import (
    AssistantMessage,
    Finish,
    Item,
    Reply,
    RequestedCall,
    ToolAnswer,
    Usage,
)
from executions.llm.body import sendable_arguments, sendable_name, strict_schema
from executions.llm.errors import bad_reply, from_status
from executions.llm.port import Request, ToolSpec
from executions.llm.usage import read_usage

PATH = "/chat/completions"
_FINISHES = {"length": Finish.LENGTH, "content_filter": Finish.CONTENT_FILTER}


def wire(request: Request) -> dict[str, Any]:
    """Return the request body. Reasoning has no place in this API and is left out."""
    body: dict[str, Any] = {
        "model": request.llm,
        "messages": [
            {"role": "system", "content": request.instructions},
            *(_message(item) for item in request.items if not _is_blank(item)),
        ],
    }
    if request.tools:
        body["tools"] = [
            {"type": "function", "function": _function(spec)} for spec in request.tools
        ]
    if request.output_schema is not None:
        schema, strict = strict_schema(request.output_schema)
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "final_answer", "schema": schema, "strict": strict},
        }
    if request.max_output_tokens is not None:
        body["max_completion_tokens"] = max(1, request.max_output_tokens)
    return body


def read(response: Any, *, request_chars: int = 0) -> Reply:
    """Return the Reply in a response body; raises LLMError(BAD_REPLY) when there is none in it."""
    if not isinstance(response, dict):
        raise bad_reply("is not a JSON object", response)
    choices = response.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    usage = read_usage(
        response.get("usage"), request_chars=request_chars, reply_chars=len(_dumped(message))
    )
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise _without_message(response, choice, usage)
    calls = _calls(message, response, usage)
    text, refusal = _text(message.get("content")), _text(message.get("refusal"))
    finish = _finish(choice.get("finish_reason"), calls=calls, refusal=refusal)
    if finish is Finish.STOP and not text:
        raise bad_reply("has neither text nor tool calls", response, usage=usage)
    llm = response.get("model")
    return Reply(
        text=text,
        calls=calls,
        finish=finish,
        refusal=refusal,
        usage=usage,
        llm=llm if isinstance(llm, str) else "",
    )


def _message(item: Item) -> dict[str, Any]:
    if isinstance(item, ToolAnswer):
        return {"role": "tool", "tool_call_id": item.call_id, "content": item.text}
    if not isinstance(item, AssistantMessage):
        return {"role": "user", "content": item.text}
    message: dict[str, Any] = {"role": "assistant", "content": item.text}
    if item.calls:
        message["tool_calls"] = [_call(call) for call in item.calls]
    return message


def _is_blank(item: Item) -> bool:
    """Whether there is nothing to send: an unusable reply left no words and no calls."""
    return isinstance(item, AssistantMessage) and not item.text and not item.calls


def _call(call: RequestedCall) -> dict[str, Any]:
    return {
        "id": call.id,
        "type": "function",
        "function": {
            "name": sendable_name(call.name),
            "arguments": sendable_arguments(call.arguments),
        },
    }


def _function(spec: ToolSpec) -> dict[str, Any]:
    schema, strict = strict_schema(spec.schema)
    function = {"name": spec.name, "description": spec.description, "parameters": schema}
    # Left out when false: some servers do not know the word.
    return {**function, "strict": True} if strict else function


def _without_message(response: dict[str, Any], choice: Any, usage: Usage) -> Exception:
    """Return the error for an answer without a message; gateways put theirs in a 200."""
    error = response.get("error")
    status = error.get("code") if isinstance(error, dict) else None
    if isinstance(status, int) and 400 <= status < 600:
        return from_status(status, response)
    return bad_reply("has no message" if choice else "has no choices", response, usage=usage)


def _calls(
    message: dict[str, Any], response: dict[str, Any], usage: Usage
) -> tuple[RequestedCall, ...]:
    given = message.get("tool_calls") or []
    if not isinstance(given, list):
        raise bad_reply("has malformed tool calls", response, usage=usage)
    calls = []
    for call in given:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict):
            raise bad_reply("has a malformed tool call", response, usage=usage)
        calls.append(
            RequestedCall(
                id=_string(call.get("id")),
                name=_string(function.get("name")),
                arguments=_raw(function.get("arguments")),
            )
        )
    return tuple(calls)


def _finish(reason: Any, *, calls: tuple[RequestedCall, ...], refusal: str | None) -> Finish:
    """Return why it stopped; what the answer holds outweighs what the server says."""
    if reason in _FINISHES:
        return _FINISHES[reason]
    if refusal and not calls:
        return Finish.REFUSAL
    return Finish.TOOL_CALLS if calls else Finish.STOP


def _text(content: Any) -> str | None:
    """Return the text of a string or of a list of parts; None when there is nothing in it."""
    if isinstance(content, list):
        content = "".join(_string(part.get("text")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) and content.strip() else None


def _raw(arguments: Any) -> str:
    """Arguments are text; the few servers that send an object get it written out."""
    return arguments if isinstance(arguments, str) else _dumped(arguments or {})


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
