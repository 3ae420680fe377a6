"""Train the bundled backbone: a small MobileNetV2 that imitates the features of the ImageNet one.

The student (``alpha=0.35``, 0.4 million parameters, 1280 features) learns from scratch to return, for
every crop of every photo, the feature vector that the teacher returns for the same crop
("function matching": Beyer et al., *Knowledge distillation: a good teacher is patient and
consistent*, CVPR 2022; crops, flips, colour changes and mixtures are applied before both networks
see the image). It uses no labels and no weights of the teacher.

Needs: ``pip install torch`` in addition to tagdb's dependencies; one or more folders of photos; the teacher
as a LiteRT file (``tagdb`` exports one on first use of ``--backbone``). All random numbers derive from
``--seed``, so a run is reproducible up to the arithmetic of the hardware. After every round a checkpoint is
written next to ``--out``; run the same command again to continue from it.

Example::

    python tools/train_backbone.py --photos photos/ --teacher teacher.tflite \
        --out build/bundled.npz --images 1500000

The result is an ``.npz`` of arrays in the order of ``keras.Model.get_weights()``;
``tools/export_backbone.py`` converts it to the LiteRT file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor, nn

ALPHA = 0.35
FEATURES = 1280
TEACHER_SIZE = 160
STORED_SIDE = 256
"""Shorter side of photos in memory; small, so that crops are cheap."""
HELD_OUT_SHARE = 0.2
PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


# --- the network -------------------------------------------------------------------------------


def divisible(value: float, by: int = 8) -> int:
    """Round a channel count as Keras's ``mobilenet_v2._make_divisible`` does."""
    rounded = max(by, int(value + by / 2) // by * by)
    return rounded + by if rounded < 0.9 * value else rounded


class ConvNorm(nn.Module):
    """Convolution, batch norm (Keras's epsilon and momentum) and, unless linear, ReLU6.

    Keras pads a stride-2 convolution of an even-sized map with zeros at the right and bottom
    only, where PyTorch's ``padding=1`` would pad all four sides.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, linear: bool = False
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            inputs,
            outputs,
            kernel,
            stride,
            groups=groups,
            bias=False,
            padding=kernel // 2 if stride == 1 else 0,
        )
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01)
        self.stride, self.linear = stride, linear

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == 2:
            x = F.pad(x, (0, 1, 0, 1))
        x = self.norm(self.conv(x))
        return x if self.linear else F.relu6(x)


class Block(nn.Module):
    """An inverted residual block: expand, depthwise, project."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        layers = [ConvNorm(inputs, hidden, 1)] if expansion != 1 else []
        layers += [
            ConvNorm(hidden, hidden, 3, stride, groups=hidden),
            ConvNorm(hidden, outputs, 1, linear=True),
        ]
        self.layers = nn.Sequential(*layers)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.layers(x)
        return x + y if self.residual else y


class MobileNetV2(nn.Module):
    """Keras's ``MobileNetV2(include_top=False, pooling="avg")``, layer by layer.

    Input: float (n, 3, s, s) in [-1, 1], s a multiple of 32. Output: float (n, 1280).
    """

    def __init__(self, alpha: float = ALPHA) -> None:
        super().__init__()
        width = divisible(32 * alpha)
        layers: list[nn.Module] = [ConvNorm(3, width, 3, 2)]
        table = [
            (1, 16, 1, 1),
            (6, 24, 2, 2),
            (6, 32, 3, 2),
            (6, 64, 4, 2),
            (6, 96, 3, 1),
            (6, 160, 3, 2),
            (6, 320, 1, 1),
        ]
        for expansion, channels, repeats, stride in table:
            outputs = divisible(channels * alpha)
            for i in range(repeats):
                layers.append(Block(width, outputs, stride if i == 0 else 1, expansion))
                width = outputs
        layers.append(ConvNorm(width, FEATURES, 1))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).mean((2, 3))


def keras_weights(model: MobileNetV2) -> list[np.ndarray]:
    """The model's arrays in the order and layout of ``keras.Model.get_weights()``."""
    arrays: list[np.ndarray] = []
    for layer in model.modules():
        if isinstance(layer, ConvNorm):
            kernel = layer.conv.weight.detach().float().numpy()
            depthwise = layer.conv.groups > 1
            arrays.append(np.ascontiguousarray(kernel.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))))
            norm = layer.norm
            arrays += [
                t.detach().float().numpy().copy()
                for t in (norm.weight, norm.bias, norm.running_mean, norm.running_var)
            ]
    return arrays


# --- photos and crops --------------------------------------------------------------------------


def held_out_key(path: Path, links: dict[str, str]) -> str:
    """Return the key by which photos are split: their post, or their content."""
    return links.get(path.name) or hashlib.sha256(path.read_bytes()).hexdigest()


def is_held_out(key: str) -> bool:
    """Whether a key is in the stable pseudo-random ``HELD_OUT_SHARE`` of keys."""
    return int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) / 2**32 < HELD_OUT_SHARE


def find_photos(folders: list[Path]) -> tuple[list[Path], list[Path]]:
    """Return (training, held-out) photos. Only photos with metadata are held out."""
    train: list[Path] = []
    held: list[Path] = []
    for folder in folders:
        links: dict[str, str] = {}
        for listing in sorted(folder.glob("metadata/*.json")):
            for record in json.loads(listing.read_text()):
                links[record["image_local_name"]] = record.get("post_link") or ""
        for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in PHOTO_SUFFIXES):
            out = bool(links) and is_held_out(held_out_key(path, links))
            (held if out else train).append(path)
    return train, held


def load(path: Path) -> Image.Image:
    with Image.open(path) as file:
        file.draft("RGB", (STORED_SIDE, STORED_SIDE))
        photo = ImageOps.exif_transpose(file).convert("RGB")
    scale = STORED_SIDE / min(photo.size)
    if scale < 1:
        photo = photo.resize(
            (max(1, round(photo.width * scale)), max(1, round(photo.height * scale))),
            Image.Resampling.BILINEAR,
        )
    return photo


def random_crop(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return a random part of the photo at the teacher's size; every eighth time the whole photo."""
    width, height = photo.size
    if rng.random() < 0.125:
        box = (0.0, 0.0, float(width), float(height))
    else:
        area = rng.uniform(0.2, 1.0) * width * height
        ratio = math.exp(rng.uniform(math.log(3 / 5), math.log(5 / 3)))
        w = min(width, math.sqrt(area * ratio))
        h = min(height, math.sqrt(area / ratio))
        x, y = rng.uniform(0, width - w), rng.uniform(0, height - h)
        box = (x, y, x + w, y + h)
    crop = photo.resize((TEACHER_SIZE, TEACHER_SIZE), Image.Resampling.BILINEAR, box=box)
    if rng.random() < 0.5:
        crop = ImageOps.mirror(crop)
    if rng.random() < 0.5:
        for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            crop = enhance(crop).enhance(rng.uniform(0.6, 1.4))
    return crop


class Crops:
    """Makes rounds of labelled crops: inputs of the student and outputs of the teacher."""

    def __init__(self, photos: list[Path], teacher: Path, seed: int, threads: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.seed = seed
        self.pool = ThreadPoolExecutor(threads)
        self.photos = list(self.pool.map(load, photos))
        content = teacher.read_bytes()
        self.content = content
        self.interpreters: dict[int, Any] = {}
        self.make = lambda: Interpreter(model_content=content, num_threads=1)

    def teach(self, pixels: np.ndarray) -> np.ndarray:
        import threading

        me = threading.get_ident()
        if me not in self.interpreters:
            interpreter = self.make()
            interpreter.allocate_tensors()
            self.interpreters[me] = interpreter
        interpreter = self.interpreters[me]
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels[None].astype(np.float32))
        interpreter.invoke()
        features = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
        return features / np.linalg.norm(features)

    def one(self, number: int, which: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng([self.seed, number, which])
        crop = random_crop(self.photos[which % len(self.photos)], rng)
        if rng.random() < 0.35:
            other = random_crop(self.photos[rng.integers(len(self.photos))], rng)
            crop = Image.blend(crop, other, rng.uniform(0.1, 0.9))
        features = self.teach(np.asarray(crop))
        small = crop if size == TEACHER_SIZE else crop.resize((size, size), Image.Resampling.BILINEAR)
        return np.asarray(small), features.astype(np.float16)

    def round(self, number: int, count: int, size: int) -> tuple[Tensor, Tensor]:
        """Return crops, uint8 (count, size, size, 3), and unit features, float16 (count, 1280)."""
        pixels = np.empty((count, size, size, 3), np.uint8)
        features = np.empty((count, FEATURES), np.float16)

        def fill(start: int) -> None:
            for i in range(start, min(start + 64, count)):
                pixels[i], features[i] = self.one(number, i, size)

        list(self.pool.map(fill, range(0, count, 64)))
        return torch.from_numpy(pixels), torch.from_numpy(features)


# --- training ----------------------------------------------------------------------------------


@dataclass
class Plan:
    """Everything that determines the result; written into the model card."""

    images: int
    batch: int
    learning_rate: float
    weight_decay: float
    warm_up: float
    cool_down: float
    crops_per_photo: int
    epochs_per_round: int
    small_size: int
    size: int
    small_share: float
    seed: int


def learning_rate(plan: Plan, seen: int) -> float:
    """Linear warm-up, constant, cosine decay to zero over the last ``cool_down`` of the images."""
    if seen < plan.warm_up * plan.images:
        return plan.learning_rate * (seen + plan.batch) / (plan.warm_up * plan.images)
    left = (plan.images - seen) / (plan.cool_down * plan.images)
    return plan.learning_rate * (0.5 - 0.5 * math.cos(math.pi * max(0.0, left)) if left < 1 else 1.0)


def losses(student: Tensor, teacher: Tensor, mean: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Plain cosine, cosine about the teacher's mean, and the batch's pairwise similarities."""
    s, t = F.normalize(student), F.normalize(teacher)
    plain = (1 - (s * t).sum(1)).mean()
    sc, tc = F.normalize(s - mean), F.normalize(t - mean)
    centred = (1 - (sc * tc).sum(1)).mean()
    pairs = ((sc @ sc.T - tc @ tc.T) ** 2).mean()
    return plain, centred, pairs


def prepare(pixels: Tensor) -> Tensor:
    x = pixels.permute(0, 3, 1, 2).to(torch.float32).div_(127.5).sub_(1)
    return x.contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def score(model: nn.Module, pixels: Tensor, features: Tensor, mean: Tensor) -> tuple[float, float]:
    """Return the mean plain and centred cosine of the model's features and the teacher's."""
    model.eval()
    out = torch.cat([model(prepare(p)) for p in pixels.split(256)])
    plain, centred, _ = losses(out, features.float(), mean)
    return 1 - plain.item(), 1 - centred.item()


def save(path: Path, content: Any) -> None:
    partial = path.with_suffix(path.suffix + ".part")
    torch.save(content, partial)
    partial.replace(path)


def train(args: argparse.Namespace, plan: Plan) -> None:
    torch.manual_seed(plan.seed)
    torch.set_num_threads(args.threads)
    train_photos, held_photos = find_photos(args.photos)
    print(f"{len(train_photos)} photos to learn from, {len(held_photos)} kept out", flush=True)
    crops = Crops(train_photos, args.teacher, plan.seed, args.threads)
    per_round = plan.crops_per_photo * len(train_photos) // plan.batch * plan.batch
    held = Crops(held_photos or train_photos, args.teacher, plan.seed, args.threads)
    held_pixels, held_features = held.round(0, min(1024, 2 * len(held.photos)), plan.size)

    model = MobileNetV2().to(memory_format=torch.channels_last)
    decayed = [p for p in model.parameters() if p.ndim == 4 and p.shape[1] > 1]
    others = [p for p in model.parameters() if not (p.ndim == 4 and p.shape[1] > 1)]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": plan.weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=plan.learning_rate,
    )
    seen, number, mean, history = 0, 0, None, []
    checkpoint = args.out.with_suffix(".checkpoint")
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        seen, number, mean, history = state["seen"], state["number"], state["mean"], state["history"]
        print(f"going on from round {number}, {seen} images seen", flush=True)

    run = torch.compile(model) if args.compile else model
    while seen < plan.images:
        started = time.monotonic()
        size = plan.small_size if seen < plan.small_share * plan.images else plan.size
        pixels, features = crops.round(number, per_round, size)
        if mean is None:
            mean = features.float().mean(0)
        made = time.monotonic() - started
        order = torch.Generator().manual_seed(plan.seed * 1_000_003 + number)
        model.train()
        sums, steps = np.zeros(3), 0
        for _ in range(plan.epochs_per_round):
            for rows in torch.randperm(per_round, generator=order).split(plan.batch):
                if seen >= plan.images:
                    break
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate(plan, seen)
                with torch.autocast("cpu", torch.bfloat16, enabled=args.bfloat16):
                    out = run(prepare(pixels[rows]))
                plain, centred, pairs = losses(out.float(), features[rows].float(), mean)
                optimizer.zero_grad(set_to_none=True)
                (0.5 * plain + centred + 5.0 * pairs).backward()
                optimizer.step()
                seen += len(rows)
                steps += 1
                sums += [plain.item(), centred.item(), pairs.item()]
        number += 1
        seconds = time.monotonic() - started
        plain_cosine, centred_cosine = score(model, held_pixels, held_features, mean)
        line = {
            "round": number,
            "seen": seen,
            "size": size,
            "plain": float(sums[0]) / steps,
            "centred": float(sums[1]) / steps,
            "pairs": float(sums[2]) / steps,
            "held_out_cosine": plain_cosine,
            "held_out_centred_cosine": centred_cosine,
        }
        history.append(line)
        left = (plan.images - seen) * seconds / (steps * plan.batch)
        print(
            f"round {number}: {seen}/{plan.images} at {size} px, losses "
            f"{line['plain']:.4f} {line['centred']:.4f} {line['pairs']:.5f}, held out cosine "
            f"{plain_cosine:.4f}, centred {centred_cosine:.4f}; {seconds:.0f} s ({made:.0f} s of crops), "
            f"{left / 60:.0f} min left",
            flush=True,
        )
        save(
            checkpoint,
            {
                "model": model.state_dict(),
                "optimizer": optimizer.state_dict(),
                "seen": seen,
                "number": number,
                "mean": mean,
                "history": history,
            },
        )
        args.out.with_suffix(".json").write_text(
            json.dumps(
                {
                    "plan": asdict(plan),
                    "photos": len(train_photos),
                    "held_out": len(held_photos),
                    "teacher": args.teacher.name,
                    "history": history,
                },
                indent=1,
            )
            + "\n"
        )
    arrays = keras_weights(model)
    np.savez(args.out, **{f"{i:03d}": a for i, a in enumerate(arrays)})  # type: ignore[arg-type]
    print(f"wrote {args.out}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--photos", type=Path, action="append", required=True, help="folder; repeatable")
    parser.add_argument("--teacher", type=Path, required=True, help="LiteRT file of the teacher at 160 px")
    parser.add_argument("--out", type=Path, required=True, help="the .npz to write")
    parser.add_argument("--images", type=int, default=1_500_000, help="crops to train on, repeats counted")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--crops-per-photo", type=int, default=16, help="new crops per photo and round")
    parser.add_argument("--epochs-per-round", type=int, default=2)
    parser.add_argument("--small-size", type=int, default=96, help="first input size")
    parser.add_argument("--size", type=int, default=128, help="last input size")
    parser.add_argument("--small-share", type=float, default=0.6, help="share of images at the small size")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--compile", action="store_true", help="torch.compile the network")
    parser.add_argument(
        "--bfloat16", action="store_true", help="mixed precision, if the processor supports it"
    )
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    train(
        args,
        Plan(
            images=args.images,
            batch=args.batch,
            learning_rate=args.learning_rate,
            weight_decay=0.02,
            warm_up=0.02,
            cool_down=0.35,
            crops_per_photo=args.crops_per_photo,
            epochs_per_round=args.epochs_per_round,
            small_size=args.small_size,
            size=args.size,
            small_share=args.small_share,
            seed=args.seed,
        ),
    )


if __name__ == "__main__":
    main()
