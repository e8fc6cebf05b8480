"""The one place that imports Numba.

`compiled` turns a function into machine code that runs without the GIL, in strict IEEE arithmetic (no reordering, no
fused multiply-add), so that every processor, thread count and vector width gives the same bits. `shared` lets
compiled code call the pure functions of `model` and `policy` without those layers knowing about Numba.

Compiled code is kept on disk in a folder named by a hash of every source that can reach the kernel: an edit in
another file can therefore never leave a stale kernel behind. What is read from there runs, so the folder must belong to
this user and nobody else may write to it, and each file ends with a digest of itself. What cannot be read is compiled
again, what cannot be written is not kept; a run goes on either way. The folders used last are kept, and older ones are
removed. MIRRORFIELD_JIT=0 runs everything as plain Python, for small things and for debuggers.
"""

import hashlib
import io
import logging
import math
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import numpy as np
import platformdirs

if os.environ.get("MIRRORFIELD_JIT") == "0":
    os.environ["NUMBA_DISABLE_JIT"] = "1"
import numba
from llvmlite import binding as llvm
from llvmlite import ir
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile
from numba.core.codegen import JITCodeLibrary, get_host_cpu_features
from numba.core.compiler import Compiler
from numba.core.registry import CPUDispatcher
from numba.extending import intrinsic, overload, register_jitable
from numba.np.arrayobj import make_array
from numba.np.unsafe.ndarray import to_fixed_tuple

from mirrorfield.version import PACKAGE, hash_sources

LINE = 64
KEPT_FOLDERS = 4
INTERPRETED = bool(numba.config.DISABLE_JIT)
REACHING = ("maths.py", "streams.py", "arrays.py", "model", "policy", "kernel", "world/embedding")

# Intel's processors with vectors of 512 bits that LLVM takes to prefer 256, and that do not slow down for them: from
# Ice Lake on. On such a Xeon a whole run took 4.7 ns a post with 512 bits and 6.8 with 256.
WIDE = ("icelake", "tigerlake", "rocketlake", "sapphirerapids", "emeraldrapids", "graniterapids")

INNER = "inner"
DIGEST = hashlib.sha256().digest_size

Function = TypeVar("Function", bound=Callable[..., Any])
logger = logging.getLogger(__name__)


def features_for(processor: str, features: str) -> str:
    """Return the features of a processor with which LLVM uses vectors of 512 bits wherever they pay.

    Parameters: LLVM's name of the processor, and its features, "+avx2,-avx512f,...". Source: measured,
    docs/performance.md.

    >>> features_for("sapphirerapids", "+avx2,+avx512f"), features_for("cascadelake", "+avx2,+avx512f")
    ('+avx2,+avx512f,-prefer-256-bit', '+avx2,+avx512f')
    """
    wide = processor.startswith(WIDE) and "+avx512f" in features.split(",")
    return features + ",-prefer-256-bit" if wide else features


def vector_bits(processor: str, features: str) -> int:
    """Return how many bits the widest vectors have that LLVM uses on a processor with these features.

    >>> vector_bits("znver5", "+avx,+avx512f"), vector_bits("cascadelake", "+avx,+avx512f"), vector_bits("apple-m1", "")
    (512, 256, 128)
    """
    known = features.split(",")
    if "+avx512f" in known and ("-prefer-256-bit" in known or processor.startswith("znver")):
        return 512
    return 256 if "+avx" in known else 128


# Somebody who says what to compile for, by NUMBA_CPU_NAME or NUMBA_CPU_FEATURES, is heard.
if numba.config.CPU_NAME is None and numba.config.CPU_FEATURES is None:
    numba.config.CPU_FEATURES = features_for(llvm.get_host_cpu_name(), get_host_cpu_features())


def target() -> str:
    """Return what code is compiled for, in words: the processor, and the width of its vectors."""
    processor, features = numba.config.CPU_NAME or llvm.get_host_cpu_name(), numba.config.CPU_FEATURES
    bits = vector_bits(processor, get_host_cpu_features() if features is None else features)
    return f"{processor} with vectors of {bits} bits"


def source_hash(package: Path = PACKAGE) -> str:
    """Return a hash of every source file that can change what the kernel computes."""
    return hash_sources(REACHING, package, numba.__version__.encode())


@cache
def cache_folder() -> Path | None:
    """Return the private, writable folder for compiled code, or None where there is none (then nothing is kept)."""
    root = os.environ.get("MIRRORFIELD_CACHE_DIR") or platformdirs.user_cache_dir("mirrorfield", appauthor=False)
    folder = Path(root) / f"kernel-{source_hash()}"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        private = is_private(folder)
        if private:
            os.utime(folder)
    except OSError:
        return None
    remove_old(folder.parent)
    if not private:
        tell(f"kernel cache: {folder} is not used: expected one of this user that nobody else can change; delete it")
    return folder if private and os.access(folder, os.W_OK) else None


def remove_old(root: Path) -> None:
    """Remove this user's folders of compiled code but for those used last; a process that uses one compiles again."""
    found = []
    for folder in root.glob("kernel-*"):
        with suppress(OSError):  # another process removes it
            if is_private(folder):
                found.append((folder.stat().st_mtime, folder))
    for _, folder in sorted(found)[:-KEPT_FOLDERS]:
        shutil.rmtree(folder, ignore_errors=True)


def is_private(folder: Path) -> bool:
    """Return whether a path is a real folder of this user that nobody else can write to or put another in place of."""
    if sys.platform == "win32":
        return folder.is_dir()
    own, around = folder.lstat(), folder.parent.stat().st_mode
    replaceable = around & stat.S_IWOTH and not around & stat.S_ISVTX
    return stat.S_ISDIR(own.st_mode) and own.st_uid == os.geteuid() and not own.st_mode & 0o022 and not replaceable


@cache
def tell(line: str) -> None:
    """Log a warning, once."""
    logger.warning(line)


KNOWN_FUNCTIONS: set[Callable[..., Any]] = set()


def shared(*functions: Callable[..., Any]) -> None:
    """Let compiled code call these plain Python functions."""
    for function in functions:
        if function not in KNOWN_FUNCTIONS:
            KNOWN_FUNCTIONS.add(function)
            register_jitable(function)


def aligned(count: int, dtype: Any) -> Any:
    """Return an uninitialised array of four-byte numbers that starts on a cache line, as the widest vectors want it."""
    space = np.empty(count + LINE // 4, dtype)
    skip = -(space.ctypes.data // 4) % (LINE // 4)
    return space[skip : skip + count]


shared(aligned)


def aligned_array(*shape: int, dtype: Any = np.float32) -> Any:
    """Return `aligned` numbers in a shape."""
    return aligned(math.prod(shape), dtype).reshape(shape)


class _Files(IndexDataCacheFile):  # type: ignore[misc]
    """Numba's files for one function: each ends with the SHA-256 of its name and bytes, and holds what it answers."""

    def save(self, key: Any, data: Any) -> None:
        super().save(key, (key, data))

    def load(self, key: Any) -> Any:
        kept_for, data = super().load(key) or (None, None)
        return data if kept_for == key else None

    def _load_index(self) -> Any:
        return super()._load_index() if is_whole(Path(self._index_path)) else {}

    def _load_data(self, name: str) -> Any:
        return super()._load_data(name) if is_whole(Path(self._data_path(name))) else None

    @contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[io.BytesIO]:
        content = io.BytesIO()
        yield content
        with super()._open_for_write(filepath) as stream:
            stream.write(content.getvalue() + _digest(Path(filepath), content.getvalue()))


def _digest(file: Path, content: bytes) -> bytes:
    return hashlib.sha256(file.name.encode() + b"\0" + content).digest()


def is_whole(file: Path) -> bool:
    """Return whether a file is there and ends with its digest; name one that does not."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return False
    whole = content[-DIGEST:] == _digest(file, content[:-DIGEST])
    if not whole:
        tell(f"kernel cache: {file} is damaged; its function is compiled again")
    return whole


class _Inner(JITCodeLibrary):  # type: ignore[misc]
    """Code that other compiled code takes in: optimised once, by itself, and never made executable alone."""

    codegen = SimpleNamespace(set_env=lambda *_: None)

    def finalize(self) -> None:
        self._raise_if_finalized()
        _optimise(self)
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        self._ensure_finalized()
        return 0

    def serialize_using_object_code(self) -> Any:
        whole = self._get_module_for_linking().clone()
        for part in _inner_of(self, {}):
            whole.link_in(part._get_module_for_linking(), preserve=True)
        return self.name, INNER, whole.as_bitcode()

    @classmethod
    def read(cls, codegen: Any, state: Any) -> Any:
        """Return the library that was kept, with all that it calls."""
        name, _, bitcode = state
        library = cls(codegen, name)
        library._final_module = llvm.parse_bitcode(bitcode)
        library._finalized = True
        return library


class _Outer(JITCodeLibrary):  # type: ignore[misc]
    """Code that Python calls, with all that it calls: each part is optimised already, and becomes machine code here."""

    def finalize(self) -> None:
        self._raise_if_finalized()
        _optimise(self)
        for part in _inner_of(self, {}):
            self._final_module.link_in(part._get_module_for_linking(), preserve=True)
        self._final_module.verify()
        self._finalize_final_module()


def _optimise(library: Any) -> None:
    """Optimise a library with the small functions that it calls, but without other parts of the kernel."""
    for part in dict.fromkeys(library._linking_libraries):
        getattr(library, "_reload_init", set()).update(getattr(part, "_reload_init", ()))  # not in Numba 0.61
        if not isinstance(part, _Inner):
            library._final_module.link_in(part._get_module_for_linking(), preserve=True)
    library._optimize_final_module()


def _inner_of(library: Any, found: dict[Any, None]) -> Iterable[Any]:
    """Return all parts of the kernel that a library calls, and that those call."""
    for part in library._linking_libraries:
        if isinstance(part, _Inner) and part not in found:
            found[part] = None
            _inner_of(part, found)
    return found


class _Place(CompileResultCacheImpl):  # type: ignore[misc]
    """Where code is kept: the folder of `numba.config.CACHE_DIR`, and never beside the sources."""

    _locator_classes = CompileResultCacheImpl._locator_classes[:1]

    def rebuild(self, target_context: Any, payload: Any) -> Any:
        codegen = target_context.codegen()
        if payload[0][1] == INNER:
            codegen.unserialize_library = lambda state: _Inner.read(codegen, state)
        try:
            return super().rebuild(target_context, payload)
        finally:
            vars(codegen).pop("unserialize_library", None)


class _Kept(FunctionCache):  # type: ignore[misc]
    """Numba's cache of one function, whose failures cost a compilation and not the run."""

    _impl_class = _Place

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        place = self._impl
        self._cache_file = _Files(self.cache_path, place.filename_base, place.locator.get_source_stamp())

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception as error:
            tell(f"kernel cache: code in {self.cache_path} cannot be read ({_reason(error)}); it is compiled again")
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except Exception as error:
            tell(f"kernel cache: cannot write to {self.cache_path} ({_reason(error)}); compiled code is not kept")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"


class _InnerCompiler(Compiler):  # type: ignore[misc]
    """Numba's compiler, into a library of ours."""

    kind: Any = _Inner

    def compile_extra(self, function: Any) -> Any:
        self.state.library = self.kind(self.state.targetctx.codegen(), function.__qualname__)
        self.state.library.enable_object_caching()
        return super().compile_extra(function)


class _OuterCompiler(_InnerCompiler):
    kind = _Outer


def _jit(compiler: Any) -> Any:
    return numba.njit(nogil=True, error_model="numpy", pipeline_class=compiler)


def entry(function: Function) -> Function:
    """Compile a function that Python calls on first use, and keep the machine code for the next process."""
    return _kept(_jit(_OuterCompiler)(function), function)


def compiled(function: Function) -> Function:
    """Compile a function that compiled code alone calls, and keep it: without what takes arguments from Python.

    Taking a table of eighty places apart is as long as many a function; all of it was a quarter of compiling.
    """
    return _kept(_inside(_jit(_InnerCompiler)(function)), function)


LANEWISE: list[Any] = []


def lanewise(function: Function) -> Function:
    """Compile a function of rows, of which it writes to none that another of its arguments reaches too.

    LLVM need not check that before it vectorises a loop over lanes; the checks would cost up to a third of its time.
    """
    dispatcher = apart(function)
    if not INTERPRETED:
        LANEWISE.append(dispatcher)
    return _kept(dispatcher, function)


def apart(function: Function) -> Any:
    """Compile a function of rows as `lanewise` does, for this process only."""
    return _inside(_jit(_InnerCompiler)(function), noalias=True)


class _Inside(CPUDispatcher):  # type: ignore[misc]
    """A function that Python must not call: there is nothing to jump to."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        raise TypeError(f"{self.__name__} is for compiled code alone; compile an `entry` that calls it")


def _inside(dispatcher: Any, **more: bool) -> Any:
    """Return a dispatcher whose code has no entry for Python or C."""

    def customised(flags: Any) -> Any:
        for name, value in {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, **more}.items():
            setattr(flags, name, value)
        return flags

    if not INTERPRETED:
        dispatcher._compiler._customize_flags = customised
        dispatcher.__class__ = _Inside
    return dispatcher


def _kept(dispatcher: Any, function: Function) -> Function:
    folder = cache_folder()
    previous = numba.config.CACHE_DIR
    try:
        if folder:
            numba.config.CACHE_DIR = str(folder)
            dispatcher._cache = _Kept(function)
    except (OSError, RuntimeError) as error:
        tell(f"kernel cache: nothing can be kept in {folder} ({_reason(error)})")
    finally:
        numba.config.CACHE_DIR = previous
    return dispatcher  # type: ignore[no-any-return]


def inlined(function: Function) -> Function:
    """Let compiled code take in the body of a function that is called from few places.

    A call hands over each number of each table that it is given, hundreds of them: where that happens at every post, a
    run took up to 1.5 times as long.
    """
    dispatcher: Function = numba.njit(inline="always", nogil=True, error_model="numpy")(function)
    return dispatcher


def select(condition: Any, yes: Any, no: Any) -> Any:
    """Return one of two numbers that are there already, without a branch."""
    return yes if condition else no


@intrinsic  # type: ignore[untyped-decorator]
def _select(typing: Any, condition: Any, yes: Any, no: Any) -> Any:
    kind = typing.unify_types(yes, no)
    return kind(numba.types.boolean, kind, kind), lambda context, builder, signature, given: builder.select(*given)


overload(select)(lambda condition, yes, no: lambda condition, yes, no: _select(condition, yes, no))


def larger(x: Any, y: Any) -> Any:
    """Return the larger of two float32, in one operation of a vector.

    Of `row[j] = x if x > row[j] else row[j]` LLVM makes a store to some lanes alone, which took half the time of a
    softmax on Zen 3. Where a number is not finite, the result is not defined; `sound.first_unsound` finds such people.
    """
    return x if x > y else y


@intrinsic  # type: ignore[untyped-decorator]
def _larger(typing: Any, x: Any, y: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = given[0].type
        function = builder.module.declare_intrinsic("llvm.maxnum", [kind], ir.FunctionType(kind, [kind, kind]))
        return builder.call(function, given, fastmath=("nnan",))

    return x(x, x), generate


overload(larger)(lambda x, y: lambda x, y: _larger(x, y))


array_at, fixed, CompileError = numba.carray, to_fixed_tuple, numba.core.errors.NumbaError
POINTERS = tuple(map(numba.types.CPointer, (numba.types.float32, numba.types.int64, numba.types.float32)))


def at_address(function: Callable[..., Any]) -> Any:
    """Compile a function of three pointers, to float32, int64 and float32, for this process; its `address` is an int.

    So compiled code can call what was not there when it was compiled: see `call_at`.
    """
    return numba.cfunc(numba.types.void(*POINTERS), error_model="numpy")(function)


@intrinsic  # type: ignore[untyped-decorator]
def call_at(typing: Any, address: Any, rows: Any, places: Any, numbers: Any) -> Any:
    """Call what `at_address` compiled, with the data of three arrays of those types."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        arrays = zip(signature.args[1:], given[1:], strict=True)
        data = [make_array(kind)(context, builder, value).data for kind, value in arrays]
        function = ir.FunctionType(ir.VoidType(), [each.type for each in data])
        builder.call(builder.inttoptr(given[0], function.as_pointer()), data)
        return context.get_dummy_value()

    return numba.types.void(numba.types.int64, rows, places, numbers), generate
