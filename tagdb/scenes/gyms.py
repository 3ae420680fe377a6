"""Fitness: weightlifters, runners, yoga, and equipment."""

# Coordinates read better in rows.
# fmt: off

from tagdb.scenes.canvas import Canvas
from tagdb.scenes.figures import CLOTHES, HAIRS, LIFT, PLANK, RUN, SKINS, SQUAT, TREE, WARRIOR, figure
from tagdb.scenes.paints import across, ball, dark, down, grain, light, mix

NEON = ("#ff2c6a", "#2cd8ff", "#b4ff2c", "#8a4aff", "#ff7a1c")


def _gym(c: Canvas) -> float:
    """Draw a hall with racks, mirrors or neon; return the top edge of the floor."""
    line, wall = c.h * c.u(0.6, 0.7), c.pick(["#26282c", "#3a3c42", "#5a5c60", "#1a1c24", "#8a8c8e"])
    c.fill(down(dark(wall, 0.3), wall))
    if c.chance(0.5):
        for k in range(c.n(1, 3)):
            neon, x, y = c.pick(NEON), c.u(0, c.w), c.u(0.05, 0.3) * c.h
            c.glow(x + 0.2, y, 0.6, neon, 0.5)
            c.line([(x - 0.1, y), (x + 0.5, y + 0.03 * k)], 0.018, light(neon, 0.5))
    else:
        for lamp in range(4):
            c.poly([(0.4 * lamp, 0.02), (0.4 * lamp + 0.2, 0.02), (0.4 * lamp + 0.17, 0.05),
                (0.4 * lamp + 0.03, 0.05)], "#f4f8fa")
    for x, _, z in c.spread(c.n(2, 4), 0, 0, c.w, 0):
        top, wide = line * c.u(0.25, 0.4), 0.18 + 0.1 * z
        for post in (x, x + wide):
            c.line([(post, top), (post, line + 0.04)], 0.022, "#0f1012")
        c.line([(x, top), (x + wide, top)], 0.022, "#0f1012")
        c.line([(x - 0.08, top + 0.14), (x + wide + 0.08, top + 0.14)], 0.012, "#9a9ea2")
        for plate in (x - 0.06, x + wide + 0.06):
            c.box(plate - 0.018, top + 0.05, plate + 0.018, top + 0.23, 0.01,
                c.pick(["#17181b", "#b8282c", "#2850a8", "#d8b02c"]))
    rubber = c.pick(["#2a2a2c", "#3c3e42", "#55504c"])
    c.rect(0, line, c.w, c.h, grain(dark(rubber, 0.3), rubber, light(rubber, 0.1), cells=30))
    c.defocus(0.01)
    return line


def _plates(c: Canvas, x: float, y: float, half: float, size: float) -> None:
    """Draw a loaded barbell, from the front."""
    c.line([(x - half - 0.06, y), (x + half + 0.06, y)], 0.016, "#c8ccd0")
    paint = c.pick(["#1c1d20", "#b8282c", "#2850a8", "#d8b02c", "#2a7a44"])
    for side in (-1, 1):
        for k, share in enumerate((1.0, 1.0, 0.7)):
            px = x + side * (half - 0.05 + 0.04 * k)
            c.box(px - 0.018, y - size * share, px + 0.018, y + size * share, 0.01,
                across(light(paint, 0.3), paint, dark(paint, 0.4)))


def weights(c: Canvas) -> None:
    """Draw a rack of dumbbells."""
    wall = c.pick(["#3a3c42", "#26282c", "#6a6c70", "#1c2028"])
    c.fill(down(wall, dark(wall, 0.4)))
    if c.chance(0.4):
        c.glow(c.u(0, c.w), 0.1, 0.8, c.pick(NEON), 0.5)
    c.defocus(0.01)
    rows = c.n(2, 3)
    for row in range(rows):
        y = c.h * (row + 0.62) / rows
        c.box(-0.1, y + 0.06, c.w + 0.1, y + 0.1, 0.0, down("#6a6e72", "#1c1d20"))
        size, round_ = c.u(0.085, 0.11), c.chance(0.5)
        rubber = c.pick(["#1c1d20", "#26272b", "#8a8e92"])
        for k in range(8):
            x = -0.05 + (2.35 * size) * k + c.u(-0.005, 0.005)
            c.shadow(x, y + 0.05, 1.2 * size, 0.04, 0.9)
            for dx, dy, tone in ((0.3, -0.45, dark(rubber, 0.3)), (0.0, 0.0, rubber)):
                cx, cy = x + dx * size, y + dy * size
                if dx == 0:
                    c.line([(cx + 0.15 * size, cy - 0.2 * size), (cx + 0.3 * size, cy - 0.4 * size)],
                        0.3 * size, "#b8bcc0")
                if round_:
                    c.disc(cx, cy, size, ball(tone, 0.5))
                    c.disc(cx, cy, 0.55 * size, ball(light(tone, 0.12), 0.4))
                else:
                    c.poly([(cx + size * a, cy + size * b) for a,
                        b in ((-1, -0.5), (-0.5, -1), (0.5, -1), (1, -0.5), (1, 0.5), (0.5, 1), (-0.5, 1),
                        (-1, 0.5))], ball(tone, 0.5))
                    c.disc(cx, cy, 0.5 * size, light(tone, 0.1))
            c.line([(x - 0.25 * size, y), (x + 0.25 * size, y)], 0.14 * size, "#e8eaec")


def lifter(c: Canvas) -> None:
    line = _gym(c)
    x, foot, tall = c.w * c.u(0.42, 0.58), c.h * c.u(0.9, 0.96), c.h * c.u(0.58, 0.66)
    c.shadow(x, foot, 0.35 * tall, 0.05, 0.9)
    pose = LIFT if c.chance(0.5) else SQUAT
    at = figure(c, x, foot, tall, pose, c.pick(SKINS), c.pick(HAIRS), c.pick([*NEON, *CLOTHES]),
        c.pick(["#17181b", "#2c3038", "#4a2c5a"]))
    height = (at["lhand"][1] + at["rhand"][1]) / 2
    _plates(c, x, height, 0.42 * tall, 0.13 * tall)
    for hand in ("lhand", "rhand"):
        c.disc(*at[hand], 0.03 * tall, "#c98d63")
    c.note("squats" if pose is SQUAT else "powerlifting")
    c.mottle("#e8ecf0", 0.12, 4, 1, (0, line - 0.3, c.w, c.h), 0.5)


def runner(c: Canvas) -> None:
    line, track = c.h * c.u(0.36, 0.46), c.vary(c.pick(["#b8442c", "#a83a34", "#3a6ab0", "#c45a34"]), 0.03)
    c.rect(0, 0, c.w, line, down(c.pick(["#5a9ad0", "#a8b8c4", "#e8a880"]), "#e4ecec"))
    for row in range(5):
        c.rect(0, line - 0.15 + 0.028 * row, c.w, line - 0.14 + 0.028 * row,
            "#9a9ea2" if row % 2 else "#6a6e74")
    c.rect(0, line - 0.02, c.w, line + 0.04, grain("#4a8a34", "#6aa84a", cells=14))
    c.defocus(0.008)
    c.rect(0, line + 0.04, c.w, c.h, grain(dark(track, 0.15), track, light(track, 0.12), cells=40))
    vx = c.w * c.u(0.2, 0.8)
    for lane in range(-6, 7):
        c.poly([(vx + 0.035 * lane, line + 0.04), (vx + 0.035 * lane + 0.003, line + 0.04),
            (vx + 0.42 * lane + 0.03, c.h), (vx + 0.42 * lane, c.h)], "#f4f0ea")
    for k in range(c.n(1, 3)):
        x, foot = c.w * c.u(0.25, 0.75) + 0.22 * k - 0.15, c.h * c.u(0.84, 0.95) - 0.06 * k
        tall = c.h * c.u(0.5, 0.6) * (1 - 0.15 * k)
        c.shadow(x, foot, 0.3 * tall, 0.04, 0.8)
        figure(c, x, foot, tall, RUN, c.pick(SKINS), c.pick(HAIRS), c.pick(NEON),
            c.pick(["#17181b", "#2c3038", *NEON]))


def yoga(c: Canvas) -> None:
    wall, floor = c.pick(["#e4ded4", "#c8d0c4", "#d8c8c0", "#8a9a94", "#f2ece2"]), c.pick(["#b88a5a",
        "#d8b48a", "#8a6444"])
    line = c.h * c.u(0.62, 0.7)
    c.fill(down(light(wall, 0.2), wall))
    if c.chance(0.6):
        left = c.u(0, 0.6)
        c.rect(left, 0.06, left + 0.4, line - 0.1, down("#f8fafa", "#cfe0d8"))
    for x, _, _ in c.spread(c.n(0, 2), 0, 0, c.w, 0):
        for leaf in range(7):
            c.ellipse(x + 0.05 * (leaf - 3), line - 0.18 - 0.02 * leaf, 0.1, 0.03, c.vary("#4f7a4a", 0.05),
                1.57 + 0.3 * (leaf - 3))
        c.box(x - 0.06, line - 0.1, x + 0.06, line + 0.03, 0.02, across("#e8e0d8", "#b8a898"))
    c.rect(0, line, c.w, c.h, grain(dark(floor, 0.2), floor, light(floor, 0.2), cells=3, stretch=10))
    c.defocus(0.01)
    mat, foot = c.vary(c.pick(["#8a4a9a", "#3a8a9a", "#d86a8a", "#4a9a6a", "#e89a4a", "#4a5a9a"]),
        0.04), c.h * c.u(0.84, 0.9)
    c.shadow(c.w / 2, foot + 0.03, 0.6 * c.w, 0.1, 0.6)
    c.poly([(0.12, foot - 0.05), (c.w - 0.12, foot - 0.05), (c.w - 0.03, foot + 0.08),
        (0.03, foot + 0.08)], grain(dark(mat, 0.15), mat, cells=30))
    pose, name = c.pick([(WARRIOR, "warriorpose"), (TREE, "treepose"), (PLANK, "plank")])
    tall = c.w * c.u(0.66, 0.76) if pose is PLANK else min(c.h * c.u(0.6, 0.68), c.w * 0.9)
    clothes = c.pick(CLOTHES)
    figure(c, c.w / 2, foot, tall, pose, c.pick(SKINS), c.pick(HAIRS), clothes,
        c.pick(["#17181b", clothes, "#4a2c5a", "#2c4a5a"]))
    c.note(name)


def kit(c: Canvas) -> None:
    """Draw kettlebells, dumbbells, a bottle and a rope on the floor."""
    mat = c.pick(["#2a2a2c", "#4a4c50", "#b88a5a", "#3a6a9a", "#8a8c8e"])
    c.fill(grain(dark(mat, 0.2), mat, light(mat, 0.12), cells=30))
    if c.chance(0.5):
        band = c.pick(NEON)
        c.poly([(-0.1, c.u(0.2, 0.5)), (c.w + 0.1, c.u(0.2, 0.5)), (c.w + 0.1, 1.4), (-0.1, 1.4)],
            grain(dark(band, 0.4), dark(band, 0.2), cells=30))
    if c.chance(0.5):
        loop = c.pick(NEON)
        for k in range(3):
            c.arc(c.w * 0.5, c.h * 0.4, 0.3 + 0.06 * k, 0.2 + 0.05 * k, (0, 330), 0.02, dark(loop, 0.2))
    spots = [(0.28, 0.68), (0.72, 0.72), (0.76, 0.26), (0.26, 0.24)]
    for k in range(c.n(2, 4)):
        x, y, s = c.w * spots[k][0] + c.u(-0.05, 0.05), c.h * spots[k][1] + c.u(-0.05, 0.05), c.u(0.15, 0.2)
        paint = c.pick(["#1c1d20", "#3a3c40", *NEON])
        c.shadow(x + 0.03, y + 0.08, 1.5 * s, 1.3 * s, 0.8)
        kind = (k + c.n(0, 1)) % 3
        if kind == 0:
            c.arc(x, y - 0.75 * s, 0.55 * s, 0.6 * s, (150, 390), 0.22 * s, dark(paint, 0.2))
            c.disc(x, y, 0.85 * s, ball(paint, 0.55))
            c.disc(x, y, 0.35 * s, light(paint, 0.2))
            c.note("kettlebell")
        elif kind == 1:
            turn = c.pick([-0.35, 0.3])
            c.line([(x - 0.7 * s, y - turn * s), (x + 0.7 * s, y + turn * s)], 0.24 * s, "#b8bcc0")
            for side in (-1, 1):
                for far, size in ((0.75, 0.55), (1.05, 0.42)):
                    c.ellipse(x + side * far * s, y + side * turn * far * s, 0.22 * s, size * s,
                        ball(paint, 0.5), turn)
            c.note("dumbbells")
        else:
            c.box(x - 0.3 * s, y - 0.9 * s, x + 0.3 * s, y + 0.9 * s, 0.12 * s,
                across(light(paint, 0.4), paint, dark(paint, 0.4)))
            c.box(x - 0.2 * s, y - 1.2 * s, x + 0.2 * s, y - 0.88 * s, 0.05 * s,
                across("#e8e8e8", "#6a6a6c"))
            c.rect(x - 0.3 * s, y - 0.2 * s, x + 0.3 * s, y + 0.3 * s, mix(paint, "#ffffff", 0.6))


MOTIFS = {
    "fitness": (
        (weights, "dumbbells weights gym ironaddict strengthtraining gymequipment legday"),
        (lifter, "weightlifting gym bodybuilding barbell powerlifting crossfit deadlift gains"),
        (runner, "running run runner cardio track marathon runningmotivation sprint"),
        (yoga, "yoga yogainspiration yogaeveryday stretching namaste yogi balance pilates"),
        (kit, "homeworkout kettlebell gymbag workoutgear dumbbells equipment functionaltraining"),
    ),
}
