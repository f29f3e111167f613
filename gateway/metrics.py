"""Counters and histograms, in a registry of their own: one per application, so that tests do not share
them.

Labels take short names from closed sets, never ids, numbers or words.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_TURN_S: Final = (
    *(0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8),
    *(0.9, 1.0, 1.1, 1.2, 1.35, 1.5, 2.0, 3.0, 5.0),
)
_STAGE_S: Final = (
    *(0.001, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5),
    *(0.6, 0.7, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0),
)
_OVERHEAD_S: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
_ALERTED_ENDS: Final = ("custom_service", "start_up", "platform")
_ALERTED_FAILURES: Final = ("refused", "not_configured", "tried_often", "filtered", "blocked")
_HANDOVER_S: Final = (0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.5, 10.0, 20.0)
_DELIVERY_S: Final = (1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0, 1800.0, 21_600.0)
_WORK_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class _One(Collector):
    """A registry of one metric."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> Iterable[Metric]:
        return [self._metric]


class Metrics:
    """What one gateway process counts."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        self._loop(registry)
        self._calls(registry)
        self._turns(registry)
        self._guesses(registry)
        self._thinking(registry)
        self._latency(registry)
        self._edge(registry)
        self._lookups(registry)
        self._kept_words(registry)
        self._texts(registry)
        self._recordings(registry)
        self._follow_ups(registry)
        self._placed_calls(registry)
        self._vapi(registry)
        self._jobs(registry)
        self._audit(registry)
        self._status(registry)
        self._served_to_vapi(registry)

    def exposition(self) -> bytes:
        """The text that `/metrics` answers, in one go: some 5 ms."""
        return generate_latest(self.registry)

    async def told(self) -> bytes:
        """The same, giving calls their turn after each metric."""
        parts = []
        for metric in self.registry.collect():
            parts.append(generate_latest(_One(metric)))
            await asyncio.sleep(0)
        return b"".join(parts)

    def _loop(self, registry: CollectorRegistry) -> None:
        self.loop_lag = Histogram(
            "gateway_event_loop_lag_seconds",
            "How late the event loop came to a timer, sampled ten times a second",
            buckets=_OVERHEAD_S,
            registry=registry,
        )
        self.loop_lag_longest = Gauge(
            "gateway_event_loop_lag_longest_seconds", "The longest of the last 15 s", registry=registry
        )
        self.garbage_pauses = Histogram(
            "gateway_garbage_pause_seconds",
            "How long the process stood still for each collection of garbage",
            registry=registry,
            buckets=(0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
        )

    def _calls(self, registry: CollectorRegistry) -> None:
        self.calls_active = Gauge("gateway_calls_active", "Calls whose media are flowing", registry=registry)
        self.calls_expected = Gauge(
            "gateway_calls_expected", "Calls answered whose media have not come yet", registry=registry
        )
        self.calls = Counter("gateway_calls", "Calls ended", ["reason"], registry=registry)
        self.call_seconds = Histogram(
            "gateway_call_seconds",
            "Length of calls",
            buckets=(10, 30, 60, 120, 300, 600, 1800),
            registry=registry,
        )

    def _turns(self, registry: CollectorRegistry) -> None:
        self.turns = Counter("gateway_turns", "Turns ended", ["outcome"], registry=registry)
        self.turn_ttfb = Histogram(
            "gateway_turn_ttfb_seconds",
            "Caller's speech end to the reply's first audio",
            buckets=_TURN_S,
            registry=registry,
        )
        self.turn_overhead = Histogram(
            "gateway_turn_overhead_seconds",
            "What the gateway adds between the providers' stages of a turn",
            buckets=_OVERHEAD_S,
            registry=registry,
        )
        self.stage = Histogram(
            "gateway_turn_stage_seconds",
            "From what a turn's stage waits for to the stage itself",
            ["stage"],
            buckets=_STAGE_S,
            registry=registry,
        )
        self.barge_ins = Counter("gateway_barge_ins", "Replies cut by the caller", registry=registry)
        self.clear = Histogram(
            "gateway_clear_seconds", "Caller's speech to clear sent", buckets=_OVERHEAD_S, registry=registry
        )
        self.tools = Histogram(
            "gateway_tool_seconds", "Tool calls", ["tool", "outcome"], buckets=_WORK_S, registry=registry
        )
        self.provider_faults = Counter(
            "gateway_provider_faults",
            "Faults of providers",
            ["provider", "fault", "action"],
            registry=registry,
        )

    def _guesses(self, registry: CollectorRegistry) -> None:
        self.speculations = Counter(
            "gateway_turn_speculations",
            "Turns ended, by what became of guesses",
            ["outcome"],
            registry=registry,
        )
        self.wasted_tokens = Counter(
            "gateway_wasted_tokens", "Tokens of replies begun on a wrong guess", registry=registry
        )
        self.wasted_characters = Counter(
            "gateway_wasted_characters",
            "Characters given to the synthesiser for replies begun on a wrong guess",
            registry=registry,
        )

    def _thinking(self, registry: CollectorRegistry) -> None:
        self.second_requests = Counter(
            "gateway_llm_second_requests",
            "Replies asked for twice, by why and by which request won; those that a cap forbade, too",
            ["reason", "won"],
            registry=registry,
        )
        self.second_request_tokens = Counter(
            "gateway_llm_second_request_tokens",
            "Tokens of requests that did not win, about",
            registry=registry,
        )

    def _latency(self, registry: CollectorRegistry) -> None:
        self.latency_judged = Counter(
            "gateway_latency_judged",
            "Turns, by their org's rolling status and its profile when they were answered",
            ["status", "profile"],
            registry=registry,
        )
        self.latency_switches = Counter(
            "gateway_latency_switches",
            "Orgs switched to another latency profile",
            ["profile"],
            registry=registry,
        )

    def _edge(self, registry: CollectorRegistry) -> None:
        self.refused = Counter(
            "gateway_refused", "Requests, sockets and calls turned away", ["reason"], registry=registry
        )
        self.bad_frames = Counter(
            "gateway_bad_frames", "Carrier frames that made no sense", ["reason"], registry=registry
        )
        self.carrier_requests = Counter(
            "gateway_carrier_requests",
            "Requests to a carrier's REST interface",
            ["carrier", "outcome"],
            registry=registry,
        )
        self.shared_store_faults = Counter(
            "gateway_shared_store_faults", "Redis commands that failed", registry=registry
        )
        self.api_requests = Histogram(
            "gateway_api_seconds",
            "API requests by operation and status",
            ["operation", "status"],
            buckets=_WORK_S,
            registry=registry,
        )
        self.feed_dropped = Counter("gateway_feed_dropped", "Live-feed events dropped", registry=registry)

    def _lookups(self, registry: CollectorRegistry) -> None:
        self.lookups = Counter(
            "gateway_lookups",
            "Tenancy look-ups by the layer that answered",
            ["cache", "layer"],
            registry=registry,
        )
        self.callers = Histogram(
            "gateway_caller_lookup_seconds",
            "Finding out whether a caller has been here before",
            ["outcome"],
            buckets=_WORK_S,
            registry=registry,
        )
        self.knowledge = Histogram(
            "gateway_knowledge_seconds",
            "Finding passages of a clinic's documents for a turn",
            ["outcome"],
            buckets=_WORK_S,
            registry=registry,
        )
        self.meaning = Histogram(
            "gateway_knowledge_meaning_seconds",
            "Finding passages by their meaning, as a part of that: embedding what was said, and the search",
            ["outcome"],
            buckets=_WORK_S,
            registry=registry,
        )

    def _kept_words(self, registry: CollectorRegistry) -> None:
        self.turns_unstored = Counter(
            "gateway_turns_unstored", "Turns that could not be written", registry=registry
        )
        self.recording_words = Counter(
            "gateway_recording_words",
            "What callers say of being recorded; refused_before: in an earlier call, or to the clinic",
            ["word"],
            registry=registry,
        )
        self.consents_unnoted = Counter(
            "gateway_consents_unnoted", "Words on being recorded that could not be noted", registry=registry
        )
        self.values_unkept = Counter(
            "gateway_values_unkept", "Personal values of calls that could not be kept", registry=registry
        )

    def _recordings(self, registry: CollectorRegistry) -> None:
        self.recordings = Counter(
            "gateway_recordings", "Recordings of calls, by how they ended", ["outcome"], registry=registry
        )
        self.recording_put = Histogram(
            "gateway_recording_put_seconds",
            "Putting one part of a recording into the store",
            buckets=_WORK_S,
            registry=registry,
        )

    def _texts(self, registry: CollectorRegistry) -> None:
        self.codes = Counter(
            "gateway_codes",
            "Codes asked for, by what became of handing them over",
            ["outcome"],
            registry=registry,
        )
        self.code_handover = Histogram(
            "gateway_code_handover_seconds",
            "From the request for a code to the carrier's taking it",
            buckets=_HANDOVER_S,
            registry=registry,
        )
        self.code_checks = Counter(
            "gateway_code_checks", "Codes given back to be checked", ["outcome"], registry=registry
        )
        self.texts_settled = Counter(
            "gateway_texts_settled",
            "Text messages by their last status",
            ["kind", "status"],
            registry=registry,
        )
        self.text_delivery = Histogram(
            "gateway_text_delivery_seconds",
            "From a text's being sent to its having arrived, as the carrier tells it",
            ["kind"],
            buckets=_DELIVERY_S,
            registry=registry,
        )

    def _placed_calls(self, registry: CollectorRegistry) -> None:
        self.calls_placed = Counter(
            "gateway_calls_placed",
            "Requests for calls to carriers, by what came of them",
            ["carrier", "outcome"],
            registry=registry,
        )
        self.calls_given_up = Counter(
            "gateway_calls_given_up",
            "Calls that were to be placed and reached nobody, by why",
            ["outcome"],
            registry=registry,
        )
        self.calls_answered = Counter(
            "gateway_calls_answered",
            "Placed calls that were answered, by whom as far as the carrier tells",
            ["by"],
            registry=registry,
        )
        self.handovers = Counter(
            "gateway_handovers",
            "Callers put through to a person, by what came of it",
            ["outcome"],
            registry=registry,
        )

    def _follow_ups(self, registry: CollectorRegistry) -> None:
        self.follow_ups = Counter(
            "gateway_follow_ups",
            "Follow-ups of calls, by what came of them",
            ["outcome", "reason"],
            registry=registry,
        )
        for reason in _ALERTED_FAILURES:  # there from the start, so that the first one is a rise
            self.follow_ups.labels("failed", reason)
        self.guides = Counter(
            "gateway_guides",
            "Links of follow-ups that were opened, by what came of it",
            ["outcome"],
            registry=registry,
        )
        self.replies = Counter(
            "gateway_text_replies",
            "Texts in answer to a follow-up, by what they ask for",
            ["kind"],
            registry=registry,
        )
        self.follow_up_trigger = Histogram(
            "gateway_follow_up_trigger_seconds",
            "From a call's end to the beginning of its follow-up",
            buckets=_HANDOVER_S,
            registry=registry,
        )
        self.follow_up_handover = Histogram(
            "gateway_follow_up_handover_seconds",
            "From a call's end to the carrier's taking the text, where nothing was waited for",
            buckets=_HANDOVER_S,
            registry=registry,
        )

    def _vapi(self, registry: CollectorRegistry) -> None:
        self.vapi_messages = Histogram(
            "gateway_vapi_seconds",
            "Messages of Vapi's to our webhooks, by type and what came of them",
            ["type", "outcome"],
            buckets=_WORK_S,
            registry=registry,
        )
        self.vapi_reports = Counter(
            "gateway_vapi_reports",
            "Ends of calls that Vapi carried, by who told of them and what came of it",
            ["source", "outcome"],
            registry=registry,
        )
        self.vapi_hangs = Counter(
            "gateway_vapi_hangs", "Times that Vapi noticed a delay in a call", registry=registry
        )
        self.vapi_ended = Counter(
            "gateway_vapi_ended", "Calls that Vapi carried, by why they ended", ["reason"], registry=registry
        )
        for group in _ALERTED_ENDS:
            self.vapi_ended.labels(group)
        self.vapi_reports.labels("asked", "lost")

    def _jobs(self, registry: CollectorRegistry) -> None:
        self.jobs = Histogram(
            "gateway_job_seconds",
            "Runs of background jobs, by how they ended",
            ["kind", "outcome"],
            buckets=_WORK_S,
            registry=registry,
        )
        self.sweeps_failed = Counter(
            "gateway_sweeps_failed", "Sweeps that did not come to their end", ["name"], registry=registry
        )
        self.retention_cleared = Counter(
            "gateway_retention_cleared", "Rows cleared because of their age", ["kind"], registry=registry
        )
        self.queue_interruptions = Counter(
            "gateway_queue_interruptions", "Times that the queue of jobs was lost", registry=registry
        )

    def _audit(self, registry: CollectorRegistry) -> None:
        self.audit_linked = Counter(
            "gateway_audit_linked", "Audit records that this process has linked", registry=registry
        )
        self.audit_lag = Histogram(
            "gateway_audit_lag_seconds",
            "From an audit record to its link in the chain",
            buckets=(0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 600.0),
            registry=registry,
        )
        self.audit_passes_failed = Counter(
            "gateway_audit_passes_failed", "Times that linking was broken off", registry=registry
        )

    def _served_to_vapi(self, registry: CollectorRegistry) -> None:
        self.vapi_served = Counter(
            "gateway_vapi_served",
            "Answers of the voice, model and transcriber that Vapi uses, by how they ended",
            ["service", "outcome"],
            registry=registry,
        )
        self.vapi_first = Histogram(
            "gateway_vapi_first_seconds",
            "From a request of Vapi's to the answer's first audio or token",
            ["service"],
            buckets=_STAGE_S,
            registry=registry,
        )

    def _status(self, registry: CollectorRegistry) -> None:
        """What `gateway.status.watch` finds in the database; where the worker's role is known."""
        self.status_asked = Gauge(
            "gateway_status_asked_timestamp_seconds",
            "When the figures below were asked for",
            registry=registry,
        )
        self.double_bookings = Gauge(
            "gateway_double_bookings", "Live holds and appointments that overlap another", registry=registry
        )
        self.follow_ups_overdue = Gauge(
            "gateway_follow_ups_overdue", "Follow-ups that nobody looks at in time", registry=registry
        )
        self.follow_ups_due = Gauge(
            "gateway_follow_ups_due", "Follow-ups that are to go out now", registry=registry
        )
        self.follow_ups_late = Gauge(
            "gateway_follow_ups_late",
            "Follow-ups of the last day that the carrier took later than promised, or has not yet",
            registry=registry,
        )
        self.tables_unprotected = Gauge(
            "gateway_tables_unprotected",
            "Tables on which row level security does not stand",
            registry=registry,
        )
        self.jobs_waiting = Gauge("gateway_jobs_waiting", "Jobs that wait for a worker", registry=registry)
        self.jobs_oldest = Gauge(
            "gateway_jobs_oldest_due_seconds", "How long the first of them has waited", registry=registry
        )
        self.jobs_failed = Gauge("gateway_jobs_failed", "Jobs that were given up", registry=registry)
        self.sweeps_overdue = Gauge(
            "gateway_sweeps_overdue", "Sweeps that have not run for too long", registry=registry
        )
        self.sweep_ran = Gauge(
            "gateway_sweep_last_run_timestamp_seconds",
            "When each sweep ran last, by whichever process",
            ["name"],
            registry=registry,
        )
        self.audit_chains_broken = Gauge(
            "gateway_audit_chains_broken", "Orgs of whose audit log a link is broken", registry=registry
        )
