"""Selfies: faces at arm's length, in and out of doors, with friends and in the mirror."""

# Coordinates read better in rows.
# fmt: off

from tagdb.scenes.canvas import Canvas
from tagdb.scenes.figures import CLOTHES, HAIRS, SKINS, face
from tagdb.scenes.paints import Colour, across, ball, dark, down, grain, light


def _room(c: Canvas) -> None:
    wall = c.pick(["#d8ccc0", "#a8b4b8", "#c8b0a0", "#e4e0d8", "#6a7078", "#b8a0b0"])
    c.fill(across(light(wall, 0.25), dark(wall, 0.15)))
    left = c.u(0.0, 0.6) * c.w
    kind = c.n(0, 2)
    if kind == 0:
        c.rect(left, 0.05, left + 0.45, c.h * 0.6, down("#fafcfc", "#c8dce8"))
        c.line([(left + 0.22, 0.05), (left + 0.22, c.h * 0.6)], 0.02, "#f4f0ea")
        c.rect(left - 0.12, 0, left + 0.04, c.h * 0.75, across(light(wall, 0.5), dark(wall, 0.2)))
    elif kind == 1:
        for shelf in range(5):
            y = 0.1 + 0.2 * shelf
            for x, _, z in c.spread(12, 0, 0, c.w, 0):
                c.rect(x, y + 0.05 - 0.05 * z, x + 0.05, y + 0.16, c.vary(c.pick(CLOTHES), 0.08))
            c.rect(0, y + 0.16, c.w, y + 0.18, "#6a4a34")
    else:
        c.box(left, 0.1, left + 0.35, 0.45, 0.0, "#3a3430")
        c.rect(left + 0.03, 0.13, left + 0.32, 0.42, grain(c.pick(CLOTHES), "#f2ece0", cells=3))
        c.disc(left + 0.6, 0.3, 0.1, "#fff0c8")
        c.glow(left + 0.6, 0.3, 0.4, "#fff0c8", 0.6)
    c.defocus(0.03)


def _outside(c: Canvas) -> None:
    kind = c.n(0, 2)
    if kind == 0:
        green = c.pick(["#5a8a3a", "#7a9a4a", "#c8843a"])
        c.fill(down("#d4e6ee", light(green, 0.5), green))
        c.mottle(dark(green, 0.3), 0.9, 5, 1, (0, 0, c.w, c.h), 0.4)
        c.bokeh(12, 0, c.h * 0.7, [light(green, 0.6), "#fff8d8"])
    elif kind == 1:
        c.fill(down("#c4d8e8", "#e8e4dc"))
        for x, _, z in c.spread(8, -0.1, 0, c.w, 0):
            wall = c.pick(["#a89a8c", "#8a8f94", "#c4a48a", "#6a6660"])
            c.rect(x, c.u(0, 0.5), x + 0.15 + 0.15 * z, c.h, wall)
        c.bokeh(10, 0.2, c.h, ["#ffd890", "#ff8a5a", "#ffffff"])
    else:
        c.fill(down("#4a3a6a", "#e07a6a", "#ffc880"))
        c.glow(c.u(0.2, c.w - 0.2), c.h * 0.5, 0.5, "#fff0b8", 0.8)
        c.rect(0, c.h * 0.7, c.w, c.h, "#4a3a44")
        c.note("goldenhour")
    c.defocus(0.03)


def _shoulders(
    c: Canvas, x: float, y: float, r: float, top: str | Colour, skin: str, low: float | None = None
) -> None:
    low = low or y + 3 * r
    c.shape([(x - 0.5 * r, y + 1.2 * r), (x + 0.5 * r, y + 1.2 * r), (x + 1.5 * r, y + 1.65 * r),
        (x + 1.9 * r, low), (x - 1.9 * r, low), (x - 1.5 * r, y + 1.65 * r)],
        grain(dark(top, 0.22), top, light(top, 0.08), cells=4, octaves=3))
    c.ellipse(x, y + 1.2 * r, 0.42 * r, 0.3 * r, ball(dark(skin, 0.12), 0.25))


def _person(c: Canvas, x: float, y: float, r: float, *, glasses: float) -> None:
    skin, hair, long = c.pick(SKINS), c.pick(HAIRS), c.chance(0.55)
    _shoulders(c, x, y, r, c.vary(c.pick(CLOTHES), 0.05), skin)
    shades = c.chance(glasses)
    face(c, x, y, r, skin, hair, long=long, glasses=shades, beard=not long and c.chance(0.4))
    if shades:
        c.note("sunglasses")
    if c.chance(0.15):
        cap = c.pick(CLOTHES)
        c.shape([(x - 0.85 * r, y - 0.5 * r), (x - 0.7 * r, y - 1.15 * r), (x, y - 1.35 * r),
            (x + 0.7 * r, y - 1.15 * r), (x + 0.85 * r, y - 0.5 * r), (x, y - 0.62 * r)],
            grain(dark(cap, 0.3), cap, light(cap, 0.2), cells=9))


def _arm(c: Canvas, side: int, skin: str) -> None:
    edge = c.w * (0.5 + 0.5 * side)
    c.line([(edge - side * 0.12, c.h + 0.1), (edge + side * 0.02, c.h * 0.72),
        (edge - side * 0.02, c.h * 0.5)], 0.16, dark(skin, 0.12))


def indoor(c: Canvas) -> None:
    _room(c)
    _person(c, c.w * c.u(0.42, 0.58), c.h * c.u(0.4, 0.5), c.u(0.27, 0.36), glasses=0.12)
    if c.chance(0.5):
        _arm(c, c.pick([-1, 1]), c.pick(SKINS))


def outdoor(c: Canvas) -> None:
    _outside(c)
    _person(c, c.w * c.u(0.4, 0.6), c.h * c.u(0.42, 0.52), c.u(0.25, 0.34), glasses=0.65)


def friends(c: Canvas) -> None:
    (_outside if c.chance(0.6) else _room)(c)
    many = c.n(2, 3)
    for k in range(many):
        r = c.u(0.19, 0.24) * c.w / many * 2
        _person(c, c.w * (k + 0.5) / many + c.u(-0.03, 0.03), c.h * c.u(0.4, 0.55), min(r, 0.26),
            glasses=0.3)


def mirror(c: Canvas) -> None:
    """The phone hides part of the face."""
    tile = c.pick(["#d8e0e0", "#c8c0b8", "#a8b8bc", "#e8e0d4"])
    c.fill(across(light(tile, 0.3), tile))
    if c.chance(0.6):
        for k in range(12):
            c.line([(0.13 * k, 0), (0.13 * k, c.h)], 0.006, dark(tile, 0.15))
            c.line([(0, 0.13 * k), (c.w, 0.13 * k)], 0.006, dark(tile, 0.15))
    else:
        c.rect(c.w * 0.65, 0, c.w, c.h, across(dark(tile, 0.3), dark(tile, 0.1)))
    c.defocus(0.008)
    for lamp in range(c.n(2, 5)):
        c.disc(0.12 + 0.25 * lamp, 0.06, 0.04, "#fffbe8")
        c.glow(0.12 + 0.25 * lamp, 0.06, 0.15, "#fff4d0", 0.7)
    x, y, r, skin, hair = c.w * c.u(0.42, 0.55), c.h * 0.33, c.u(0.19, 0.24), c.pick(SKINS), c.pick(HAIRS)
    top = c.vary(c.pick(CLOTHES), 0.04)
    _shoulders(c, x, y, r, top, skin, c.h + 0.1)
    face(c, x, y, r, skin, hair, long=c.chance(0.6), glasses=c.chance(0.15), beard=False)
    px, py, case = x + c.u(-0.3, 0.5) * r, y + c.u(0.3,
        0.9) * r, c.pick(["#17181b", "#e8e4e0", "#e8a0b0", "#2c4a6a"])
    c.line([(x + 1.5 * r, y + 2.6 * r), (x + 1.6 * r, y + 1.9 * r), (px + 0.3 * r, py + 0.5 * r)], 0.4 * r,
        dark(skin, 0.1))
    c.shadow(px, py, 0.8 * r, 1.1 * r, 0.5)
    c.box(px - 0.42 * r, py - 0.8 * r, px + 0.42 * r, py + 0.8 * r, 0.12 * r, ball(case, 0.3))
    c.box(px - 0.36 * r, py - 0.73 * r, px - 0.02 * r, py - 0.35 * r, 0.08 * r, dark(case, 0.3))
    for dx, dy in ((-0.27, -0.64), (-0.1, -0.64), (-0.19, -0.46)):
        c.disc(px + dx * r, py + dy * r, 0.075 * r, ball("#101216", 0.6))
    for finger in range(4):
        c.ellipse(px + 0.34 * r, py + (0.0 + 0.17 * finger) * r, 0.2 * r, 0.085 * r, ball(skin, 0.3), 0.1)


MOTIFS = {
    "selfie": (
        (indoor, "selfietime portrait homevibes mood smile hairstyle makeup athome"),
        (outdoor, "sunglasses sunny outdoors smile summer vibes sunkissed freckles"),
        (friends, "friends besties friendship squad goodtimes bff funtimes together"),
        (mirror, "mirrorselfie ootd outfit mirror style fashion bathroomselfie"),
    ),
}
