"""What keeps personal words out of each sink, guard by guard, and the tests that are to notice without it.

A guard is taken away by an edit of the source, in a copy of the checkout; a piece that is not found there is
an error, never a guard that nobody misses. Sinks are named as in docs/compliance.md. `equivalent` says which
other guard stands behind this one, so that nothing can tell.
"""

from dataclasses import dataclass


class PieceGone(Exception):
    """The source does not say any more what a guard is."""


@dataclass(frozen=True, slots=True)
class Edit:
    """In this file the one place that says `piece` says `instead`."""

    path: str
    piece: str
    instead: str

    def applied(self, source: str) -> str:
        """Raises `PieceGone`."""
        if source.count(self.piece) != 1:
            raise PieceGone(f"{self.path} says {source.count(self.piece)} times: {self.piece.strip()}")
        return source.replace(self.piece, self.instead)


@dataclass(frozen=True, slots=True)
class Guard:
    """`proofs`: the tests that are to notice that it is gone, in the order they are tried."""

    name: str
    sinks: tuple[str, ...]
    edits: tuple[Edit, ...]
    proofs: tuple[str, ...]
    equivalent: str = ""


CALLS = "tests/calls/test_canaries.py::test_nothing_personal_is_found_anywhere"
CODES = "tests/calls/test_canaries.py::test_a_code_is_found_nowhere_however_it_was_said"
BOOKED = "tests/calls/test_canaries_booked.py::test_a_name_booked_in_a_call_is_found_nowhere"
OVER_API = "tests/calls/test_canaries_booked.py::test_a_contact_booked_over_the_api_is_found_nowhere"
REFUSALS = "tests/calls/test_canaries_booked.py::test_no_refusal_quotes_what_was_sent"
BROKEN_API = "tests/calls/test_canaries_booked.py::test_an_answer_to_what_broke_does_not_quote_it"
CARRIER = "tests/calls/test_canaries_carrier.py"
CRASHED = "tests/calls/test_canaries_crashed.py"
DEFECTS = "tests/calls/test_canaries_defects.py::test_what_a_defect_holds_is_found_nowhere"
EXPORTED = "tests/calls/test_canaries_exported.py::test_no_span_of_a_call_holds_a_word_of_it"
OWN_KEY = "tests/calls/test_canaries_exported.py::test_a_clinics_own_key_is_found_nowhere"
FAULTS = "tests/calls/test_canaries_faults.py::test_what_a_provider_quotes_back_is_found_nowhere"
LOGS = "tests/gateway/test_logs.py"
RECORDED = "tests/calls/test_recorded_call.py"

LOG, THIRD, ERRORS = (
    "log lines",
    "third parties' log lines",
    "exceptions, crashes, warnings, threads, the event loop",
)
SHOWN, REDIS, POSTGRES = "metrics, live feed, spans", "Redis", "Postgres"
ANSWERS, DISK, SOUND = "answers of the API", "disk", "store of recordings"

_LOGS, _RUNNER, _VENDOR = "gateway/logs.py", "pipeline/runner.py", "gateway/vendor_words.py"

WORDS = (
    Guard(
        "the caller's words are redacted",
        (LOG, SHOWN, POSTGRES),
        (Edit(_RUNNER, "self._ports.redactor.caller(keys_hidden(order.text))", "keys_hidden(order.text)"),),
        (CALLS,),
    ),
    Guard(
        "keys that were pressed are hidden",
        (LOG, SHOWN, POSTGRES),
        (Edit(_RUNNER, "redactor.caller(keys_hidden(order.text))", "redactor.caller(order.text)"),),
        (CALLS, "tests/pipeline/runner"),
    ),
    Guard(
        "the agent's words are redacted",
        (LOG, SHOWN, POSTGRES),
        (
            Edit(
                "pipeline/transcript.py",
                "(sentence, self._redactor.agent(sentence.strip()))",
                "(sentence, sentence.strip())",
            ),
        ),
        (BOOKED,),
    ),
    Guard(
        "what was heard of a sentence that was cut off is redacted",
        (LOG, SHOWN),
        (
            Edit(
                "pipeline/transcript.py",
                "raw[:length].strip() if raw.strip() == public else public",
                "raw[:length].strip()",
            ),
        ),
        ("tests/pipeline/runner",),
    ),
    Guard(
        "a one-time code is hidden while it is good",
        (LOG, SHOWN, POSTGRES),
        (
            Edit(
                "gateway/call/masking.py",
                "return CodeRedactor(redactor, code_awaited)",
                "return redactor",
            ),
        ),
        (CODES,),
    ),
    Guard(
        "words of a caller who refused to be recorded are withheld",
        (LOG, SHOWN),
        (
            Edit(
                "gateway/journal.py",
                "without_words(event) if self._consent.withheld else event",
                "event",
            ),
        ),
        ("tests/calls/test_consent.py",),
    ),
    Guard(
        "the name by which a returning caller is greeted is hidden",
        (LOG, SHOWN, POSTGRES),
        (Edit("gateway/returning.py", "if caller is None or caller.first_name is None:", "if True:"),),
        ("tests/calls/test_returning_callers.py",),
    ),
    Guard(
        "a vendor's fault is one of ours",
        (LOG, SHOWN),
        (Edit(_VENDOR, "replace(event, fault=fault_name(event.fault))", "event"),),
        (FAULTS,),
    ),
    Guard(
        "a tool is one of ours, where it runs",
        (SHOWN,),
        (Edit("pipeline/toolbox.py", 'call.name if tool is not None else "unknown"', "call.name"),),
        (EXPORTED,),
        "the journal and the spans say unknown of a name that is none of ours",
    ),
    Guard(
        "a tool is one of ours, wherever it is told",
        (LOG, SHOWN),
        (
            Edit("pipeline/toolbox.py", 'call.name if tool is not None else "unknown"', "call.name"),
            Edit(_VENDOR, "return name if name in TOOLS else UNKNOWN_TOOL", "return name"),
        ),
        (EXPORTED,),
    ),
)

LINES = (
    Guard(
        "undeclared keys are dropped", (LOG,), (Edit(_LOGS, "                keep_declared,\n", ""),), (LOGS,)
    ),
    Guard(
        "values that are no words of ours are withheld",
        (LOG,),
        (Edit(_LOGS, "                withhold_unfit,\n", ""),),
        (LOGS,),
    ),
    Guard(
        "sentences in the log are redacted",
        (LOG,),
        (Edit(_LOGS, "return redact(value)[:200]", "return value[:200]"),),
        (LOGS,),
    ),
    Guard(
        "of third parties' lines the template alone",
        (THIRD,),
        (Edit(_LOGS, "_template(record.msg, record.pathname)", "record.getMessage()"),),
        (LOGS,),
    ),
    Guard(
        "no template that was filled in already",
        (THIRD,),
        (Edit(_LOGS, "lines[0] if lines[0] in _source(path) else WITHHELD", "lines[0]"),),
        (LOGS,),
    ),
    Guard(
        "of a third party's traceback the class alone",
        (THIRD, ERRORS),
        (Edit(_LOGS, "if not header:\n        return", "if True:\n        return"),),
        (LOGS,),
    ),
    Guard(
        "third parties are heard from warnings up",
        (THIRD,),
        (Edit(_LOGS, "root.setLevel(logging.WARNING)", "root.setLevel(logging.DEBUG)"),),
        (LOGS,),
    ),
    Guard(
        "a line that cannot be written shows no arguments",
        (LOG,),
        (Edit(_LOGS, "def handleError(", "def handle_error("),),
        (LOGS,),
    ),
    Guard(
        "of an exception its class and frames",
        (ERRORS,),
        (Edit(_LOGS, 'f"{type(error).__name__} at', 'f"{error!r} at'),),
        (DEFECTS + "[journal]",),
    ),
    Guard(
        "of an exception no locals",
        (ERRORS,),
        (
            Edit(
                _LOGS,
                "_where(error.__traceback__)}",
                "_where(error.__traceback__)} "
                "{[frame.f_locals for frame, _ in traceback.walk_tb(error.__traceback__)]}",
            ),
        ),
        (DEFECTS + "[journal]",),
    ),
)

PROCESS = tuple(
    Guard(f"the process: {name}", (ERRORS,), (Edit(_LOGS, f"    {line}\n", ""),), proofs)
    for name, line, proofs in (
        ("uncaught exceptions", "sys.excepthook = _uncaught", (LOGS,)),
        (
            "exceptions that nobody can raise",
            'sys.unraisablehook = lambda unraisable: log.error("unraisable", exc_info=unraisable.exc_value)',
            (LOGS,),
        ),
        (
            "threads",
            'threading.excepthook = lambda thread: log.error("thread_failed", exc_info=thread.exc_value)',
            (LOGS,),
        ),
        ("warnings", "warnings.showwarning = _warned", (LOGS,)),
        ("no image of its memory", "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))", (CRASHED,)),
    )
)

KEPT = (
    Guard(
        "what was masked is sealed",
        (POSTGRES,),
        (
            Edit(
                "compliance/records.py",
                "[key.seal(_bytes(value.value), value.cell) for value in values]",
                "[_bytes(value.value) for value in values]",
            ),
        ),
        (CALLS,),
    ),
    Guard(
        "both ends of a call are sealed",
        (POSTGRES,),
        (
            Edit(
                "compliance/records.py",
                "return key.seal(number.encode(), cell) if number else None",
                "return number.encode() if number else None",
            ),
        ),
        (BOOKED,),
    ),
    Guard(
        "contacts are sealed",
        (POSTGRES,),
        (Edit("booking/contacts.py", "under.seal(utf8(plain), _place(contact_id, column))", "utf8(plain)"),),
        (OVER_API,),
    ),
    Guard(
        "who gets a text is sealed",
        (POSTGRES,),
        (
            Edit(
                "booking/messages.py",
                'under.seal(text.to.encode(), Place("sms_messages", "sealed_receiver", row))',
                "text.to.encode()",
            ),
        ),
        (OVER_API,),
    ),
    Guard(
        "texts are sealed",
        (POSTGRES,),
        (
            Edit(
                "booking/messages.py",
                'under.seal(utf8(text.body), Place("sms_messages", "sealed_body", row))',
                "utf8(text.body)",
            ),
        ),
        (CODES,),
    ),
    Guard(
        "numbers are looked up by keyed digests",
        (POSTGRES,),
        (
            Edit(
                "compliance/vault.py",
                "return tuple(hmac.digest(key, message, hashlib.sha256) for key in self._digest_keys)",
                "return tuple(value.ljust(32, b'.') for key in self._digest_keys)",
            ),
        ),
        (OVER_API,),
    ),
    Guard(
        "a job's failure is told by its class",
        (POSTGRES,),
        (Edit("booking/worker.py", "reason = type(error).__name__", "reason = str(error)"),),
        ("tests/booking/test_worker.py",),
    ),
    Guard(
        "credentials are cached sealed",
        (REDIS,),
        (
            Edit(
                "gateway/tenancy/credentials.py",
                "msgspec.msgpack.encode(dict(keys.sealed))",
                "msgspec.msgpack.encode(dict(keys.sealed) | {'llm': b'sk-thistledown-4711'})",
            ),
        ),
        (OWN_KEY,),
    ),
    Guard(
        "answers that are kept for repetition are sealed",
        (POSTGRES,),
        (
            Edit(
                "gateway/api/idempotency.py",
                "self.api.sealer.seal(self.claim.org_id, msgspec.msgpack.encode(answer), self._place)",
                "msgspec.msgpack.encode(answer)",
            ),
        ),
        ("tests/gateway/api/test_idempotency.py",),
    ),
)

TOLD = (
    Guard(
        "a refusal names declared fields alone",
        (ANSWERS,),
        (Edit("gateway/api/dispatch.py", 'return found[1] if found else "$"', "return str(error)"),),
        (REFUSALS,),
    ),
    Guard(
        "what broke is not quoted in an answer",
        (ANSWERS,),
        (
            Edit(
                "gateway/api/dispatch.py",
                "refused = Refused(FAILED)",
                "refused = Refused(FAILED, detail=str(error))",
            ),
        ),
        (BROKEN_API,),
    ),
    Guard(
        "both ends travel sealed through the carrier",
        (ANSWERS,),
        (
            Edit(
                "gateway/caller.py",
                "vault.for_org(org_id).seal(plain, _cell(call_id))",
                "plain",
            ),
        ),
        (CARRIER,),
    ),
    Guard(
        "nothing is written beside the gateway",
        (DISK,),
        (
            Edit(
                "gateway/journal.py",
                "            self._take(public)\n",
                "            self._take(public)\n            open('journal.txt', 'a').close()\n",
            ),
        ),
        (CRASHED,),
    ),
    Guard(
        "no temporary file",
        (DISK,),
        (
            Edit(
                "gateway/feed.py",
                "self._queue.append((channel(org_id), msgspec.json.encode(event)))",
                "self._queue.append((channel(org_id), msgspec.json.encode(event)))\n"
                "        __import__('tempfile').TemporaryFile().close()",
            ),
        ),
        (CRASHED,),
    ),
    Guard(
        "the sound of calls is sealed",
        (SOUND,),
        (
            Edit(
                "gateway/recording/writer.py",
                "await asyncio.to_thread(key.seal, sound, part_cell(self._stretch.id, number))",
                "sound",
            ),
        ),
        (RECORDED,),
    ),
)

GUARDS = (*WORDS, *LINES, *PROCESS, *KEPT, *TOLD)
