"""Settings of a factor run: how factors are computed, and how recommending uses them.

A setting is declared once, as a field of :class:`FactorSettings`: its type, default, limits, help, and the
values that ``tagdb tune`` tries. The options of ``tagdb factors compute`` and the search space follow from
it; a test compares the columns of ``factor_runs`` with it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

from tagdb.errors import FactorsError

SMALL_IMAGES, MEDIUM_IMAGES, FEW_SHARED = 250, 500, 10
WILD, TIDY = 0.3, 2 / 3
"""Shares of the interactions that are with hashtags on two images or more: hardly any, and most."""
FEW: Mapping[str, Any] = MappingProxyType(
    {
        "regularization": 0.1,
        "min_images": 1,
        "min_hashtags": 1,
        "refit_penalty": 0.0,
        "contrast": 0.0,
        "similarity_exponent": 2.0,
    }
)
"""Defaults with fewer shared hashtags than ``FEW_SHARED``, and a lower share of interactions than ``WILD``.

Little is known of any hashtag. So all are learned, from all images, and less similar ones count for more.
"""
SMALL_TIDY: Mapping[str, Any] = MappingProxyType({"regularization": 0.3, "min_images": 1, "contrast": 0.9})
"""Defaults with fewer images than ``SMALL_IMAGES``, and a share of ``TIDY`` or more or few shared hashtags.

A hashtag on one image is no noise there.
"""
SMALL: Mapping[str, Any] = MappingProxyType({"regularization": 1.0, "neighbours": 35, "contrast": 0.9})
"""Defaults with fewer images than ``SMALL_IMAGES``: the few that are really similar count for more."""
MEDIUM: Mapping[str, Any] = MappingProxyType({"neighbours": 35})
"""Defaults with fewer images than ``MEDIUM_IMAGES``, unless they are tidy."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Properties of a setting besides its name, type and default."""

    help: str
    """Text for ``--help``, where the default is added."""
    low: float = 0
    high: float = 0
    shown: str = ""
    """The default in words, if it is not only a number."""
    choices: tuple[str, ...] = ()
    """Choices for a string; a number has limits instead."""
    tried: tuple[float | str, ...] = ()
    """Values that ``tagdb tune`` tries, in order; empty if photos cannot tell which value is best."""
    whole_from: float = math.inf
    """From here on, only whole numbers are allowed."""

    def check(self, name: str, value: Any, kind: type) -> Any:
        """Return the value in its type; raise FactorsError if the setting cannot have it."""
        if self.choices:
            if value not in self.choices:
                *others, last = self.choices
                raise FactorsError(f"{name} must be {', '.join(others)} or {last}")
            return value
        if not self.low <= value <= self.high:
            raise FactorsError(f"{name} must be from {self.low:g} to {self.high:g}, not {value:g}")
        if (kind is int or value > self.whole_from) and value != int(value):
            raise FactorsError(f"{name} must be a whole number, not {value:g}")
        return kind(value)


def _number(
    default: Any, help: str, low: float, high: float, tried: tuple[float, ...] = (), shown: str = ""
) -> Any:
    return field(default=default, metadata={"setting": Setting(help, low, high, shown, tried=tried)})


def _text(default: str, help: str, choices: tuple[str, ...]) -> Any:
    return field(default=default, metadata={"setting": Setting(help, choices=choices, tried=choices)})


@dataclass(frozen=True, slots=True)
class FactorSettings:
    """Settings of a factor run. docs/evaluation.md says how the defaults were chosen."""

    factors: int = _number(
        128,
        "Numbers per vector",
        1,
        4000,
        (16, 32, 64, 128, 192, 256),
        "128, at most the number of images",
    )
    alpha: float = _number(1.0, "Confidence in a hashtag on a photo", 1e-6, 1e6, (0.5, 1, 2, 5, 10, 20, 40))
    regularization: float = _number(
        2.0,
        "Penalty against overfitting in ALS",
        0,
        1e6,
        (0.01, 0.1, 1, 2, 4, 10, 30),
        "2; 0.1 to 1 with few images or shared hashtags",
    )
    iterations: int = _number(15, "Rounds of ALS", 1, 1000, (5, 10, 15, 30))
    min_images: int = _number(
        2,
        "Leave out hashtags on fewer images",
        1,
        1_000_000,
        (1, 2, 3, 5),
        "2; 1 with few images or shared hashtags",
    )
    min_hashtags: int = _number(
        3,
        "Images with fewer hashtags are not used as neighbours; at most half of them are left out",
        1,
        1000,
        (1, 2, 3, 4, 5),
        "3, but at most half of what images carry on average",
    )
    weighting: str = _text("none", "Weighting of the interactions", ("none", "bm25", "tfidf"))
    accepted_weight: float = _number(
        2.0, "Multiplies the confidence in hashtags accepted by feedback", 1e-3, 1000
    )
    ridge: float = _number(
        0.5, "Share of an image's factors predicted from its embedding", 0, 1, (0, 0.25, 0.5, 0.75, 1)
    )
    ridge_penalty: float = _number(1.0, "Penalty in that prediction", 1e-6, 1e9, (0.1, 0.3, 1, 3, 10))
    # in units of the mean squared length of the averages
    refit_penalty: float = _number(
        8.0,
        "Penalty in refitting hashtag factors to averages of neighbours; 0: no refit",
        0,
        1e9,
        (0, 2, 4, 8, 16, 32),
        "8; 0 with few shared hashtags",
    )
    seed: int = _number(42, "The same data and seed give the same factors", 0, 2**32 - 1)
    # 0 is as good as 1, unless that is more than fits into memory: see tagdb/factors.py
    sample: float = field(
        default=0.0,
        metadata={
            "setting": Setting(
                "Learn from so many images, or from this share of them, and from sums over the others",
                0,
                1e12,
                "all, if that fits into memory",
                whole_from=1,
            )
        },
    )
    neighbours: int = _number(
        50,
        "Nearest images averaged per recommendation",
        1,
        10_000,
        (5, 10, 20, 35, 50, 80, 120, 200),
        "50; 35 with few images",
    )
    # in units of e per standard deviation of the similarities of images
    contrast: float = _number(
        0.6,
        "How steeply a neighbour's weight grows with similarity off the mean; 0: see similarity_exponent",
        0,
        100,
        (0, 0.5, 0.6, 0.75, 0.9, 1.2),
        "0.6; 0.9 with few images, 0 with few shared hashtags",
    )
    similarity_exponent: float = _number(
        8.0,
        "Without contrast, a neighbour's weight is similarity to this power; 0: plain mean",
        0,
        1000,
        (0, 2, 4, 6, 8, 12, 16),
        "8; 2 with few shared hashtags",
    )
    chosen: frozenset[str] = frozenset()
    """Those that somebody set to their defaults: they do not follow the images."""

    def values(self) -> dict[str, float | str]:
        """Return the settings by name."""
        return {name: getattr(self, name) for name in SETTINGS}

    def following(self, images: int, shared: int, share: float) -> "FactorSettings":
        """Return the settings to learn with from so many images; those that somebody chose stay.

        Parameters
        ----------
        images
            Number of images with hashtags.
        shared
            Number of hashtags on two images or more.
        share
            Their share of the interactions.
        """
        # more factors than images would tell nothing apart
        wanted: dict[str, Any] = {"factors": min(self.factors, max(images, 1))}
        few = shared < FEW_SHARED
        if few and share < WILD:
            wanted |= FEW
        elif few or share >= TIDY:
            wanted |= SMALL_TIDY if images < SMALL_IMAGES else {}
        elif images < MEDIUM_IMAGES:
            wanted |= SMALL if images < SMALL_IMAGES else MEDIUM
        return replace(self, **{name: value for name, value in wanted.items() if not self.is_chosen(name)})

    def is_chosen(self, name: str) -> bool:
        """Whether somebody chose this setting, so that it does not follow the images."""
        return name in self.chosen or getattr(self, name) != getattr(FactorSettings(), name)

    def settled(self) -> "FactorSettings":
        """Return the same values, of which only ``min_hashtags`` still follows the images."""
        return replace(self, chosen=self.chosen | frozenset(FOLLOWING) - {"min_hashtags"})

    def stored(self) -> dict[str, Any]:
        """Return what :meth:`restored` makes these settings of again, for JSON."""
        return {**self.values(), "chosen": sorted(self.chosen)}

    @staticmethod
    def restored(stored: Mapping[str, Any]) -> "FactorSettings":
        """Return settings from what :meth:`stored` returned."""
        values = {name: value for name, value in stored.items() if name != "chosen"}
        return replace(FactorSettings().changed(**values), chosen=frozenset(stored.get("chosen", ())))

    def changed(self, **values: Any) -> "FactorSettings":
        """Return these settings with other values, checked.

        Raises
        ------
        FactorsError
            A setting does not exist or cannot have this value.
        """
        for name in values:
            if name not in SETTINGS:
                raise FactorsError(f"there is no setting {name!r}; there are: {', '.join(SETTINGS)}")
        checked = {name: SETTINGS[name].check(name, value, TYPES[name]) for name, value in values.items()}
        default = FactorSettings()
        chosen = {name for name in FOLLOWING if checked.get(name) == getattr(default, name)}
        return replace(self, **checked, chosen=frozenset(chosen | (self.chosen - set(checked))))

    def parsed(self, text: str) -> "FactorSettings":
        """Return these settings with those of a text ``name=value,name=value``.

        If it starts with the name of a preset, that is used instead of these settings.

        Raises
        ------
        FactorsError
            The text does not have this form, or a setting cannot have this value.
        """
        base, values = self, dict[str, Any]()
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, equals, value = part.partition("=")
            name = name.strip().replace("-", "_")
            if not equals and name in PRESETS and not values:
                base = PRESETS[name]
            elif not equals:
                raise FactorsError(
                    f"{part!r} is not a setting: write name=value,name=value, or {' or '.join(PRESETS)}"
                )
            elif TYPES.get(name) is str:
                values[name] = value.strip()
            else:
                try:
                    values[name] = float(value)
                except ValueError:
                    raise FactorsError(f"{value.strip()!r} is not a number for {name}") from None
        return base.changed(**values)

    def difference(self, base: "FactorSettings | None" = None) -> str:
        """Return the settings that differ from others (or the defaults), as :meth:`parsed` reads them."""
        base = FactorSettings() if base is None else base
        return ",".join(
            f"{name}={str(value).removesuffix('.0')}"
            for name in SETTINGS
            if (value := getattr(self, name)) != getattr(base, name) or name in self.chosen - base.chosen
        )


SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {each.name: each.metadata["setting"] for each in fields(FactorSettings) if each.metadata}
)
"""All settings by name, in the order in which they are shown."""
TYPES: Mapping[str, type] = MappingProxyType(
    {each.name: type(each.default) for each in fields(FactorSettings) if each.metadata}
)
FOLLOWING = ("factors", "neighbours", *FEW)
"""Settings whose defaults follow the images and what they share: docs/evaluation.md, "Few photos"."""

ANCESTOR = FactorSettings(
    factors=10,
    alpha=40.0,
    regularization=0.1,
    iterations=10,
    min_images=1,
    min_hashtags=1,
    accepted_weight=1.0,
    ridge=0.0,
    refit_penalty=0.0,
    neighbours=5,
    contrast=0.0,
    similarity_exponent=0.0,
)
"""The settings of the student project that tagdb grew from."""

PRESETS: Mapping[str, FactorSettings] = MappingProxyType({"shipped": FactorSettings(), "ancestor": ANCESTOR})
