"""The names of our options in other programs, to suggest the right one."""

from collections.abc import Collection

# Without leading dashes; dashes stand for underscores too. A name may mean several options, of different commands.
OTHER_NAMES = {
    "--output": "out out-dir output-dir out-file output-file save save-dir savefile checkpoint-dir model-dir name",
    "--minutes": "time max-time time-limit timeout hours seconds",
    "--epochs": "num-epochs n-epochs nepochs max-epochs epoch steps num-steps max-steps iterations iters max-iters",
    "--patience": "early-stopping early-stop early-stopping-patience",
    "--resume": "continue restart resume-from",
    "--from": "init-from start-from pretrained base-model checkpoint weights weights-path load finetune fine-tune",
    "--force": "overwrite replace yes",
    "--checkpoint-every": "save-every save-interval save-epochs checkpoint-interval checkpoint-seconds",
    "--validation": "val val-split validation-split val-frac val-size test-size test-split hold-out holdout",
    "--cell": "model rnn-type cell-type layer-type architecture",
    "--layers": "num-layers n-layers n-layer nlayers rnn-layers depth",
    "--units": "hidden hidden-units hidden-size hidden-dim rnn-size num-units n-units nhid lstm-units cells n-embd",
    "--dropout": "drop dropout-rate",
    "--embedding": "dim-embeddings embedding-dim embedding-size embed-dim emsize",
    "--window": "seq-length sequence-length seq-len block-size bptt maxlen max-length context-length",
    "--batch-size": "batch bs streams",
    "--learning-rate": "lr",
    "--encoding": "charset codec",
    "--glob": "pattern include ext extension",
    "--separator": "sep delim delimiter",
    "--markup": "html rtf",
    "--strip": "clean gutenberg aozora",
    "--unicode": "normalize normalise normalization normalisation nfc nfkc",
    "--lowercase": "lower lower-case ignore-case",
    "--min-count": "min-freq min-frequency",
    "--rng-seed": "seed random-seed random-state rng",
    "--quiet": "q silent no-progress",
    "--seed": "prime primetext prime-text prefix start start-text start-string input text",
    "--length": "n l max-length num-chars n-chars chars characters max-tokens max-new-tokens max-gen-length steps",
    "--temperature": "t temp diversity",
    "--argmax": "greedy deterministic",
    "--top-k": "k",
    "--top-p": "p nucleus nucleus-sampling",
    "--stop": "until end eos stop-string stop-sequence",
    "--count": "n num-samples n-samples samples num-texts num-return-sequences",
    "--unknown": "unk oov",
    "--context": "window seq-length sequence-length block-size context-length",
    "--baseline": "compare reference",
    "--all": "full everything whole",
}


def by_meaning(word: str, options: Collection[str]) -> list[str]:
    """The options of a command that an unknown one may mean."""
    name = word.split("=", maxsplit=1)[0].lstrip("-").replace("_", "-").lower()
    if f"--{name}" in options:  # with another number of dashes
        return [f"--{name}"]
    return [option for option, others in OTHER_NAMES.items() if option in options and name in others.split()]
