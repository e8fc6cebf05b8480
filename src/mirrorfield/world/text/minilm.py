"""The sentence encoder MiniLM: six transformer layers over word pieces, their mean, brought to unit length.

All in float64, one text at a time: a text's vector depends on no other text, and what a BLAS rounds differently
vanishes when the vector is stored in float32.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, softmax

from mirrorfield.arrays import F32Array

F64Array = NDArray[np.float64]
LAYERS, HEADS, WIDTH, LONGEST = 6, 12, 384, 256
NORM_EPS = 1e-12


@dataclass(frozen=True)
class Dense:
    """An affine map and its shift; weight of shape (in, out), bias (out,)."""

    weight: F64Array
    bias: F64Array

    def __call__(self, x: F64Array) -> F64Array:
        """Return x W + b of shape (n, out) for x of shape (n, in)."""
        return np.asarray(x @ self.weight + self.bias)


@dataclass(frozen=True)
class Norm:
    """The gain and shift of a layer normalisation, each (384,)."""

    gain: F64Array
    shift: F64Array


@dataclass(frozen=True)
class Layer:
    """The weights of one transformer layer."""

    query: Dense
    key: Dense
    value: Dense
    mix: Dense
    mix_norm: Norm
    widen: Dense
    narrow: Dense
    norm: Norm


@dataclass(frozen=True)
class Encoder:
    """Word pieces to a vector: the tables of the input, the layers, and a tokenizer without padding."""

    word: F32Array
    place: F64Array
    norm: Norm
    layers: tuple[Layer, ...]
    tokenizer: Any

    def pieces(self, text: str) -> list[int]:
        """Return the ids of a text's word pieces, at most 256 with the two that mark beginning and end."""
        return list(self.tokenizer.encode(text).ids)

    def is_cut(self, text: str) -> bool:
        """Tell whether a text has more word pieces than are read."""
        return bool(self.tokenizer.encode(text).overflowing)

    def embed(self, text: str) -> F32Array:
        """Return the vector of a text, float32 (384,), of unit length; the same for the same text, always."""
        ids = self.pieces(text)
        x = layer_norm(self.word[ids] + self.place[: len(ids)], self.norm)
        for layer in self.layers:
            x = transform(x, layer)
        return unit(mean_pool(x)).astype(np.float32)


def layer_norm(x: F64Array, norm: Norm) -> F64Array:
    """Return every row with mean 0 and variance 1, then scaled and shifted.

    Formula: g (x - mean) / sqrt(var + 1e-12) + b, mean and variance over the row.

    Parameters: x, (n, d); norm, gain and shift (d,). Returns float64 (n, d). Source: Ba, Kiros & Hinton (2016), "Layer
    normalization", https://arxiv.org/abs/1607.06450.

    >>> layer_norm(np.array([[1.0, 3.0]]), Norm(np.ones(2), np.zeros(2))).round(6).tolist()
    [[-1.0, 1.0]]
    """
    mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    return np.asarray(norm.gain * (x - mean) / np.sqrt(variance + NORM_EPS) + norm.shift)


def gelu(x: F64Array) -> F64Array:
    """Return the Gaussian error linear unit of every entry.

    Formula: x Phi(x), Phi the standard normal distribution function.

    Parameters: x, any shape. Returns float64 of that shape. Source: Hendrycks & Gimpel (2016), "Gaussian error linear
    units", section 2, https://arxiv.org/abs/1606.08415.

    >>> gelu(np.array([0.0, 1.0])).round(6).tolist()
    [0.0, 0.841345]
    """
    return np.asarray(0.5 * x * (1.0 + erf(x / np.sqrt(2.0))))


def attention(query: F64Array, key: F64Array, value: F64Array) -> F64Array:
    """Return for every row of the query the mean of the values, weighted by how well their keys fit it.

    Formula: softmax(Q K' / sqrt(d)) V, for every head apart.

    Parameters: query, key, value, (heads, n, d). Returns float64 (heads, n, d). Source: Vaswani et al. (2017),
    "Attention is all you need", eq. 1, https://arxiv.org/abs/1706.03762.

    >>> attention(np.zeros((1, 1, 2)), np.ones((1, 2, 2)), np.array([[[0.0, 2.0], [4.0, 2.0]]])).tolist()
    [[[2.0, 2.0]]]
    """
    fit = query @ key.transpose(0, 2, 1) / np.sqrt(query.shape[-1])
    return np.asarray(softmax(fit, axis=-1) @ value)


def split_heads(x: F64Array) -> F64Array:
    """Return (n, 384) as (12, n, 32).

    >>> split_heads(np.zeros((5, 384))).shape
    (12, 5, 32)
    """
    return x.reshape(len(x), HEADS, -1).transpose(1, 0, 2)


def transform(x: F64Array, layer: Layer) -> F64Array:
    """Return the word pieces after one layer: attention and a network for each piece, each added and normalised.

    Formula: y = norm(x + mix(attention(x))), then norm(y + narrow(gelu(widen(y)))).

    Parameters: x, (n, 384); layer. Returns float64 (n, 384). Source: Devlin et al. (2019), "BERT",
    https://doi.org/10.18653/v1/N19-1423, section 3, with the layer of Vaswani et al. (2017), section 3.1.
    """
    heads = attention(*(split_heads(part(x)) for part in (layer.query, layer.key, layer.value)))
    y = layer_norm(x + layer.mix(heads.transpose(1, 0, 2).reshape(x.shape)), layer.mix_norm)
    return layer_norm(y + layer.narrow(gelu(layer.widen(y))), layer.norm)


def mean_pool(x: F64Array) -> F64Array:
    """Return the mean over word pieces, both marks included.

    Parameters: x, (n, d). Returns float64 (d,). Source: Reimers & Gurevych (2019), "Sentence-BERT", section 3,
    https://doi.org/10.18653/v1/D19-1410.

    >>> mean_pool(np.array([[0.0, 2.0], [2.0, 4.0]])).tolist()
    [1.0, 3.0]
    """
    return np.asarray(x.mean(axis=0))


def unit(x: F64Array) -> F64Array:
    """Return a vector divided by its length.

    >>> unit(np.array([3.0, 4.0])).tolist()
    [0.6, 0.8]
    """
    return np.asarray(x / np.sqrt(x @ x))


def build_encoder(tensors: Mapping[str, NDArray[Any]], tokenizer: Any) -> Encoder:
    """Return the encoder of a table of tensors by their names in the published file, and its tokenizer.

    Raises KeyError for a missing tensor. The type of a text's piece is 0 everywhere, so its row is added to the places.
    """

    def array(name: str) -> F64Array:
        return tensors[name].astype(np.float64)

    def dense(name: str) -> Dense:
        return Dense(np.ascontiguousarray(array(f"{name}.weight").T), array(f"{name}.bias"))

    def norm(name: str) -> Norm:
        return Norm(array(f"{name}.weight"), array(f"{name}.bias"))

    def layer(name: str) -> Layer:
        attended = f"{name}.attention"
        return Layer(
            query=dense(f"{attended}.self.query"),
            key=dense(f"{attended}.self.key"),
            value=dense(f"{attended}.self.value"),
            mix=dense(f"{attended}.output.dense"),
            mix_norm=norm(f"{attended}.output.LayerNorm"),
            widen=dense(f"{name}.intermediate.dense"),
            narrow=dense(f"{name}.output.dense"),
            norm=norm(f"{name}.output.LayerNorm"),
        )

    place = array("embeddings.position_embeddings.weight") + array("embeddings.token_type_embeddings.weight")[0]
    layers = tuple(layer(f"encoder.layer.{i}") for i in range(LAYERS))
    return Encoder(tensors["embeddings.word_embeddings.weight"], place, norm("embeddings.LayerNorm"), layers, tokenizer)
