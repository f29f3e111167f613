"""The history that the model gets."""

from pipeline.conversation import Conversation
from pipeline.events import ToolCall
from pipeline.ports import Message


def roles(conversation: Conversation) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in conversation.messages()]


def test_turns_of_one_side_in_a_row_are_one_message() -> None:
    talk = Conversation("Be brief.")
    talk.caller_said("I would like")
    talk.new_step()
    talk.caller_said("to come on Tuesday")
    talk.new_step().text = "Tuesday "
    talk.new_step().text = "is free."
    assert roles(talk) == [
        ("system", "Be brief."),
        ("user", "I would like to come on Tuesday"),
        ("assistant", "Tuesday is free."),
    ]


def test_every_tool_call_has_its_answer_whatever_became_of_it() -> None:
    talk = Conversation("Be brief.")
    step = talk.new_step()
    step.calls = talk.unique(
        [ToolCall("a", "done", ""), ToolCall("b", "running", "{}"), ToolCall("c", "cut", "{}")]
    )
    step.results["a"] = '{"ok": true}'
    step.running.add("b")
    messages = talk.messages()[1:]
    assert [message.role for message in messages] == ["assistant", "tool", "tool", "tool"]
    assert [call[0] for call in messages[0].tool_calls] == [message.tool_call_id for message in messages[1:]]
    assert messages[0].tool_calls[0] == ("a", "done", "{}")
    assert messages[1].content == '{"ok": true}'
    assert "running" in messages[2].content
    assert "error" in messages[3].content


def test_ids_are_unique_within_the_call() -> None:
    talk = Conversation("")
    first = talk.unique([ToolCall("", "a", ""), ToolCall("", "b", ""), ToolCall("x", "c", "")])
    second = talk.unique([ToolCall("x", "c", "")])
    ids = [call.id for call in (*first, *second)]
    assert len(set(ids)) == 4
    assert all(ids)


def test_a_conversation_goes_on_with_what_was_said_before_it() -> None:
    before = Conversation("Be brief.")
    before.caller_said("Put me through.")
    step = before.new_step()
    step.calls = before.unique([ToolCall("", "transfer", "{}")])
    step.results[step.calls[0].id] = "{}"
    earlier = before.messages()[1:]
    talk = Conversation("Nobody answered.", earlier)
    talk.new_step().text = "I'm sorry."
    assert talk.messages()[1:-1] == earlier
    assert talk.draft("Then note this.").messages()[-1] == Message("user", "Then note this.")
    assert talk.draft("Then note this.").messages()[1:-2] == earlier
    (again,) = talk.unique([ToolCall("", "transfer", "{}")])
    assert again.id != step.calls[0].id


def test_a_dropped_step_leaves_no_trace() -> None:
    talk = Conversation("Be brief.")
    step = talk.new_step()
    step.text = "Oops"
    talk.drop(step)
    assert roles(talk) == [("system", "Be brief.")]


def test_a_resumed_reply_is_told_why() -> None:
    assert Conversation("Be brief.").messages(resume=True)[-1].role == "system"
