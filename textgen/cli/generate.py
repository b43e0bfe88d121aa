"""`textgen generate`: generate text from a model."""

import secrets
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textgen.cli.options import (
    Encoding,
    Text,
    as_options,
    field_option,
    is_given,
    number_option,
    refuse_both,
    rng_seed_option,
)
from textgen.cli.terminal import tell
from textgen.cli.writing import UTF_8, collecting, counting, opened, print_json, print_texts, tell_ends, with_bar
from textgen.config import COUNT, LENGTH, LOGPROBS, NO_COPY, NO_REPEAT, SamplingConfig

if TYPE_CHECKING:
    from textgen.description import Description
    from textgen.evaluation.novelty import OfModel

MOST_SEED = 2**24  # bytes of standard input; beyond a few thousand characters a longer seed phrase changes nothing


class Sections(click.Command):
    """A command whose help lists its options in sections."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each section's options under its heading."""
        section_of = {name: heading for heading, names in SECTIONS.items() for name in names}
        for heading in SECTIONS:
            options = [
                option
                for option in self.get_params(ctx)
                if isinstance(option, click.Option) and section_of.get(option.name or "", "Output") == heading
            ]
            with formatter.section(heading):
                formatter.write_dl([record for option in options if (record := option.get_help_record(ctx))])


SECTIONS = {
    "Text": ("seed", "unknown", "length", "end", "stop", "count"),
    "Sampling": ("temperature", "argmax", "top_k", "top_p", "min_p", "rng_seed"),
    "Constraints": ("only", "without", "ban", "no_repeat", "no_copy", "against", "match"),
    "Output": ("novelty", "as_json", "logprobs", "output", "encoding", "help"),
}


@click.command("generate", cls=Sections, short_help="Generate text from a trained model.")
@click.argument("model", required=False, type=click.Path())
@click.option(
    "--seed",
    "--prompt",
    type=Text(),
    default="",
    metavar="TEXT",
    help="Seed phrase that the text continues. Use - to read it from standard input.",
)
@click.option(
    "--unknown",
    type=click.Choice(["error", "skip", "nearest"]),
    default="error",
    show_default=True,
    help="If a character of the seed phrase is not in the vocabulary: stop with an error, skip it, or replace it "
    "with a similar one that is, such as ' for ’.",
)
@number_option("--length", allowed=LENGTH, summary="Number of characters to generate.", default=500)
@click.option(
    "--end",
    type=click.Choice(["line", "sentence", "paragraph"]),
    help="After --length characters, continue to the end of the line, sentence or paragraph, for at most 500 more.",
)
@click.option(
    "--stop",
    type=Text(),
    multiple=True,
    metavar="TEXT",
    help="Stop string: the text ends before it. Repeat the option for several.",
)
@number_option("--count", allowed=COUNT, summary="Number of texts to generate from the same seed phrase.", default=1)
@field_option(
    "--temperature",
    config=SamplingConfig,
    summary="Sampling temperature: lower is more predictable, higher more varied; 0 means --argmax.",
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
@rng_seed_option("Random seed. The same seed gives the same text again.")
@click.option("--only", type=Text(), metavar="CHARS", help="Alphabet: use these characters only.")
@click.option("--without", type=Text(), metavar="CHARS", help="Never use these characters (a lipogram).")
@click.option(
    "--ban", type=Text(), multiple=True, metavar="TEXT", help="Never generate this text. Repeat the option for several."
)
@number_option(
    "--no-repeat",
    allowed=NO_REPEAT,
    summary="Never repeat a sequence of this many characters; prevents loops. The seed phrase counts too.",
)
@number_option(
    "--no-copy", allowed=NO_COPY, summary="Never copy a sequence of this many characters from the training text."
)
@click.option(
    "--against",
    type=click.Path(),
    multiple=True,
    metavar="TEXT",
    help="File, folder, archive or name from textgen corpora list that --no-copy and --novelty use instead of the "
    "training text. Repeat the option for several.",
)
@click.option(
    "--match",
    type=Text(),
    metavar="REGEX",
    help="Generate text that matches this regular expression as a whole, within --length characters. The seed phrase "
    "is not part of the match.",
)
@click.option(
    "--novelty",
    is_flag=True,
    help="After the text, tell how much of it is copied from the training text, as textgen novelty does.",
)
@click.option("--json", "as_json", is_flag=True, help="Print each text as a JSON object on a line of its own.")
@number_option(
    "--logprobs",
    allowed=LOGPROBS,
    summary="With --json: add the log-probability of each character and of this many top candidates.",
)
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
    novelty: bool,
    as_json: bool,
    output: str | None,
    encoding: str | None,
    **options: Any,
) -> None:
    """Generate text from MODEL, a run folder or a .keras file. Without MODEL, a bundled model of Shakespeare is used.

    The seed phrase is printed first, then the generated text. With --count, the first text is shown while it is being
    generated, then the others. Constraints are applied first, then temperature, top-k, top-p, min-p.
    """
    refuse_both(("--temperature", is_given("temperature")), ("--argmax", argmax))
    if encoding is not None and output is None and seed != "-":
        raise click.UsageError("--encoding needs a file (-o) or a seed phrase on standard input (--seed -).")
    _check(options, novelty=novelty, as_json=as_json)
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
    against = _read(options["against"], generator.description)
    options["against"] = against if options["no_copy"] is not None else []
    try:
        compared = _compared(generator.description, against) if novelty else None
        texts: Iterator[Any] = (generator.texts if as_json else generator.write)(
            seed, temperature=temperature, **options
        )
    except ValueError as error:
        raise click.UsageError(f"{as_options(str(error))}.") from error
    if model is None or (drawn and not as_json):
        tell(f"model {path}, --rng-seed {options['rng_seed']}{_yours() if model is None else ''}")
    ended: Counter[str] = Counter()
    written: list[str] = []
    with opened(output, encoding or UTF_8) as stream:
        if output is not None and options["count"] > 1:
            texts = with_bar(texts, options["count"])
        if compared is not None:
            texts = collecting(texts, written)
        texts = counting(texts, ended)
        if as_json:
            print_json(texts, stream, None if compared is None else compared.values)
        else:
            print_texts(texts, stream)
    if compared is not None:
        tell(f"novelty: {compared.verdict(written)}")
    tell_ends(ended, matching=options["match"] is not None)


def _read(paths: Sequence[str], description: "Description") -> list[Any]:
    """The texts of --against, files or of the catalog, normalised as the model's was; what is to be said of them is."""
    if not paths:
        return []
    from textgen.cli.download import located
    from textgen.generation.copying import read_text, reading_of

    reading = reading_of(description)
    texts = [read_text(path, reading) for path in located(paths)]
    for text in texts:
        for note in text.notes:
            tell(as_options(note))
    return texts


def _check(options: Mapping[str, Any], *, novelty: bool, as_json: bool) -> None:
    """Fail with a usage error if an option has nothing to do."""
    for name in ("stop", "ban"):
        if "" in options[name]:
            raise click.UsageError(f"--{name} needs at least one character.")
    if options["against"] and options["no_copy"] is None and not novelty:
        raise click.UsageError("--against needs --no-copy or --novelty.")
    if options["logprobs"] is not None and not as_json:
        raise click.UsageError("--logprobs needs --json.")


def _compared(description: "Description", against: Sequence[Any]) -> "OfModel":
    """What tells how new the texts are."""
    from textgen.evaluation.novelty import OfModel
    from textgen.generation.copying import others

    return OfModel(description, others(against, description))


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


def _yours() -> str:
    """A hint that names the user's own models, if there are any."""
    runs = sorted(str(path.parent) for path in Path("models").glob("*/model.keras"))
    return f" (your own models: {', '.join(runs)})" if runs else ""
