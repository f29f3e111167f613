"""What Vapi uses in place of a voice, a model and a transcriber of its own."""

from gateway.routes import vapi_llm, vapi_transcriber, vapi_voice

ROUTES = [*vapi_voice.ROUTES, *vapi_llm.ROUTES, *vapi_transcriber.ROUTES]
