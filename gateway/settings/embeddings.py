"""Where passages and questions get their meaning from."""

from dataclasses import dataclass, field

from booking.embeddings import MOST_DIMENSIONS
from gateway.settings.reader import Reader

MOST_BATCH = 500  # passages of a batch: of OpenAI's 300,000 tokens half, were each as long as may be


@dataclass(frozen=True, slots=True)
class Embeddings:
    """The endpoint that knows what passages and questions mean. What has another `space` counts for nothing.

    `dimensions` None: the model's own, and not asked for. `least_similarity`: the cosine from which on a
    passage has to do with a question; it depends on the model. `query_s`: one request for a caller's words,
    waited for within the knowledge deadline alone; `batch_s`: one for `batch` passages that are loaded.
    `rest_s`: after some that came too late or failed in a row, nothing is asked for so long.
    """

    url: str
    api_key: str = field(repr=False)
    model: str
    dimensions: int | None = None
    least_similarity: float = 0.3
    batch: int = 64
    query_s: float = 2.0
    batch_s: float = 30.0
    rest_s: float = 30.0
    keepalive_s: float = 300.0

    @property
    def space(self) -> str:
        """What makes vectors comparable: the model, and its dimensions if they were asked for."""
        return self.model if self.dimensions is None else f"{self.model}/{self.dimensions}"


def read_embeddings(reader: Reader) -> Embeddings | None:
    """None unless a model is named."""
    model = reader.text("EMBEDDINGS_MODEL", "")
    key = reader.text("EMBEDDINGS_API_KEY", "", secret=True)
    usual = Embeddings("", "", "")
    numbers = {
        name: getattr(usual, name)
        for name in ("least_similarity", "batch", "query_s", "batch_s", "rest_s", "keepalive_s")
    }
    size = f"be 1 to {MOST_DIMENSIONS}"
    chosen = Embeddings(
        url=reader.url("EMBEDDINGS_BASE_URL", "https://api.openai.com/v1", ("https", "http")),
        api_key=key,
        model=model,
        dimensions=reader.parsed("EMBEDDINGS_DIMENSIONS", "", _dimensions, size, None),
        **reader.numbers(numbers, "EMBEDDINGS_"),
    )
    if model and not key:
        reader.faults.append("EMBEDDINGS_API_KEY is missing (a server that asks for none takes any)")
    if chosen.least_similarity >= 1:
        reader.faults.append(f"EMBEDDINGS_LEAST_SIMILARITY must be below 1, not {chosen.least_similarity:g}")
    if chosen.batch > MOST_BATCH:
        reader.faults.append(f"EMBEDDINGS_BATCH must be {MOST_BATCH} at most, not {chosen.batch}")
    return chosen if model else None


def _dimensions(text: str) -> int | None:
    dimensions = int(text)
    if not 1 <= dimensions <= MOST_DIMENSIONS:
        raise ValueError(text)
    return dimensions
