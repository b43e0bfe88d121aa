"""`textgen generate`: generate text from a model."""

import io
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import click

from textgen.cli.options import Encoding, Text, field_option, is_given, number_option, refuse_both, rng_seed_option
from textgen.cli.terminal import bar, for_stream, standard_output, tell
from textgen.config import COUNT, LENGTH, SamplingConfig

FLUSH_SECONDS = 0.02  # too short for a reader to notice
BETWEEN = "---"
UTF_8 = "utf-8"
MOST_SEED = 2**24  # bytes of standard input; beyond a few thousand characters a longer seed phrase changes nothing


@click.command("generate", short_help="Generate text from a trained model.")
@click.argument("model", required=False, type=click.Path())
@click.option(
    "--seed",
    "--prompt",
    type=Text(),
    default="",
    metavar="TEXT",
    help="Seed phrase that the text continues. Use - to read it from standard input.",
)
@number_option("--length", allowed=LENGTH, summary="Number of characters to generate.", default=500)
@field_option(
    "--temperature",
    config=SamplingConfig,
    summary="Sampling temperature: lower is more predictable, higher more varied; 0 is --argmax.",
)
@click.option("--argmax", is_flag=True, help="Greedy decoding: always take the most probable character.")
@field_option("--top-k", config=SamplingConfig, summary="Sample from the k most probable characters only.")
@field_option(
    "--top-p",
    config=SamplingConfig,
    summary="Nucleus sampling: sample from the most probable characters that together reach this probability.",
)
@field_option(
    "--min-p",
    config=SamplingConfig,
    summary="Drop characters that are less probable than this fraction of the most probable one.",
)
@click.option(
    "--stop",
    type=Text(),
    multiple=True,
    metavar="TEXT",
    help="Stop string: the text ends before it. Repeat the option for several.",
)
@number_option("--count", allowed=COUNT, summary="Number of texts to generate from the same seed phrase.", default=1)
@rng_seed_option("Random seed. The same seed gives the same text again.")
@click.option(
    "--unknown",
    type=click.Choice(["error", "skip", "nearest"]),
    default="error",
    show_default=True,
    help="If a character of the seed phrase is not in the vocabulary: stop with an error, skip it, or replace it "
    "with the nearest one that is, such as ' for ’.",
)
@click.option("--json", "as_json", is_flag=True, help="Print each text as a JSON object on a line of its own.")
@click.option("-o", "--output", type=click.Path(), metavar="FILE", help="Write to a file instead of standard output.")
@click.option(
    "--encoding",
    type=Encoding(),
    metavar="NAME",
    help="Encoding of the -o file (default: UTF-8), and of a seed phrase on standard input that is not UTF-8 (default: "
    "detected).",
)
def command(
    model: str | None,
    seed: str,
    argmax: bool,
    temperature: float,
    as_json: bool,
    output: str | None,
    encoding: str | None,
    **options: Any,
) -> None:
    """Generate text from MODEL, a run folder or a .keras file. Without MODEL, a bundled model of Shakespeare is used.

    The seed phrase is printed first, then the generated text. With --count, the first text appears while it is being
    generated and the others follow at the end. The filters are applied in the order temperature, top-k, top-p, min-p.
    """
    refuse_both(("--temperature", is_given("temperature")), ("--argmax", argmax))
    if "" in options["stop"]:
        raise click.UsageError("--stop needs at least one character.")
    if encoding is not None and output is None and seed != "-":
        raise click.UsageError("--encoding needs a file (-o) or a seed phrase on standard input (--seed -).")
    from textgen.generation.generator import load
    from textgen.model_file import shipped

    temperature = 0.0 if argmax else temperature
    if seed == "-":
        seed = _standard_input(encoding)
    path = shipped() if model is None else model
    generator = load(path)
    drawn = options["rng_seed"] is None
    if drawn:
        options["rng_seed"] = secrets.randbits(32)
    texts = (generator.texts if as_json else generator.write)(seed, temperature=temperature, **options)
    if model is None or (drawn and not as_json):
        tell(f"model {path}, --rng-seed {options['rng_seed']}{_yours() if model is None else ''}")
    with _opened(output, encoding or UTF_8) as stream:
        if output is not None and options["count"] > 1:
            texts = _with_bar(texts, options["count"])
        (_print_json if as_json else _print_texts)(texts, stream)


def _with_bar(texts: Iterator[Any], count: int) -> Iterator[Any]:
    """Show how many texts are done: of `Generator.texts`, or of `Generator.write` with its pieces."""
    with bar(total=count, unit="text", desc="texts") as shown:
        for item in texts:
            yield item
            if not isinstance(item, tuple) or item[0].stopped_by is not None:
                shown.update()


def _print_texts(pieces: Iterator[Any], stream: TextIO) -> None:
    """Print the first text as it is written, then the others."""
    flushed, before = 0.0, None
    for text, piece in pieces:
        if text is not before:
            stream.write(for_stream(text.seed.text if before is None else f"\n{BETWEEN}\n{text.seed.text}", stream))
            before = text
        stream.write(for_stream(piece, stream))
        if time.monotonic() - flushed > FLUSH_SECONDS:
            stream.flush()
            flushed = time.monotonic()
    stream.write("\n")
    stream.flush()


def _print_json(texts: Iterator[Any], stream: TextIO) -> None:
    ascii_only = stream.isatty() or stream.encoding != UTF_8
    for text in texts:
        line = {name: getattr(text, name) for name in ("seed", "text", "rng_seed", "stopped_by")}
        stream.write(json.dumps(line, ensure_ascii=ascii_only) + "\n")
    stream.flush()


def _standard_input(encoding: str | None) -> str:
    """The seed phrase from standard input, without the newline that echo adds."""
    from textgen.corpus.reading import decoded
    from textgen.errors import SeedError, reason

    name = "the seed phrase on standard input"
    try:
        content = sys.stdin.buffer.read(MOST_SEED + 1)
    except OSError as error:
        raise SeedError(f"{name}: cannot be read ({reason(error)}); pipe a text in") from error
    if len(content) > MOST_SEED:
        raise SeedError(f"{name}: is larger than {MOST_SEED:,} bytes; pipe in only the end of it")
    seed, told = decoded(name, content, encoding)
    if told:
        tell(told)
    return seed.removesuffix("\n")


@contextmanager
def _opened(output: str | None, encoding: str) -> Iterator[TextIO]:
    """Standard output, in UTF-8 whatever the locale; or a file that appears whole or not at all."""
    if output is None:
        with standard_output() as binary:
            text = io.TextIOWrapper(binary, UTF_8, "backslashreplace", newline="", write_through=True)
            try:
                yield text
            finally:
                text.detach()
        return
    from textgen.atomic_file import replacing
    from textgen.corpus.characters import named
    from textgen.errors import RunError, reason

    path = Path(output)
    try:
        if path.exists() and not path.is_file():  # a device or a pipe cannot be replaced; a folder is refused here
            with path.open("w", encoding=encoding, newline="") as stream:
                yield stream
            return
        target = Path(os.path.realpath(path))  # a link stays, and what it leads to is written
        with (
            replacing(target, keep_links=True) as temporary,
            temporary.open("w", encoding=encoding, newline="") as stream,
        ):
            yield stream
    except OSError as error:
        raise RunError(f"{output}: cannot be written ({reason(error)}); name another file with -o") from error
    except UnicodeEncodeError as error:
        raise RunError(
            f"{output}: cannot be written, because {encoding} has no {named(error.object[error.start])}; "
            "leave out --encoding to write UTF-8"
        ) from error


def _yours() -> str:
    """A hint that names the user's own models, if there are any."""
    runs = sorted(str(path.parent) for path in Path("models").glob("*/model.keras"))
    return f" (your own models: {', '.join(runs)})" if runs else ""
