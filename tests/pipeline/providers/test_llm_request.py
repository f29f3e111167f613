"""What a chat-completions server is sent."""

from pipeline.ports import Message, ToolSpec
from pipeline.providers.llm_request import LlmConfig, completion_request

HELLO = [Message("system", "Be brief."), Message("user", "Hello")]
CLAIM = ToolSpec("claim_slot", "Hold a slot.", {"type": "object", "properties": {}}, effectful=True)


def test_plain_request() -> None:
    request = completion_request(LlmConfig("k", "m", "http://127.0.0.1/v1"), HELLO, [])
    assert request == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
        "stream": True,
        "temperature": 0.3,
        "max_completion_tokens": 300,
        "stream_options": {"include_usage": True},
    }


def test_tools_are_offered_one_at_a_time() -> None:
    request = completion_request(LlmConfig("k", "m"), HELLO, [CLAIM])
    assert request["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "claim_slot",
                "description": "Hold a slot.",
                "parameters": {"type": "object", "properties": {}},
            },
        }
    ]
    assert (request["tool_choice"], request["parallel_tool_calls"]) == ("auto", False)


def test_calls_and_results_are_repeated_as_the_server_made_them() -> None:
    history = [
        Message("assistant", "", (("call_a", "end_call", ""), ("call_b", "claim_slot", '{"slot":"s1"}'))),
        Message("tool", "{}", tool_call_id="call_a"),
    ]
    assistant, tool = completion_request(LlmConfig("k", "m"), history, [CLAIM])["messages"]
    assert assistant["content"] is None
    assert [call["function"]["arguments"] for call in assistant["tool_calls"]] == ["{}", '{"slot":"s1"}']
    assert tool == {"role": "tool", "content": "{}", "tool_call_id": "call_a"}


def test_only_openai_is_told_to_leave_the_padding_out() -> None:
    options = [
        completion_request(LlmConfig("k", "m", url), HELLO, [])["stream_options"]
        for url in ("https://api.openai.com/v1", "https://api.groq.com/openai/v1")
    ]
    assert options == [{"include_usage": True, "include_obfuscation": False}, {"include_usage": True}]


def test_what_a_server_does_not_know_can_be_left_out_and_what_only_it_knows_added() -> None:
    config = LlmConfig(
        "k",
        "m",
        temperature=None,
        max_tokens_field="max_tokens",
        parallel_tool_calls=None,
        include_usage=False,
        extra_body={"reasoning_effort": "none"},
    )
    request = completion_request(config, HELLO, [CLAIM])
    assert request["max_tokens"] == 300
    assert request["reasoning_effort"] == "none"
    left_out = {"temperature", "max_completion_tokens", "parallel_tool_calls", "stream_options"}
    assert not request.keys() & left_out


def test_key_is_not_shown() -> None:
    assert "secret" not in repr(LlmConfig("secret", "m"))
