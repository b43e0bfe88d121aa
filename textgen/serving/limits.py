"""How much one request, and all together, may take."""

from dataclasses import dataclass

from textgen.arguments import Checked, Range, number

STREAMS = Range(int, 1, 4096)
QUEUE = Range(int, 0, 100_000)
CHARACTERS = Range(int, 1, 10_000_000)
SECONDS = Range(float, 0, 1_000_000, above_low=True)
MEGABYTES = Range(int, 1, 100_000)
GRACE = Range(float, 0, 3600)

TEXTS = 128  # of one request, over all its prompts: as many as OpenAI's `n` allows
STOPS = 64  # strings to stop at,
BANNED = 1000  # strings never to write,
LONGEST = 1000  # and characters of each of them
LONGEST_MATCH = 1000  # characters of a regular expression,
MOST_STATES = 2000  # and its states: for each new beginning of a text, the engine unites what follows them
MOST_LOGPROBS = 50  # characters told with each character; OpenAI's limit is 5
MOST_TOLD = 1_000_000  # log-probabilities of a request: some 25 megabytes of JSON
BUFFER = 2**16  # characters that wait for a reader before it is cut off
STALLED = 30.0  # seconds that a write may wait for a reader
FRAME = 0.03  # seconds between the writes of a stream
PAUSE = 15.0  # seconds without a character after which a stream shows that it is alive


@dataclass(frozen=True)
class Limits(Checked):
    """The limits that whoever runs the server sets."""

    streams: int = number(STREAMS, 64)  # texts written at once
    queue: int = number(QUEUE, 256)  # texts that wait for a place
    max_tokens: int = number(CHARACTERS, 100_000)  # characters of a text
    max_prompt: int = number(CHARACTERS, 200_000)  # characters of all prompts of a request
    timeout: float = number(SECONDS, 600)  # seconds for a request, waiting included
    max_upload: int = number(MEGABYTES, 100)  # megabytes of a text to train on
    grace: float = number(GRACE, 10)  # seconds for texts to be finished when the server is to stop

    @property
    def body(self) -> int:
        """Bytes of a request: each character of the prompts may be written as two escapes of six bytes."""
        return 12 * self.max_prompt + 2**18
