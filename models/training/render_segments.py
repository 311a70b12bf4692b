"""Renders stacks of tunnel lining segments (盾构管片) with a box for every visible segment.

No pictures of such stacks are to be had, so these are synthetic, and scores on them are. A segment
is a curved block (inner radius 2.4-3.0 m, a sixth of a ring) with bolt pockets; one to eight lie on
each other, hollow side up, on timber. Runs in Blender as a module (PyPI `bpy`, GPL-3.0 tool; what
it renders is ours), on a CPU, about a second a picture.

    python models/training/render_segments.py --out DATA/segments --count 200
"""

from __future__ import annotations

import argparse
import json
import math
import random
from pathlib import Path

import bpy  # isort: skip - brings the modules below
import bmesh
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Euler, Vector

WIDTH, HEIGHT = 512, 320
SAMPLES = 4
_ARC_STEPS, _WIDTH_STEPS = 12, 6
# A segment counts when at least this share of its surface points towards the camera is seen.
_MIN_SEEN = 0.06
_MIN_PIXELS = 6


def material(name: str, colour, roughness: float, grain: float):
    """A rough surface whose lightness varies as concrete, timber and soil do."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    nodes, links = made.node_tree.nodes, made.node_tree.links
    shader = nodes["Principled BSDF"]
    shader.inputs["Roughness"].default_value = roughness
    noise, ramp = nodes.new("ShaderNodeTexNoise"), nodes.new("ShaderNodeValToRGB")
    noise.inputs["Scale"].default_value = grain
    noise.inputs["Detail"].default_value = 6
    ramp.color_ramp.elements[0].color = (*(c * 0.55 for c in colour), 1)
    ramp.color_ramp.elements[1].color = (*(min(1, c * 1.25) for c in colour), 1)
    links.new(noise.outputs["Fac"], ramp.inputs["Fac"])
    links.new(ramp.outputs["Color"], shader.inputs["Base Color"])
    return made


def segment(rng: random.Random, radius: float, thickness: float, width: float, angle: float):
    """Builds one segment's mesh, hollow side up, its lowest line at z = 0."""
    mesh, shape = bpy.data.meshes.new("segment"), bmesh.new()
    rows = []
    for r in (radius, radius - thickness):
        rows.append(
            [
                [
                    shape.verts.new(
                        (
                            r * math.sin(a := angle * (i / _ARC_STEPS - 0.5)),
                            width * (j / _WIDTH_STEPS - 0.5),
                            radius - r * math.cos(a),
                        )
                    )
                    for j in range(_WIDTH_STEPS + 1)
                ]
                for i in range(_ARC_STEPS + 1)
            ]
        )
    outer, inner = rows
    pockets = []
    for i in range(_ARC_STEPS):
        for j in range(_WIDTH_STEPS):
            shape.faces.new((outer[i][j], outer[i][j + 1], outer[i + 1][j + 1], outer[i + 1][j]))
            face = shape.faces.new(
                (inner[i][j], inner[i + 1][j], inner[i + 1][j + 1], inner[i][j + 1])
            )
            if j in (0, _WIDTH_STEPS - 1) and i % 3 == 1 or i in (0, _ARC_STEPS - 1) and j % 2:
                pockets.append(face)
    for i in range(_ARC_STEPS):
        for j in (0, _WIDTH_STEPS):
            shape.faces.new((outer[i][j], outer[i + 1][j], inner[i + 1][j], inner[i][j]))
    for j in range(_WIDTH_STEPS):
        for i in (0, _ARC_STEPS):
            shape.faces.new((outer[i][j], outer[i][j + 1], inner[i][j + 1], inner[i][j]))
    bmesh.ops.recalc_face_normals(shape, faces=shape.faces)
    for face in pockets:
        bmesh.ops.inset_individual(shape, faces=[face], thickness=0.06, depth=-0.1)
    shape.to_mesh(mesh)
    shape.free()
    return bpy.data.objects.new("segment", mesh)


def block(name: str, size, place, made, yaw: float = 0.0):
    """Adds a box."""
    bpy.ops.mesh.primitive_cube_add(size=1, location=place, rotation=(0, 0, yaw))
    added = bpy.context.object
    added.name, added.scale = name, size
    added.data.materials.append(made)
    return added


def stack(rng: random.Random, origin: Vector, yaw: float, layers: int, shape, looks):
    """Piles segments on timber; returns them, the lowest first."""
    radius, thickness, width, angle = shape
    concrete, timber = looks
    spacer, made = rng.uniform(0.08, 0.18), []
    height = spacer
    for _ in range(layers):
        added = segment(rng, radius, thickness, width, angle)
        added.data.materials.append(concrete)
        bpy.context.collection.objects.link(added)
        shift = Vector((rng.gauss(0, 0.03), rng.gauss(0, 0.04), 0))
        added.location = origin + shift + Vector((0, 0, height))
        added.rotation_euler = (0, 0, yaw + rng.gauss(0, 0.015))
        for side in (-0.22, 0.22):
            along = radius * math.sin(side * angle)
            rise = radius - radius * math.cos(side * angle)
            place = origin + Vector((along * math.cos(yaw), along * math.sin(yaw), 0))
            place.z = height + rise - spacer / 2
            block("timber", (0.14, width * 0.9, spacer), place, timber, yaw)
        made.append(added)
        height += thickness + spacer
    return made


def surroundings(rng: random.Random) -> None:
    """Adds ground, light, sky and clutter."""
    tone = rng.choice([(0.32, 0.25, 0.18), (0.42, 0.41, 0.38), (0.25, 0.26, 0.2), (0.5, 0.46, 0.4)])
    bpy.ops.mesh.primitive_plane_add(size=400)
    bpy.context.object.data.materials.append(material("ground", tone, 0.95, rng.uniform(2, 40)))
    light = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    bpy.context.collection.objects.link(light)
    light.data.energy = rng.choice([0.3, 1.5, 3.0, 4.5])
    light.data.angle = rng.uniform(0.01, 0.3)
    light.rotation_euler = (rng.uniform(0.2, 1.1), 0, rng.uniform(0, 6.3))
    sky = bpy.data.worlds.new("sky")
    bpy.context.scene.world = sky
    sky.use_nodes = True
    back = sky.node_tree.nodes["Background"]
    grey = rng.uniform(0.4, 0.95)
    back.inputs["Color"].default_value = (grey * 0.85, grey * 0.93, grey, 1)
    back.inputs["Strength"].default_value = rng.uniform(0.35, 1.1)
    for _ in range(rng.randint(2, 9)):
        away, turn = rng.uniform(9, 40), rng.uniform(0, 6.3)
        size = (rng.uniform(0.3, 8), rng.uniform(0.3, 6), rng.uniform(0.4, 5))
        place = (away * math.cos(turn), away * math.sin(turn), size[2] / 2)
        colour = rng.choice(
            [(0.5, 0.1, 0.05), (0.05, 0.15, 0.4), (0.6, 0.5, 0.1), (0.5, 0.5, 0.5), (0.3, 0.2, 0.1)]
        )
        block("clutter", size, place, material("paint", colour, 0.6, 3), rng.uniform(0, 3.1))


def camera(rng: random.Random, target: Vector):
    """Places a camera as on a mast or a gantry."""
    made = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    bpy.context.collection.objects.link(made)
    away, turn = rng.uniform(6, 17), rng.uniform(0, 6.3)
    made.location = target + Vector((away * math.cos(turn), away * math.sin(turn), 0))
    made.location.z = rng.uniform(2.0, 9.0)
    aim = target + Vector((rng.gauss(0, 1), rng.gauss(0, 1), rng.gauss(0, 0.6)))
    made.rotation_euler = (aim - made.location).to_track_quat("-Z", "Y").to_euler()
    made.rotation_euler.rotate_axis("Z", rng.gauss(0, 0.03))
    made.data.angle = math.radians(rng.uniform(28, 75))
    bpy.context.scene.camera = made
    return made


def seen_box(made, eye) -> list[float] | None:
    """Returns the pixel box (left, top, width, height) of what the camera sees of an object."""
    scene, graph = bpy.context.scene, bpy.context.evaluated_depsgraph_get()
    origin, facing, spots = eye.matrix_world.translation, 0, []
    for vertex in made.data.vertices:
        point = made.matrix_world @ vertex.co
        normal = made.matrix_world.to_3x3() @ vertex.normal
        ray = point - origin
        if normal.dot(ray) > 0:
            continue
        facing += 1
        hit, place, *_ = scene.ray_cast(graph, origin, ray.normalized())
        if not hit or (place - point).length > 0.06:
            continue
        view = world_to_camera_view(scene, eye, point)
        if 0 <= view.x <= 1 and 0 <= view.y <= 1 and view.z > 0:
            spots.append((view.x * WIDTH, (1 - view.y) * HEIGHT))
    if not facing or len(spots) < _MIN_SEEN * facing:
        return None
    left, top = (min(s[k] for s in spots) for k in (0, 1))
    right, low = (max(s[k] for s in spots) for k in (0, 1))
    if min(right - left, low - top) < _MIN_PIXELS:
        return None
    return [round(v, 1) for v in (left, top, right - left, low - top)]


def compose(rng: random.Random) -> list[list[float]]:
    """Builds one yard and returns the boxes of its segments."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device, scene.cycles.samples = "CPU", SAMPLES
    scene.cycles.use_denoising, scene.cycles.max_bounces = True, 3
    scene.cycles.seed = rng.randrange(1 << 30)
    scene.render.threads_mode, scene.render.threads = "FIXED", 1
    scene.render.resolution_x, scene.render.resolution_y = WIDTH, HEIGHT
    scene.render.resolution_percentage = 100
    scene.render.image_settings.file_format = "JPEG"
    scene.render.image_settings.quality = 88
    scene.view_settings.exposure = rng.uniform(-0.8, 0.7)
    surroundings(rng)
    grey = rng.uniform(0.25, 0.6)
    looks = (
        material("concrete", (grey, grey * 0.98, grey * 0.94), 0.85, rng.uniform(3, 25)),
        material("timber", (0.35, 0.22, 0.11), 0.9, 12),
    )
    radius, thickness = rng.uniform(2.7, 3.4), rng.uniform(0.28, 0.42)
    shape = (radius, thickness, rng.uniform(1.1, 1.8), math.radians(rng.uniform(40, 68)))
    pitch = 2 * radius * math.sin(shape[3] / 2) + rng.uniform(0.4, 1.5)
    yaw, segments = rng.uniform(0, 3.1), []
    places = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    rng.shuffle(places)
    for i, j in places[: rng.randint(1, 5)]:
        if rng.random() < 0.08:
            continue
        along = Vector((i * pitch, j * (shape[2] + 0.8), 0))
        along.rotate(Euler((0, 0, yaw)))
        segments += stack(rng, along, yaw, rng.randint(1, 8), shape, looks)
    eye = camera(rng, Vector((0, 0, 1.2)))
    bpy.context.view_layer.update()
    return [box for made in segments if (box := seen_box(made, eye))]


def main() -> None:
    """Reads the command line and renders both splits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the new set")
    parser.add_argument("--count", type=int, default=200, help="pictures; a fifth is for judging")
    parser.add_argument("--seed", type=int, default=7, help="seed of the yards")
    args = parser.parse_args()
    (args.out / "images").mkdir(parents=True, exist_ok=True)
    documents = {
        split: {"categories": [{"id": 1, "name": "segment"}], "images": [], "annotations": []}
        for split in ("train", "dev")
    }
    for number in range(args.count):
        document = documents["dev" if number % 5 == 0 else "train"]
        name = f"images/segments_{number:05}.jpg"
        boxes = compose(random.Random(args.seed * 1_000_003 + number))
        bpy.context.scene.render.filepath = str(args.out / name)
        if not (args.out / name).exists():
            bpy.ops.render.render(write_still=True)
        document["images"].append(
            {"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT,
             "source": "rendered", "license": "ours", "annotated_classes": ["segment"]}
        )  # fmt: skip
        for box in boxes:
            document["annotations"].append(
                {"id": len(document["annotations"]) + 1, "image_id": number, "category_id": 1,
                 "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
            )  # fmt: skip
        for split, written in documents.items():
            (args.out / f"{split}.json").write_text(json.dumps(written))


if __name__ == "__main__":
    main()
