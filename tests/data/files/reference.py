"""PNG images as Pillow writes and reads them, arrays as NumPy writes them: base64 of the files, and their values.

/usr/bin/python3 tests/data/files/reference.py > tests/data/files/reference.json
"""

import base64
import io
import json

import numpy as np
from PIL import Image

rng = np.random.default_rng(7)
height, width = 9, 14
# Slopes and noise, so that a writer chooses every filter.
slope = np.add.outer(np.arange(height) * 9, np.arange(width) * 5)
photo = np.stack([slope, slope[::-1], rng.integers(0, 255, slope.shape)], -1).clip(0, 255).astype(np.uint8)
alpha = rng.integers(0, 255, slope.shape).astype(np.uint8)
images = {
    "grey": Image.fromarray(photo[..., 0]),
    "noise": Image.fromarray(photo[..., 2]),
    "colour": Image.fromarray(photo),
    "alpha": Image.fromarray(np.dstack([photo, alpha])),
    "grey-alpha": Image.fromarray(np.dstack([photo[..., 0], alpha]), "LA"),
    "palette": Image.fromarray(photo).quantize(200),
}
png = {}
for name, image in images.items():
    out = io.BytesIO()
    image.save(out, "PNG", optimize=name == "colour")
    again = Image.open(io.BytesIO(out.getvalue()))
    values = np.array(again.convert("RGB" if name in ("colour", "alpha", "palette") else "L"))
    if name == "grey-alpha":
        values = np.array(again)[..., 0]
    planes = values.transpose(2, 0, 1) if values.ndim == 3 else values
    png[name] = {
        "file": base64.b64encode(out.getvalue()).decode(),
        "shape": planes.shape,
        "values": planes.ravel().tolist(),
    }

arrays = {
    "floats": rng.normal(size=(3, 2)).astype(np.float32),
    "doubles": rng.normal(size=(4,)),
    "bytes": rng.integers(0, 255, (2, 2, 2)).astype(np.uint8),
    "longs": np.array([-5, 0, 123456]),
    "shorts": np.array([[-300, 300]], np.int16),
    "bools": np.array([True, False, True]),
}
npy = {}
for name, array in arrays.items():
    out = io.BytesIO()
    np.save(out, array)
    npy[name] = {
        "file": base64.b64encode(out.getvalue()).decode(),
        "shape": array.shape,
        "values": array.astype(np.float64).ravel().tolist(),
    }


def zipped(save):
    out = io.BytesIO()
    save(out, x=arrays["floats"], label=np.array([0, 2, 1]))
    return base64.b64encode(out.getvalue()).decode()


wrong = {}
for name, array in {
    "columns": np.asfortranarray(rng.normal(size=(3, 2))),
    "complex": np.array([1j]),
    "long": np.array([2**40]),
    "number": np.array(3.0),
    "big": np.array([1.0], ">f8"),
}.items():
    out = io.BytesIO()
    np.save(out, array)
    wrong[name] = base64.b64encode(out.getvalue()).decode()

npz = {"plain": zipped(np.savez), "packed": zipped(np.savez_compressed)}
print(json.dumps({"png": png, "npy": npy, "npz": npz, "wrong": wrong}))
