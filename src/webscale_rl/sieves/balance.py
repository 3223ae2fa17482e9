"""How many examples of each kind stay: quotas, or shares, by domain, source, persona, answer type or difficulty.

    over_quota    its kind has enough
    unwanted      its kind is not named, and `others` is drop

Which of a kind stay is decided by a digest of seed and example id: a random choice that depends neither on the order of
the corpus nor on shards. With quotas by several columns an example stays if there is room in each of its kinds, in the
order of those digests: no more could be added without breaking a quota, though another choice might hold more.

Of weights, the scarcest kind decides how many stay, unless `total` does; kinds of which there is none are left out of
that, and told. What could not be filled stands in `told`, and so in summary.json and the dataset's card.

Not covered: shares by several columns at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from webscale_rl.errors import ConfigError
from webscale_rl.sieve import Examples, Rejected, SieveOptions
from webscale_rl.sieves.fingerprints import digest
from webscale_rl.target import Target

Column = Literal["domain", "source", "persona", "answer_type", "difficulty"]
OVER, UNWANTED = "over_quota", "unwanted"
EACH, UNKNOWN = "*", "unknown"
"""In place of a value: each value that is not named; an example that has none."""
_AT_ONCE = 1 << 16
_NO_LIMIT = 1 << 62
Quota = Annotated[int, Field(ge=0)]
Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class BalanceOptions(SieveOptions):
    """Options of the balance sieve."""

    quotas: dict[Column, dict[str, Quota]] = Field(
        default_factory=dict,
        description="most examples of each value, by column: `{domain: {Math: 500}}`; the value `*` stands for"
        " each that is not named, `unknown` for none, `0.1-0.9` for such difficulties",
    )
    weights: dict[Column, dict[str, Weight]] = Field(
        default_factory=dict,
        description="in place of quotas: shares of the values of one column, of any sum",
    )
    total: int | None = Field(
        None, ge=1, description="examples of all weights together; default: as many as the scarcest value allows"
    )
    others: Literal["keep", "drop"] = Field("keep", description="what becomes of values that are not named")
    seed: int = Field(0, description="seeds which examples stay")
    targeted: bool = Field(
        True,
        description="with quotas by domain, or weights of domains and a total: pay for no document of a domain that is"
        " full",
    )
    margin: float = Field(
        1.25, ge=1, le=1000, description="a domain is full at so many times its quota, for the sieves take some later"
    )


class Balance:
    """Keeps as many of each kind as it is told. About 50 bytes of memory an example, and 25 of disk."""

    name: ClassVar[str] = "balance"
    reasons: ClassVar[frozenset[str]] = frozenset({OVER, UNWANTED})
    Options: ClassVar[type[BalanceOptions]] = BalanceOptions

    def __init__(self, options: BalanceOptions, *, identity: Sequence[str] = ("id",), shown: str | None = None) -> None:
        """`identity` are the columns that tell examples apart, `shown` is what people call the column that is balanced.
        Raises ConfigError for what cannot be."""
        self.options = options
        self.told: dict[str, dict[str, dict[str, int]]] = {}
        self._identity = tuple(identity)
        self._shown = shown
        _require(options)
        named = options.quotas or options.weights
        self._kinds = [_Kinds(column, tuple(values)) for column, values in named.items()]

    @property
    def domains(self) -> list[str]:
        """The domains that it names."""
        named = {**self.options.quotas.get("domain", {}), **self.options.weights.get("domain", {})}
        return [domain for domain in named if domain not in (EACH, UNKNOWN)]

    @property
    def target(self) -> Target | None:
        """What a run can aim at while it pays; None if the quotas by domain are not known before the end."""
        quotas = dict(self.options.quotas.get("domain", {}))
        if self.options.total is not None and "domain" in self.options.weights:
            quotas = apportioned(self.options.weights["domain"], self.options.total)
        if not quotas or not self.options.targeted:
            return None
        each = quotas.pop(EACH, 0 if self.options.others == "drop" else None)
        return Target(quotas, each, self.options.margin)

    def judge(self, examples: Examples, scratch: Path) -> Iterator[Rejected]:
        """All examples that are too many of their kind, or of no kind that is named."""
        keys, codes = self._read(examples, scratch)
        found = [np.bincount(column, minlength=kinds.count) for kinds, column in zip(self._kinds, codes, strict=True)]
        quotas = [self._quotas(kinds, counts) for kinds, counts in zip(self._kinds, found, strict=True)]
        verdicts = _chosen(keys, codes, quotas)
        del keys
        stays = verdicts == 0
        self.told = {
            kinds.column: kinds.told(quota, counts, np.bincount(column[stays], minlength=len(counts)))
            for kinds, quota, counts, column in zip(self._kinds, quotas, found, codes, strict=True)
        }
        with (scratch / "rows.i64").open("rb") as file:
            for start in range(0, len(verdicts), _AT_ONCE):
                rows = np.fromfile(file, np.int64, _AT_ONCE)
                for at in np.flatnonzero(verdicts[start : start + _AT_ONCE]):
                    place = int(verdicts[start + at]) - 1
                    kinds, code = self._kinds[place], int(codes[place][start + at])
                    yield Rejected(int(rows[at]), *self._reason(kinds, code, quotas[place], found[place]))

    def _reason(
        self, kinds: _Kinds, code: int, quotas: npt.NDArray[np.int64], found: npt.NDArray[np.int64]
    ) -> tuple[str, str]:
        column = self._shown or kinds.column
        if code == 0:
            return UNWANTED, f"its {column} is none of those named"
        value = kinds.values[code - 1] if code <= len(kinds.values) else "each"
        return OVER, f"{column} {value}: {quotas[code]:,} of {found[code]:,} stay at most"

    def _read(self, examples: Examples, scratch: Path) -> tuple[npt.NDArray[np.uint64], list[npt.NDArray[np.int32]]]:
        """The digests that decide who stays, and for each column the number of each example's kind."""
        columns = tuple(dict.fromkeys((*(kinds.column for kinds in self._kinds), *self._identity)))
        names = [scratch / name for name in ("rows.i64", "keys.u64", *(f"{k.column}.kinds" for k in self._kinds))]
        with ExitStack() as opened:
            rows_file, keys_file, *kind_files = (opened.enter_context(path.open("wb")) for path in names)
            for rows, batch in examples.batches(columns):
                lists = {name: batch.column(at).to_pylist() for at, name in enumerate(columns)}
                identities = zip(*(lists[name] for name in self._identity), strict=True)
                keys = [digest("\0".join((str(self.options.seed), *map(str, identity)))) for identity in identities]
                rows_file.write(np.array(rows, np.int64).tobytes())
                keys_file.write(np.array(keys, np.uint64).tobytes())
                for kinds, file in zip(self._kinds, kind_files, strict=True):
                    file.write(kinds.numbers(lists[kinds.column]).tobytes())
        codes = [kinds.codes(np.fromfile(path, np.uint64)) for kinds, path in zip(self._kinds, names[2:], strict=True)]
        return np.fromfile(names[1], np.uint64), codes

    def _quotas(self, kinds: _Kinds, found: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """How many of each kind may stay, by its number."""
        rest = _NO_LIMIT if self.options.others == "keep" else 0
        quotas = np.full(len(found), rest, np.int64)
        if self.options.weights:
            weights = self.options.weights[kinds.column]
            there = {name: int(found[at]) for at, name in enumerate(kinds.values, 1)}
            named = shares(weights, there, self.options.total)
        else:
            named = self.options.quotas[kinds.column]
            quotas[len(kinds.values) + 1 :] = named.get(EACH, rest)
        quotas[1 : len(kinds.values) + 1] = [named[name] for name in kinds.values]
        return quotas


class _Kinds:
    """The values of a column as numbers: 0 is none of those named, then the named ones, then, if each of the others has
    a quota, those."""

    def __init__(self, column: Column, named: tuple[str, ...]) -> None:
        self.column = column
        self.values = tuple(value for value in named if value != EACH)
        self.count = len(self.values) + 1
        self._each = EACH in named
        self._bins = [_bin(value) for value in self.values] if column == "difficulty" else []
        self._numbers = {value: number for number, value in enumerate(self.values, 1)}

    def numbers(self, values: Sequence[Any]) -> npt.NDArray[np.uint64]:
        """What is written of each value while the examples are read: its number, or for one that is not named and has
        a quota of its own, a digest, which is larger than all numbers."""
        found = [self._number(value) for value in values]
        return np.array(found, np.uint64)

    def codes(self, numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
        """The same with digests as numbers."""
        unnamed = numbers >= np.uint64(self.count)
        if unnamed.any():
            distinct: Any = np.unique(numbers[unnamed], return_inverse=True)
            numbers[unnamed] = self.count + distinct[1]
        return numbers.astype(np.int32)

    def told(
        self, quotas: npt.NDArray[np.int64], found: npt.NDArray[np.int64], kept: npt.NDArray[np.int64]
    ) -> dict[str, dict[str, int]]:
        """For each value named, how many were wanted, how many were there and how many stay."""
        return {
            value: {"wanted": int(quotas[at]), "found": int(found[at]), "kept": int(kept[at])}
            for at, value in enumerate(self.values, 1)
        }

    def _number(self, value: Any) -> int:
        if self.column == "difficulty":
            return self._bin_of(value)
        text = UNKNOWN if value is None or value == "" else str(value)
        number = self._numbers.get(text)
        if number is not None:
            return number
        return digest(text) | 1 << 63 if self._each else 0

    def _bin_of(self, value: Any) -> int:
        """The first bin named that holds it."""
        try:
            known = None if value is None or value == "" else float(value)
        except ValueError:
            known = None
        for number, (low, high) in enumerate(self._bins, 1):
            if (low <= known <= high) if known is not None else low > high:
                return number
        return 0


def shares(weights: Mapping[str, float], found: Mapping[str, int], total: int | None) -> dict[str, int]:
    """How many of each value have these shares: `total` of them together, or as many as there can be."""
    if total is not None:
        return apportioned(weights, total)
    there = {name: Fraction(weights[name]) for name in weights if found[name]}
    most = min((found[name] / weight for name, weight in there.items()), default=Fraction(0))
    return {name: int(most * there.get(name, 0)) for name in weights}


def apportioned(weights: Mapping[str, float], total: int) -> dict[str, int]:
    """The total dealt out by weight, the last ones to the largest remainders (A. Hamilton's method)."""
    exact = {name: Fraction(weight) for name, weight in weights.items()}
    each = {name: weight * total / sum(exact.values()) for name, weight in exact.items()}
    whole = {name: int(share) for name, share in each.items()}
    short = total - sum(whole.values())
    for name in sorted(each, key=lambda name: (whole[name] - each[name], name))[:short]:
        whole[name] += 1
    return whole


def _chosen(
    keys: npt.NDArray[np.uint64], codes: Sequence[npt.NDArray[np.int32]], quotas: Sequence[npt.NDArray[np.int64]]
) -> npt.NDArray[np.uint8]:
    """0 for each example that stays, else the number of the column that has no room for it, counted from 1."""
    verdicts = np.zeros(len(keys), np.uint8)
    left = [quota.tolist() for quota in quotas]
    columns = range(len(codes))
    order = np.argsort(keys, kind="stable")
    for start in range(0, len(order), _AT_ONCE):
        part = order[start : start + _AT_ONCE]
        for at, kinds in zip(
            part.tolist(), zip(*(column[part].tolist() for column in codes), strict=True), strict=True
        ):
            full = next((place for place in columns if left[place][kinds[place]] <= 0), None)
            if full is not None:
                verdicts[at] = full + 1
                continue
            for place in columns:
                left[place][kinds[place]] -= 1
    return verdicts


def _bin(name: str) -> tuple[float, float]:
    """The ends of a bin, which both belong to it; those of `unknown` are the wrong way round. Raises ConfigError."""
    if name == UNKNOWN:
        return 1.0, 0.0
    low, dash, high = name.partition("-")
    try:
        ends = float(low), float(high if dash else low)
    except ValueError:
        ends = 1.0, 0.0
    if not 0 <= ends[0] <= ends[1] <= 1:
        raise ConfigError(f"sieving.balance: difficulty {name!r} is no bin; write '0.1-0.9', '0' or 'unknown'")
    return ends


def _require(options: BalanceOptions) -> None:
    """Raises ConfigError for options that do not go together."""
    for name, named in (("quotas", options.quotas), ("weights", options.weights)):
        for column, values in named.items():
            if not values:
                raise ConfigError(f"sieving.balance.{name}.{column}: names no value")
    if bool(options.quotas) == bool(options.weights):
        raise ConfigError("sieving.balance: give either quotas or weights")
    if len(options.weights) > 1:
        raise ConfigError("sieving.balance.weights: name one column; quotas can name several")
    if any(EACH in values for values in options.weights.values()):
        raise ConfigError("sieving.balance.weights: a weight is of a value that is named, not of '*'")
    if EACH in options.quotas.get("difficulty", {}):
        raise ConfigError("sieving.balance.quotas.difficulty: name bins; '*' is none")
    if options.total is not None and not options.weights:
        raise ConfigError("sieving.balance.total: goes with weights; quotas are numbers already")
