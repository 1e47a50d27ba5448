"""Clips with known motion: textured objects under affine motion over a moving ground, and their exact flow.

The generator behind FlyingChairs, without its chairs: at every pixel the flow to the next and to the previous
frame follows from the layer that is seen there, so nothing is estimated.

    scene = make_scene(seed=3, frames=16)
    scene.frames                    # uint8 (16, 224, 224, 3)
    scene.flow                      # float32 (16, 224, 224): px per frame, max of forward and backward

A seed decides every pixel. Speeds are log-normal, from objects that stand still to 40 px a frame.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

SIDE = 224
TEXTURE = 512
Pictures = npt.NDArray[np.uint8]
Flow = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scene:
    """frames: uint8 (T, 224, 224, 3). flow: float32 (T, 224, 224), px per frame at each pixel."""

    frames: Pictures
    flow: Flow


@dataclass(frozen=True)
class _Layer:
    """A textured sheet: `colour` (S, S, 3), `alpha` (S, S), and its pose (3 x 3, sheet to picture) a frame."""

    colour: Pictures
    alpha: npt.NDArray[np.uint8]
    poses: list[Matrix]


def make_scene(seed: int, frames: int = 16) -> Scene:
    """A scene of 2 to 5 objects, some of them still, over a ground that pans, turns or stands."""
    draw = np.random.default_rng([seed, 20260312])
    layers = [_ground(draw, frames)] + [_object(draw, frames) for _ in range(int(draw.integers(2, 6)))]
    pictures, flows = zip(*(_paint(layers, t, frames) for t in range(frames)), strict=True)
    return Scene(np.stack(pictures), np.stack(flows))


def pan(texture: Pictures, speed: float, frames: int = 16) -> Pictures:
    """uint8 (frames, 224, 224, 3): a window that slides over `texture` (H, W, 3) at `speed` px a frame."""
    height, width = texture.shape[:2]
    top, room = (height - SIDE) // 2, width - SIDE
    # A triangle wave: at the edge the camera turns back, so any speed fits any texture.
    at = [room - abs(room - (speed * t) % (2 * room)) if room else 0.0 for t in range(frames)]
    shifts = [np.array([[1, 0, -x], [0, 1, -top]], np.float32) for x in at]
    return np.stack([cv2.warpAffine(texture, shift, (SIDE, SIDE)) for shift in shifts])


def make_texture(draw: np.random.Generator, size: int = TEXTURE) -> Pictures:
    """Noise of several octaves in two colours, with some strokes: uint8 (size, size, 3)."""
    noise, weight = np.zeros((size, size)), 0.0
    roughness = draw.uniform(0.55, 0.95)  # how much of the finer octaves there is
    for octave in range(2, 8):
        coarse = draw.random((2**octave, 2**octave)).astype(np.float32)
        noise += roughness**octave * cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
        weight += roughness**octave
    low, high = draw.uniform(0, 150, 3), draw.uniform(90, 255, 3)
    share = np.clip((noise / weight - 0.5) * draw.uniform(1.5, 5) + 0.5, 0, 1)[..., None]
    picture = np.ascontiguousarray((low + share * (high - low)).astype(np.uint8))
    for _ in range(int(draw.integers(0, 25))):
        ends = [tuple(int(x) for x in draw.integers(0, size, 2)) for _ in range(2)]
        colour = tuple(int(x) for x in draw.integers(0, 256, 3))
        cv2.line(picture, ends[0], ends[1], colour, int(draw.integers(1, 5)), cv2.LINE_AA)
    return picture


def _speed(draw: np.random.Generator, still: float) -> float:
    """Px a frame: 0 with probability `still`, else log-normal around 4."""
    return 0.0 if draw.random() < still else float(min(40.0, draw.lognormal(np.log(4.0), 1.0)))


def _ground(draw: np.random.Generator, frames: int) -> _Layer:
    colour = make_texture(draw, 2 * TEXTURE)
    speed = min(_speed(draw, 0.4), 2 * TEXTURE / frames / 2)
    poses = _path(draw, frames, (SIDE / 2, SIDE / 2), 1.0, speed, TEXTURE)
    return _Layer(colour, np.full(colour.shape[:2], 255, np.uint8), poses)


def _object(draw: np.random.Generator, frames: int) -> _Layer:
    """A blob: the circle's radius varies smoothly with the angle."""
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    radius = 1 + sum(draw.uniform(0, 0.3) * np.cos(k * angle + draw.uniform(0, 6.3)) for k in (2, 3, 5))
    outline = np.stack([np.cos(angle) * radius, np.sin(angle) * radius], 1)
    outline = TEXTURE / 2 + outline / np.abs(outline).max() * (TEXTURE / 2 - 4)
    alpha = np.zeros((TEXTURE, TEXTURE), np.uint8)
    cv2.fillPoly(alpha, [outline.astype(np.int32)], 255, cv2.LINE_AA)
    middle = (float(draw.uniform(20, SIDE - 20)), float(draw.uniform(20, SIDE - 20)))
    size = float(draw.uniform(0.06, 0.22))
    return _Layer(
        make_texture(draw), alpha, _path(draw, frames, middle, size, _speed(draw, 0.25), TEXTURE // 2)
    )


def _path(
    draw: np.random.Generator,
    frames: int,
    middle: tuple[float, float],
    size: float,
    speed: float,
    centre: int,
) -> list[Matrix]:
    """Poses of steady translation, turning and growing; `middle` is passed in the middle of the clip."""
    heading = draw.uniform(0, 2 * np.pi)
    # What turns or grows moves too: both fade with the speed, so that a still layer stands truly still.
    turn = draw.normal(0, 0.015) * min(1.0, speed)
    grow = draw.normal(0, 0.006) * min(1.0, speed)
    start = draw.uniform(0, 2 * np.pi)
    poses = []
    for t in range(frames):
        s = t - (frames - 1) / 2
        x = middle[0] + speed * s * np.cos(heading)
        y = middle[1] + speed * s * np.sin(heading)
        scale, angle = size * np.exp(grow * s), start + turn * s
        c, d = scale * np.cos(angle), scale * np.sin(angle)
        poses.append(
            np.array([[c, -d, x - c * centre + d * centre], [d, c, y - d * centre - c * centre], [0, 0, 1]])
        )
    return poses


def _paint(layers: list[_Layer], t: int, frames: int) -> tuple[Pictures, Flow]:
    """Frame `t` and the speed of what is seen at each of its pixels."""
    picture = np.zeros((SIDE, SIDE, 3), np.float32)
    flow = np.zeros((SIDE, SIDE), np.float32)
    for layer in layers:
        pose = layer.poses[t]
        shape = (SIDE, SIDE)
        colour = cv2.warpAffine(
            layer.colour, pose[:2], shape, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT
        )
        alpha = cv2.warpAffine(layer.alpha, pose[:2], shape).astype(np.float32)[..., None] / 255
        if layer is layers[0]:
            alpha = np.ones_like(alpha)  # the ground goes on beyond its sheet, mirrored
        picture += alpha * (colour - picture)
        speed = np.zeros((SIDE, SIDE), np.float32)
        for other in (t - 1, t + 1):
            if 0 <= other < frames:
                speed = np.maximum(speed, _moved(layer.poses[other] @ np.linalg.inv(pose)))
        flow = np.where(alpha[..., 0] >= 0.5, speed, flow)
    return picture.round().clip(0, 255).astype(np.uint8), flow


def _moved(matrix: Matrix) -> Flow:
    """Length of the displacement of every pixel under an affine map of the picture: float32 (224, 224)."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    dx = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] - x
    dy = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] - y
    return np.asarray(np.hypot(dx, dy), np.float32)
