"""Generated clips: textured things and lettering that move, a camera that pans, zooms or stands, cuts.

Training needs clips in which some patches are worth more than others and most of a frame is known from the
frame before; these have both, and cost no download. Nothing here comes from `hlvid.mini`, which this package
may not import; the two share no code, only the idea.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from autogaze.training.generator_sprites import Pixels, cutout, lettering, texture

SIZE = 224
WORLD = 448
"""Side of the painted ground, px; beyond it the ground is mirrored."""

CUTS = 0.15
GRAIN = 0.3
CAMERAS = ("static", "static", "pan", "pan", "zoom", "hand")
Affine = NDArray[np.float64]


@dataclass(frozen=True)
class Path:
    """Where something is: a start, a drift a frame and a swing; x and y in px.

    turn: radians a frame. grow: factor a frame.
    """

    start: tuple[float, float]
    drift: tuple[float, float] = (0.0, 0.0)
    swing: tuple[float, float] = (0.0, 0.0)
    turn: float = 0.0
    grow: float = 1.0

    def at(self, t: int) -> tuple[float, float]:
        """The place in frame t."""
        wave = np.sin(0.7 * t)
        x, y = (s + d * t + w * wave for s, d, w in zip(self.start, self.drift, self.swing, strict=True))
        return float(x), float(y)


@dataclass(frozen=True)
class Scene:
    """Frames between two cuts.

    camera: path of the point in the world that the picture's middle shows; `zoom` px of picture a px of world.
    things: pictures with their paths, in world px; overlays: the same in picture px (captions).
    """

    frames: int
    ground: Pixels
    camera: Path
    kind: str
    zoom: float
    shake: NDArray[np.float64]
    things: tuple[tuple[Pixels, Path], ...]
    overlays: tuple[tuple[Pixels, Path], ...]

    @property
    def still(self) -> bool:
        """Whether all its frames are the same (but for grain)."""
        moving = any(path.drift != (0.0, 0.0) or path.turn for _, path in self.things)
        return self.kind == "static" and not moving


@dataclass(frozen=True)
class Script:
    """A clip before it is painted. grain: standard deviation of the noise of the sensor, in 0..255."""

    scenes: tuple[Scene, ...]
    grain: float
    seed: int


def clip(seed: int, frames: int = 16) -> Tensor:
    """One clip, uint8 (frames, 3, 224, 224). Raises ValueError for fewer than one frame or a negative seed."""
    run = script(seed, frames)
    pictures = np.stack([_paint(scene, t) for scene in run.scenes for t in range(scene.frames)])
    if run.grain:
        noise = np.random.default_rng([seed, 1]).standard_normal(pictures.shape, dtype=np.float32)
        pictures = np.clip(pictures + run.grain * noise + 0.5, 0, 255).astype(np.uint8)
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))


def script(seed: int, frames: int = 16) -> Script:
    """What `clip` paints for the same arguments."""
    if frames < 1 or seed < 0:
        raise ValueError(f"frames={frames}, seed={seed}: expected at least one frame and a seed of 0 or more")
    draw = np.random.default_rng([seed, 0])
    parts = [frames]
    if frames > 1 and draw.random() < CUTS:
        cut = int(draw.integers(1, frames))
        parts = [cut, frames - cut]
    scenes = tuple(_scene(draw, part) for part in parts)
    return Script(scenes, float(draw.uniform(1, 5)) if draw.random() < GRAIN else 0.0, seed)


def _scene(draw: np.random.Generator, frames: int) -> Scene:
    kind = str(draw.choice(CAMERAS))
    zoom = float(draw.uniform(0.7, 1.6))
    middle = (float(draw.uniform(160, 288)), float(draw.uniform(160, 288)))
    drift = _vector(draw, 1, 12) if kind == "pan" else (0.0, 0.0)
    grow = float(draw.uniform(0.95, 1.05)) if kind == "zoom" else 1.0
    shake = draw.normal(0, 2.0, (frames, 2)).cumsum(0) if kind == "hand" else np.zeros((frames, 2))
    things = [(cutout(draw), _path(draw, middle)) for _ in range(draw.integers(0, 5))]
    things += [(lettering(draw), _path(draw, middle)) for _ in range(draw.integers(0, 3))]
    captions = []
    if draw.random() < 0.2:
        place = (float(draw.uniform(60, 164)), float(draw.choice([24.0, 200.0])))
        captions.append((lettering(draw), Path(place)))
    ground = texture(draw, WORLD, WORLD)
    camera = Path(middle, drift, grow=grow)
    return Scene(frames, ground, camera, kind, zoom, shake, tuple(things), tuple(captions))


def _path(draw: np.random.Generator, middle: tuple[float, float]) -> Path:
    """Of a thing near the camera's first look; two in five never move."""
    start = (middle[0] + float(draw.uniform(-110, 110)), middle[1] + float(draw.uniform(-110, 110)))
    if draw.random() < 0.4:
        return Path(start)
    swing = _vector(draw, 0, 8) if draw.random() < 0.3 else (0.0, 0.0)
    turn = float(draw.normal(0, 0.06)) if draw.random() < 0.4 else 0.0
    return Path(start, _vector(draw, 0.5, 14), swing, turn)


def _vector(draw: np.random.Generator, low: float, high: float) -> tuple[float, float]:
    """A direction at random, `low` to `high` px long; short ones are common."""
    angle, length = draw.uniform(0, 2 * np.pi), low + (high - low) * draw.random() ** 2
    return float(length * np.cos(angle)), float(length * np.sin(angle))


def _paint(scene: Scene, t: int) -> Pixels:
    """Frame t of a scene: uint8 (224, 224, 3)."""
    view = _view(scene, t)
    picture: Pixels = cv2.warpAffine(
        scene.ground, view, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    for thing, path in scene.things:
        _lay(picture, thing, view @ np.vstack([_placed(thing, path, t), [0, 0, 1]]))
    for thing, path in scene.overlays:
        _lay(picture, thing, _placed(thing, path, t))
    return picture


def _view(scene: Scene, t: int) -> Affine:
    """World px to picture px, (2, 3)."""
    x, y = scene.camera.at(t) + scene.shake[t]
    zoom = scene.zoom * scene.camera.grow**t
    return np.array([[zoom, 0, SIZE / 2 - zoom * x], [0, zoom, SIZE / 2 - zoom * y]])


def _placed(thing: Pixels, path: Path, t: int) -> Affine:
    """The thing's own px to where its path puts it, turned about its middle, (2, 3)."""
    height, width = thing.shape[:2]
    cos, sin = np.cos(path.turn * t), np.sin(path.turn * t)
    turn = np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([turn, np.array(path.at(t)) - turn @ [width / 2, height / 2]])


def _lay(picture: Pixels, thing: Pixels, matrix: Affine) -> None:
    """Blend a thing over the picture, within the box that it covers."""
    height, width = thing.shape[:2]
    corners = matrix @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]])
    left, top = np.maximum(np.floor(corners.min(1)), 0).astype(int)
    right, bottom = np.minimum(np.ceil(corners.max(1)), SIZE).astype(int)
    if left >= right or top >= bottom:
        return
    moved = matrix - [[0, 0, left], [0, 0, top]]
    shown = cv2.warpAffine(thing, moved, (int(right - left), int(bottom - top)), flags=cv2.INTER_LINEAR)
    cover = shown[..., 3:].astype(np.float32) / 255
    under = picture[top:bottom, left:right]
    under[:] = (shown[..., :3] * cover + under * (1 - cover) + 0.5).astype(np.uint8)
