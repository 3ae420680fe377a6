"""People: faces close up and whole figures; and a few plants that several scenes share."""

# Coordinates read better in rows.
# fmt: off

import math

from tagdb.scenes.canvas import Canvas, Point
from tagdb.scenes.paints import Colour, ball, dark, grain, light, mix

SKINS = ("#f6d3ba", "#eebf9d", "#e2ab83", "#c98d63", "#a06a45", "#79492f", "#563322")
HAIRS = ("#1c1512", "#2e1d14", "#4b2e1c", "#74492a", "#a9743c", "#d9b46a", "#8a3d20", "#8d8680")
CLOTHES = ("#c8414b", "#2f5d8c", "#e9e4da", "#26282d", "#4f8a64", "#e2b13c", "#8d5a9e", "#e98fa6",
    "#3fa3b5")

Pose = dict[str, Point]
"""Joints in body heights, measured upwards from between the feet; 'l' is drawn behind 'r'."""

STAND: Pose = {
    "head": (0, 0.92), "neck": (0, 0.82), "hip": (0, 0.5),
    "lelbow": (-0.11, 0.64), "lhand": (-0.1, 0.48), "relbow": (0.11, 0.64), "rhand": (0.1, 0.48),
    "lknee": (-0.05, 0.26), "lfoot": (-0.06, 0), "rknee": (0.05, 0.26), "rfoot": (0.06, 0),
}
RUN: Pose = {
    "head": (0.09, 0.92), "neck": (0.06, 0.82), "hip": (0, 0.52),
    "lelbow": (0.17, 0.66), "lhand": (0.26, 0.76), "relbow": (-0.08, 0.67), "rhand": (0.02, 0.56),
    "lknee": (-0.05, 0.28), "lfoot": (-0.27, 0.2), "rknee": (0.16, 0.36), "rfoot": (0.14, 0.06),
}
LIFT: Pose = STAND | {
    "lelbow": (-0.17, 0.9), "lhand": (-0.19, 1.08), "relbow": (0.17, 0.9), "rhand": (0.19, 1.08),
    "lfoot": (-0.14, 0), "rfoot": (0.14, 0), "lknee": (-0.12, 0.26), "rknee": (0.12, 0.26),
}
SQUAT: Pose = {
    "head": (0.02, 0.72), "neck": (0, 0.62), "hip": (0, 0.28),
    "lelbow": (-0.16, 0.5), "lhand": (-0.15, 0.63), "relbow": (0.16, 0.5), "rhand": (0.15, 0.63),
    "lknee": (-0.19, 0.24), "lfoot": (-0.15, 0), "rknee": (0.19, 0.24), "rfoot": (0.15, 0),
}
WARRIOR: Pose = {
    "head": (0, 0.8), "neck": (0, 0.7), "hip": (0, 0.38),
    "lelbow": (-0.2, 0.67), "lhand": (-0.38, 0.67), "relbow": (0.2, 0.67), "rhand": (0.38, 0.67),
    "lknee": (-0.2, 0.2), "lfoot": (-0.42, 0), "rknee": (0.24, 0.26), "rfoot": (0.26, 0),
}
TREE: Pose = STAND | {
    "lelbow": (-0.12, 0.98), "lhand": (-0.01, 1.14), "relbow": (0.12, 0.98), "rhand": (0.01, 1.14),
    "rknee": (0.2, 0.36), "rfoot": (0.02, 0.28), "lknee": (-0.01, 0.26), "lfoot": (0, 0),
}
PLANK: Pose = {
    "head": (0.5, 0.36), "neck": (0.4, 0.32), "hip": (0.05, 0.24),
    "lelbow": (0.38, 0.16), "lhand": (0.4, 0), "relbow": (0.34, 0.16), "rhand": (0.36, 0),
    "lknee": (-0.2, 0.14), "lfoot": (-0.44, 0), "rknee": (-0.2, 0.15), "rfoot": (-0.42, 0),
}


def figure(
    c: Canvas, x: float, y: float, height: float, pose: Pose, skin: str, hair: str, top: str, bottom: str
) -> dict[str, Point]:
    """Draw a person whose feet are at x, y; return the positions of the joints."""
    at = {joint: (x + a * height, y - b * height) for joint, (a, b) in pose.items()}

    def limb(side: str, joints: tuple[str, ...], width: float, paint: str | Colour) -> None:
        c.line([at[side + joint if joint not in at else joint] for joint in joints], width * height, paint)

    (nx, ny), (hx, hy) = at["neck"], at["hip"]
    for side, shade in (("l", 0.3), ("r", 0.0)):
        if side == "r":
            c.line([at["neck"], at["hip"]], 0.15 * height, top)
            c.line([(nx - 0.07 * height, ny), (nx + 0.07 * height, ny)], 0.07 * height, top)
        limb(side, ("hip", "knee"), 0.095, dark(bottom, shade))
        limb(side, ("knee", "foot"), 0.07, dark(bottom if c.chance(0.6) else skin, shade))
        fx, fy = at[side + "foot"]
        c.ellipse(fx + 0.025 * height, fy, 0.06 * height, 0.025 * height, c.pick(CLOTHES))
        c.line([(nx, ny + 0.02 * height), at[side + "elbow"]], 0.055 * height, dark(top, shade))
        limb(side, ("elbow", "hand"), 0.045, dark(skin, shade * 0.7))
    c.line([at["neck"], at["head"]], 0.05 * height, dark(skin, 0.15))
    ax, ay = at["head"]
    c.ellipse(ax - 0.008 * height, ay - 0.012 * height, 0.066 * height, 0.078 * height, hair)
    c.ellipse(ax + 0.006 * height, ay + 0.012 * height, 0.054 * height, 0.062 * height, ball(skin, 0.3))
    c.glow((nx + hx) / 2 - 0.05 * height, (ny + hy) / 2, 0.12 * height, "#000008", 0.35, 1.6)
    return at


def eyes(c: Canvas, x: float, y: float, r: float, apart: float, iris: str, *, closed: bool) -> None:
    for side in (-1, 1):
        ex = x + side * apart * r
        if closed:
            c.arc(ex, y - 0.03 * r, 0.15 * r, 0.09 * r, (15, 165), 0.035 * r, "#3a241c")
            continue
        c.ellipse(ex, y, 0.16 * r, 0.095 * r, "#f6f2ee")
        c.disc(ex, y, 0.088 * r, ball(iris, 0.4))
        c.disc(ex, y, 0.045 * r, "#0c0a0a")
        c.disc(ex - 0.03 * r, y - 0.035 * r, 0.022 * r, "#ffffff")
        c.arc(ex, y + 0.01 * r, 0.17 * r, 0.11 * r, (195, 345), 0.035 * r, "#2a1a16")


def face(
    c: Canvas, x: float, y: float, r: float, skin: str, hair: str, *, long: bool, glasses: bool, beard: bool
) -> None:
    """Draw an adult's head of height 2r, smiling at the camera."""
    gloss = light(hair, 0.2)
    if long:
        fall = c.u(0.9, 1.7)
        c.shape([(x - 0.5 * r, y - 1.05 * r), (x + 0.5 * r, y - 1.05 * r), (x + 1.05 * r, y),
            (x + c.u(0.8, 1.2) * r, y + fall * r), (x - c.u(0.8, 1.2) * r, y + fall * r),
            (x - 1.05 * r, y)], grain(dark(hair, 0.3), hair, gloss, cells=26, stretch=0.12))
    c.box(x - 0.32 * r, y + 0.3 * r, x + 0.32 * r, y + 1.5 * r, 0.1 * r, dark(skin, 0.25))
    for side in (-1, 1):
        c.ellipse(x + side * 0.78 * r, y + 0.02 * r, 0.12 * r, 0.2 * r, ball(dark(skin, 0.1), 0.3))
    c.shape([(x - 0.62 * r, y - 0.72 * r), (x, y - 1.02 * r), (x + 0.62 * r, y - 0.72 * r),
        (x + 0.77 * r, y), (x + 0.55 * r, y + 0.68 * r), (x, y + 1.02 * r), (x - 0.55 * r, y + 0.68 * r),
        (x - 0.77 * r, y)], ball(skin, 0.28))
    for side in (-1, 1):
        c.glow(x + side * 0.42 * r, y + 0.32 * r, 0.3 * r, mix(skin, "#e2525a", 0.6), 0.5)
        c.glow(x + side * 0.3 * r, y - 0.06 * r, 0.3 * r, dark(skin, 0.5), 0.35, 0.7)
    if beard:
        c.shape([(x - 0.7 * r, y + 0.25 * r), (x - 0.52 * r, y + 0.7 * r), (x, y + 1.03 * r),
            (x + 0.52 * r, y + 0.7 * r), (x + 0.7 * r, y + 0.25 * r), (x + 0.4 * r, y + 0.48 * r),
            (x, y + 0.4 * r), (x - 0.4 * r, y + 0.48 * r)],
            grain(mix(hair, skin, 0.15), mix(hair, skin, 0.5), cells=30))
    if glasses:
        lens = c.pick(["#15171c", "#2c1d18", "#26364a", "#5a2b50"])
        for side in (-1, 1):
            c.ellipse(x + side * 0.32 * r, y - 0.04 * r, 0.28 * r, 0.23 * r, c.pick(["#d8b25a", "#121212"]))
            c.ellipse(x + side * 0.32 * r, y - 0.04 * r, 0.25 * r, 0.2 * r, ball(lens, 0.6))
            c.line([(x + side * 0.58 * r, y - 0.06 * r), (x + side * 0.8 * r, y - 0.04 * r)], 0.05 * r,
                lens)
        c.line([(x - 0.1 * r, y - 0.08 * r), (x + 0.1 * r, y - 0.08 * r)], 0.05 * r, lens)
    else:
        iris = c.pick(["#5b3a22", "#3a2618", "#4f7a9a", "#5c7a4a"])
        eyes(c, x, y - 0.05 * r, r, 0.32, iris, closed=c.chance(0.1))
        for side in (-1, 1):
            c.arc(x + side * 0.32 * r, y - 0.15 * r, 0.22 * r, 0.13 * r, (205, 335), 0.055 * r,
                dark(hair, 0.2))
    c.glow(x + 0.04 * r, y + 0.2 * r, 0.2 * r, dark(skin, 0.5), 0.5, 1.3)
    c.glow(x - 0.02 * r, y + 0.12 * r, 0.1 * r, light(skin, 0.7), 0.7, 2)
    c.arc(x, y + 0.26 * r, 0.12 * r, 0.07 * r, (20, 160), 0.03 * r, dark(skin, 0.45))
    lips = mix(skin, "#a81f34", c.u(0.35, 0.75))
    if c.chance(0.6):
        c.shape([(x - 0.3 * r, y + 0.5 * r), (x, y + 0.52 * r), (x + 0.3 * r, y + 0.5 * r),
            (x, y + 0.76 * r)], lips)
        c.shape([(x - 0.24 * r, y + 0.53 * r), (x, y + 0.55 * r), (x + 0.24 * r, y + 0.53 * r),
            (x, y + 0.66 * r)], "#fbf6f0")
    else:
        c.arc(x, y + 0.44 * r, 0.27 * r, 0.16 * r, (15, 165), 0.07 * r, lips)
    part = c.u(-0.35, 0.35)
    c.shape([(x - 0.84 * r, y + c.u(-0.3, 0.1) * r), (x - 0.8 * r, y - 0.75 * r),
        (x - 0.2 * r, y - 1.2 * r), (x + 0.4 * r, y - 1.17 * r), (x + 0.82 * r, y - 0.7 * r),
        (x + 0.84 * r, y + c.u(-0.3, 0.1) * r), (x + 0.62 * r, y - 0.5 * r),
        (x + part * r, y - c.u(0.6, 0.85) * r), (x - 0.6 * r, y - 0.5 * r)],
        grain(dark(hair, 0.3), hair, gloss, cells=20, stretch=0.2))


def palm(c: Canvas, x: float, y: float, height: float, shade: str) -> None:
    lean = c.u(-0.3, 0.3) * height
    top = (x + lean, y - height)
    c.line([(x, y), (x + 0.3 * lean, y - 0.5 * height), top], 0.05 * height,
        dark(c.vary("#7a5c3a", 0.05), 0.2))
    for leaf in range(9):
        angle = 2 * math.pi * leaf / 9 + c.u(-0.2, 0.2)
        reach = c.u(0.35, 0.5) * height
        mid = (top[0] + 0.55 * reach * math.cos(angle),
            top[1] + 0.4 * reach * math.sin(angle) - 0.1 * reach)
        end = (top[0] + reach * math.cos(angle), top[1] + 0.55 * reach * math.sin(angle) + 0.25 * reach)
        below = (mid[0], mid[1] + 0.14 * reach)
        c.poly([top, mid, end, below], c.vary(shade, 0.06))


def bloom(c: Canvas, x: float, y: float, r: float, colour: str | Colour, petals: int, heart: str) -> None:
    """Draw a flower seen from above."""
    start, flat = c.u(0, 6.3), c.u(0.75, 1)
    for petal in range(petals):
        angle = start + 2 * math.pi * petal / petals
        a, b = math.cos(angle), math.sin(angle) * flat
        c.ellipse(x + 0.55 * r * a, y + 0.55 * r * b, 0.5 * r, 1.5 * r / petals,
            ball(c.vary(colour, 0.03), 0.3), math.atan2(b, a))
    c.ellipse(x, y, 0.28 * r, 0.28 * r * flat, ball(heart, 0.5))


def rose(c: Canvas, x: float, y: float, r: float, colour: str | Colour) -> None:
    """Draw a round flower with petals around petals."""
    c.ellipse(x, y, r, r, ball(dark(colour, 0.15), 0.35), 0, 0.08)
    for ring in (0.8, 0.6, 0.4, 0.2):
        start = c.u(0, 360)
        for part in range(3):
            paint = c.vary(light(colour, 0.35) if part % 2 else dark(colour, 0.22), 0.03)
            begin = start + 120 * part
            c.arc(x, y, ring * r, ring * r * 0.92, (begin, begin + 100), 0.13 * r, paint)
