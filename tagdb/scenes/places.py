"""Travel: the far horizon, from the beach, the trail, the sand, the deck and the window seat."""

# Coordinates read better in rows.
# fmt: off

import math

from tagdb.scenes.canvas import Canvas, Point
from tagdb.scenes.figures import CLOTHES, HAIRS, SKINS, STAND, figure, palm
from tagdb.scenes.paints import Paint, across, ball, dark, down, grain, light, mix

SKIES = (
    ("#2f7fd0", "#8cc4ee", "#dcecf2"),
    ("#1e66b4", "#5fa8e0", "#bfe0ef"),
    ("#6d9cc9", "#b9cfe0", "#e9e6dc"),
    ("#3a4f8f", "#d9826a", "#ffcf7a"),
    ("#5a3a78", "#e0627a", "#ffb65a"),
    ("#8db8d8", "#f2c9a8", "#ffe9c0"),
)


def _sky(c: Canvas, bottom: float) -> tuple[str, str, str]:
    sky = c.pick(SKIES)
    c.rect(0, 0, c.w, bottom + 0.01, down(*(c.vary(colour, 0.03) for colour in sky)))
    dusk = sky in SKIES[3:5]
    if c.chance(0.7):
        c.mottle("#ffd2b0" if dusk else "#ffffff", c.u(0.5, 0.95), c.u(2, 5), c.u(1.5, 3),
            (0, 0, c.w, bottom), c.u(0.4, 0.6))
    if dusk or c.chance(0.3):
        x, y = c.u(0.2, c.w - 0.2), bottom - c.u(0.06, 0.3)
        c.glow(x, y, 0.6, "#ffe8b0", 0.7)
        c.disc(x, y, c.u(0.03, 0.06), "#fffbe4")
    if dusk:
        c.note("sunset")
    return sky


def _boat(c: Canvas, x: float, y: float, size: float) -> None:
    sail, hull = c.vary("#f7f3ea", 0.05), c.pick(["#f4f1ea", "#7a3b2a", "#24456e", "#b23a34"])
    c.shadow(x, y + 0.03 * size, 0.6 * size, 0.1 * size, 0.5)
    c.poly([(x - 0.5 * size, y - 0.14 * size), (x + 0.58 * size, y - 0.16 * size),
        (x + 0.36 * size, y + 0.04 * size), (x - 0.36 * size, y + 0.04 * size)], down(hull, dark(hull)))
    c.line([(x, y - 0.1 * size), (x, y - 1.4 * size)], 0.025 * size, "#4a3a2e")
    c.poly([(x + 0.04 * size, y - 1.35 * size), (x + 0.52 * size, y - 0.24 * size),
        (x + 0.04 * size, y - 0.24 * size)], across(sail, dark(sail, 0.2)))
    c.poly([(x - 0.04 * size, y - 1.2 * size), (x - 0.42 * size, y - 0.24 * size),
        (x - 0.04 * size, y - 0.24 * size)], across(dark(sail, 0.25), sail))


def _sea(c: Canvas, top: float, bottom: float, far: str, near: str, sky: str) -> None:
    c.rect(0, top, c.w, bottom, down(mix(far, sky, 0.3), far, near))
    c.mottle(light(sky, 0.4), 0.45, 7, 7, (0, top, c.w, bottom), 0.5)
    c.mottle(dark(far, 0.5), 0.4, 9, 6, (0, top, c.w, bottom), 0.5)


def coast(c: Canvas) -> None:
    horizon = c.h * c.u(0.36, 0.5)
    sky = _sky(c, horizon)
    far, near = c.pick([("#1d6f9f", "#52c4c4"), ("#23567f", "#3f8fa6"), ("#0f7f9c", "#7fdcc8")])
    shore = c.h * c.u(0.62, 0.75)
    _sea(c, horizon, c.h, far, near, sky[2])
    if c.chance(0.5):
        left = c.u(-0.2, 0.4)
        c.shape([(left, horizon + 0.01), (left + 0.2, horizon - c.u(0.05, 0.15)),
            (left + 0.5, horizon - c.u(0.03, 0.1)), (left + 0.8, horizon + 0.01)],
            grain("#3d5a45", "#7b8b6a", cells=6))
        c.note("island")
    slope, sand = c.u(-0.15, 0.15), c.vary("#e3cba0", 0.05)
    for drop, paint in ((-0.025, "#f6fbf8"), (0.012, dark(sand, 0.25))):
        c.poly(_ridge(c, shore + drop, shore + drop + slope, 0.02), paint)
    c.poly(_ridge(c, shore + 0.05, shore + 0.05 + slope, 0.02),
        grain(dark(sand, 0.1), sand, light(sand), cells=20))
    for x, y, z in c.spread(c.n(0, 3), 0.1, shore + 0.14, c.w - 0.1, c.h):
        size = 0.08 + 0.1 * z
        c.shadow(x, y, size * 1.6, size * 0.4)
        c.line([(x, y), (x + 0.3 * size, y - 1.6 * size)], 0.01, "#efe9dc")
        paints = c.pick(CLOTHES), "#f7f3ea"
        for stripe in range(6):
            begin = x + 0.3 * size + (stripe - 3) * 0.5 * size
            c.poly([(begin, y - 1.4 * size), (begin + 0.5 * size, y - 1.4 * size),
                (x + 0.3 * size, y - 2.2 * size)], paints[stripe % 2])
    if c.chance(0.5):
        for x, _, z in c.spread(c.n(1, 3), 0, 0, c.w * 0.35, 0):
            palm(c, x, c.h * 0.95, c.h * (0.5 + 0.3 * z), c.pick(["#3f7a3c", "#2a5a34", "#5a8a3a"]))
        c.note("palmtrees")
    elif c.chance(0.4):
        figure(c, c.u(0.2, c.w - 0.2), c.h * 0.9, 0.3, STAND, c.pick(SKINS), c.pick(HAIRS),
            c.pick(CLOTHES), c.pick(CLOTHES))
    if c.chance(0.35):
        _boat(c, c.u(0.4, c.w - 0.1), horizon + 0.05, 0.1)


def _ridge(c: Canvas, left: float, right: float, rough: float, steps: int = 14) -> list[Point]:
    """A hill's outline down to the lower edge."""
    points = []
    for step in range(steps + 1):
        share = step / steps
        wave = math.sin(share * 9 + left * 40) * 0.5 + c.u(-1, 1) * 0.5
        points.append((c.w * share, left + (right - left) * share + rough * wave))
    return [(0.0, c.h + 0.1), *points, (c.w, c.h + 0.1)]


def mountains(c: Canvas) -> None:
    base = c.h * c.u(0.55, 0.7)
    sky = _sky(c, base)
    for layer in range(3):
        rock = mix(mix("#4f5d6e", "#5a5f58", c.u(0, 1)), sky[2], 0.55 - 0.25 * layer)
        for x, _, z in c.spread(3, -0.1, 0, c.w + 0.1, 0):
            peak, half = base - c.h * (0.42 - 0.1 * layer) * (0.5 + 0.5 * z), 0.3 + 0.25 * z
            foot = base + 0.1 * layer
            crest = [(x - half, foot), (x - 0.55 * half, (peak + foot) / 2 + 0.02),
                (x - 0.25 * half, peak + 0.1), (x, peak)]
            c.poly([*crest, (x + 0.3 * half, peak + 0.12), (x + 0.6 * half, (peak + foot) / 2),
                (x + half, foot)], grain(dark(rock, 0.35), rock, light(rock, 0.25), cells=7))
            c.poly([*crest[2:], (x + 0.05, foot), (x - 0.4 * half, foot)],
                grain(rock, light(rock), cells=9))
            if layer < 2:
                drop = c.u(0.07, 0.14)
                c.poly([(x, peak - 0.004), (x + 0.3 * half * drop / 0.12, peak + drop),
                    (x + 0.03, peak + 0.7 * drop), (x - 0.01, peak + 1.1 * drop),
                    (x - 0.25 * half * drop / 0.1, peak + drop)], "#f4f6f8")
        c.mottle(sky[2], 0.3, 3, 3, (0, base - 0.15, c.w, base + 0.1), 0.2)
    meadow = c.pick(["#6d7f43", "#8a8450", "#566b3c", "#9a8a5c"])
    c.poly(_ridge(c, base + 0.08, base + c.u(0, 0.15), 0.02),
        grain(dark(meadow), meadow, light(meadow), cells=14, stretch=3))
    end = c.u(0.3, c.w - 0.3)
    if c.chance(0.5):
        c.shape([(end - 0.01, base + 0.1), (end + 0.01, base + 0.1), (end + c.u(-0.1, 0.2), base + 0.2),
            (end + 0.3, c.h + 0.1), (end - 0.2, c.h + 0.1), (end - 0.1, base + 0.2)],
            grain("#b8a78c", "#d8c8ac"))
        c.note("roadtrip")
    if c.chance(0.6):
        at = figure(c, end, c.h * 0.95, c.h * 0.34, STAND, c.pick(SKINS), c.pick(HAIRS), c.pick(CLOTHES),
            "#3a4048")
        x, y = at["neck"]
        bag = c.pick(CLOTHES)
        c.box(x - 0.045 * c.h, y, x + 0.045 * c.h, y + 0.12 * c.h, 0.03, ball(bag))
        c.note("hiking")
    if c.chance(0.35):
        for x, y, z in c.spread(c.n(2, 6), 0.1, 0.05, c.w - 0.1, base * 0.7):
            r, paint = 0.03 + 0.05 * z, c.pick(CLOTHES)
            c.poly([(x - 0.75 * r, y + 0.6 * r), (x + 0.75 * r, y + 0.6 * r), (x + 0.2 * r, y + 1.6 * r),
                (x - 0.2 * r, y + 1.6 * r)], dark(paint, 0.2))
            c.disc(x, y, r, ball(paint, 0.4))
            c.ellipse(x, y, 0.35 * r, r, ball(light(paint, 0.6), 0.3))
            c.rect(x - 0.15 * r, y + 1.7 * r, x + 0.15 * r, y + 1.95 * r, "#4a3322")
        c.note("hotairballoon")


def desert(c: Canvas) -> None:
    base = c.h * c.u(0.4, 0.55)
    _sky(c, base + 0.1)
    sand = c.pick(["#d9a566", "#c9824c", "#e2be86", "#b96a44"])
    if c.chance(0.45):
        for x, _, z in sorted(c.spread(c.n(1, 3), 0.1, 0, c.w - 0.1, 0), key=lambda spot: spot[2]):
            half, top = 0.12 + 0.25 * z, base + 0.06 - 0.42 * (0.3 + 0.7 * z)
            stone = c.vary("#cfa873", 0.04)
            c.poly([(x - half, base + 0.08), (x, top), (x + 0.3 * half, base + 0.08)],
                grain(dark(stone, 0.15), stone, light(stone), cells=8, stretch=5))
            c.poly([(x + 0.3 * half, base + 0.08), (x, top), (x + half, base + 0.08)],
                grain(dark(stone, 0.55), dark(stone, 0.35), cells=8, stretch=5))
        c.note("pyramids")
    for layer in range(c.n(3, 5)):
        y, x = base + 0.03 + layer * (c.h - base) / 5, c.u(0.2, c.w - 0.2)
        tone = mix(light(sand, 0.35), sand, layer / 4)
        c.poly(_ridge(c, y + c.u(-0.05, 0.05), y + c.u(-0.05, 0.05), 0.01, 9),
            grain(dark(tone, 0.1), tone, light(tone, 0.2), cells=6, stretch=8))
        c.shape([(x, y - 0.05), (x + 0.25, y + 0.05), (x + 0.5, y + 0.16), (x + 0.1, y + 0.3),
            (x - 0.12, y + 0.3)], across(dark(tone, 0.35), tone))
    if c.chance(0.6):
        y = base + c.u(0.2, 0.3)
        for camel in range(c.n(2, 4)):
            _camel(c, c.u(0, 0.1) + 0.28 * camel, y + c.u(-0.01, 0.01), c.u(0.14, 0.2))
        c.note("camel")
    if c.chance(0.3):
        for x, y, z in c.spread(c.n(1, 3), 0.1, base + 0.2, c.w - 0.1, c.h - 0.05):
            tall, green = 0.15 + 0.2 * z, c.pick(["#4f7048", "#3c5a40"])
            c.line([(x, y), (x, y - tall)], 0.2 * tall, green)
            for side in (-1, 1):
                low = y - tall * c.u(0.3, 0.6)
                c.line([(x, low), (x + side * 0.25 * tall, low),
                    (x + side * 0.25 * tall, low - 0.3 * tall)], 0.13 * tall, dark(green, 0.2))


def _camel(c: Canvas, x: float, y: float, s: float) -> None:
    coat = dark(c.vary("#8a5c36", 0.05), c.u(0.2, 0.6))
    c.shadow(x, y, 0.6 * s, 0.1 * s)
    for leg in (-0.3, -0.22, 0.22, 0.3):
        c.line([(x + leg * s, y - 0.6 * s), (x + (leg + c.u(-0.06, 0.06)) * s, y)], 0.07 * s,
            dark(coat, 0.2))
    c.shape([(x - 0.4 * s, y - 0.7 * s), (x - 0.1 * s, y - 1.15 * s), (x + 0.08 * s, y - 0.95 * s),
        (x + 0.38 * s, y - 0.8 * s), (x + 0.35 * s, y - 0.5 * s), (x - 0.35 * s, y - 0.5 * s)], coat)
    c.line([(x + 0.32 * s, y - 0.7 * s), (x + 0.5 * s, y - 0.65 * s), (x + 0.6 * s, y - 1.1 * s)],
        0.12 * s, coat)
    c.ellipse(x + 0.68 * s, y - 1.13 * s, 0.14 * s, 0.08 * s, coat)


def window_seat(c: Canvas) -> None:
    sky = _sky(c, c.h)
    deck = c.h * c.u(0.45, 0.65)
    c.rect(0, deck, c.w, c.h, down(mix(sky[2], "#ffffff", 0.5), sky[1], mix(sky[0], "#4a6a52", 0.4)))
    c.mottle("#ffffff", 1, c.u(3, 6), 2, (0, deck - 0.05, c.w, c.h), 0.3)
    wing, y = c.vary("#c3c8ce", 0.03), deck + c.u(-0.02, 0.14)
    reach = c.u(0.5, 0.8) * c.w
    c.poly([(-0.1, y + 0.28), (-0.1, y + 0.02), (reach, y - 0.1), (reach + 0.07, y - 0.1)],
        down(light(wing), wing, dark(wing)))
    c.poly([(reach, y - 0.1), (reach + 0.08, y - 0.26), (reach + 0.12, y - 0.26),
        (reach + 0.07, y - 0.09)], c.pick(CLOTHES))
    for flap in (0.15, 0.32, 0.5):
        c.line([(reach * flap, y + 0.01 - 0.1 * flap), (reach * flap + 0.02, y + 0.2 - 0.26 * flap)],
            0.008, dark(wing, 0.4))
    if c.chance(0.55):
        frame, x, half = c.vary("#b9b7b2", 0.04), c.w * c.u(0.42, 0.58), c.u(0.34, 0.42)
        mask: list[Point] = [(0, 0), (c.w, 0), (c.w, c.h), (0, c.h), (0, 0)]
        outline = [(x + half * math.copysign(abs(math.cos(t)) ** 0.7, math.cos(t)),
            c.h / 2 + 0.45 * c.h * math.copysign(abs(math.sin(t)) ** 0.7, math.sin(t)))
            for t in (k * math.pi / 24 - 3 * math.pi / 4 for k in range(49))]
        c.poly([*mask, *outline, (0, 0)], across(dark(frame, 0.3), frame, light(frame), dark(frame, 0.4)))
        c.line(outline, 0.03, dark(frame, 0.25))


def sailing(c: Canvas) -> None:
    horizon = c.h * c.u(0.45, 0.62)
    sky = _sky(c, horizon)
    far, near = c.pick([("#1f5f96", "#17456e"), ("#2f8ba6", "#1b6a8c"), ("#41577f", "#22365c")])
    _sea(c, horizon, c.h, far, near, sky[2])
    for x, _, z in c.spread(2, 0, 0, c.w, 0):
        if c.chance(0.5):
            c.shape([(x - 0.3, horizon), (x, horizon - 0.1 * z - 0.03), (x + 0.35, horizon)],
                mix("#556a78", sky[2], 0.3))
    for x, y, z in c.rows(c.n(1, 4), 0.15, horizon + 0.03, c.w - 0.15, c.h * 0.88):
        _boat(c, x, y, (0.08 + 0.5 * (y - horizon)) * (0.8 + 0.5 * z))
    for x, y, z in c.spread(c.n(0, 5), 0.1, 0.05, c.w - 0.1, horizon * 0.7):
        s, paint = 0.02 + 0.03 * z, c.pick(["#ffffff", "#3a3f48"])
        c.line([(x - s, y - 0.3 * s), (x, y + 0.15 * s), (x + s, y - 0.35 * s)], 0.007, paint)


def landmark(c: Canvas) -> None:
    """A suitcase and a traveller in front of an old town on a hill above the sea."""
    base = c.h * c.u(0.6, 0.7)
    sky = _sky(c, base)
    _sea(c, base, c.h, "#2a6f9a", "#3fa0b4", sky[2])
    walls = ("#f3e9d8", "#e9c9a0", "#e7a98a", "#f6f4ee", "#d98f6e", "#efd58f")
    white = c.chance(0.4)
    for row in range(5):
        y = base - 0.34 + 0.08 * row
        for house in range(4 + 2 * row):
            x = c.w * 0.62 + (house - 2 - row) * 0.1 + c.u(-0.03, 0.03)
            tall, wide = c.u(0.08, 0.15), c.u(0.07, 0.11)
            wall: Paint = c.vary("#f7f5f0" if white else c.pick(walls), 0.02)
            c.rect(x, y - tall, x + wide, y + 0.1, wall)
            c.rect(x + 0.7 * wide, y - tall, x + wide, y + 0.1, dark(c.pick(walls), 0.3))
            if white:
                if c.chance(0.25):
                    c.ellipse(x + wide / 2, y - tall, wide / 2, wide * 0.45, ball("#2f6fb4"))
            else:
                c.poly([(x - 0.01, y - tall), (x + wide / 2, y - tall - 0.04),
                    (x + wide + 0.01, y - tall)], c.vary("#b5583a", 0.05))
            for pane in range(3):
                c.rect(x + (0.1 + 0.2 * pane) * wide, y - tall + 0.02, x + (0.2 + 0.2 * pane) * wide,
                    y - tall + 0.045, "#4a4440")
    c.poly(_ridge(c, base + 0.06, base + 0.02, 0.01), grain("#6b6a5c", "#9c9884", cells=9))
    c.rect(0, c.h * 0.86, c.w, c.h, grain("#9a8f82", "#c4b8a8", cells=14))
    x, paint = c.u(0.15, 0.4), c.pick(CLOTHES)
    figure(c, x, c.h * 0.96, c.h * 0.46, STAND, c.pick(SKINS), c.pick(HAIRS), c.pick(CLOTHES),
        c.pick(CLOTHES))
    c.box(x + 0.12, c.h * 0.8, x + 0.24, c.h * 0.96, 0.02, across(dark(paint), paint, light(paint)))
    c.line([(x + 0.15, c.h * 0.8), (x + 0.15, c.h * 0.72), (x + 0.21, c.h * 0.72), (x + 0.21, c.h * 0.8)],
        0.008, "#2a2a2c")


MOTIFS = {
    "travel": (
        (coast, "beach ocean sea summer paradise beachlife island vacay seaside tropical"),
        (mountains, "mountains hiking adventure outdoors trekking mountainlife peaks valley roadtrip"),
        (desert, "desert dunes sand sahara safari egypt camel goldenhour"),
        (window_seat, "flying airplane windowseat abovetheclouds flight aviation wing jetlag"),
        (sailing, "sailing boat sea ocean yacht sailboat nautical harbour cruise"),
        (landmark, "oldtown island greece mediterranean citybreak seaside village sightseeing"),
    )
}
