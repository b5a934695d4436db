"""The 64 pictures: name, size in pixels, how it is drawn, how it is stored."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PIL import Image

from mini_pictures import (
    beach,
    books,
    cactus,
    candles,
    cups,
    fields,
    flat,
    flowers,
    forest_floor,
    fruit,
    glass,
    land,
    shore,
    town,
    ware,
    woods,
)
from mini_pictures.canvas import Canvas
from mini_pictures.studio import checks, cloth, planks

Draw = Callable[[Canvas], None]

WIDE, FILM, TALL, SQUARE = (500, 375), (500, 333), (333, 500), (400, 400)
SMALL, STRIP, UPRIGHT = (240, 180), (500, 120), (375, 500)
SMALLER = (400, 300)  # for what is full of detail


@dataclass(frozen=True)
class Picture:
    """One picture of the mini release."""

    name: str
    size: tuple[int, int]  # width, height in pixels
    draw: Draw
    mode: str = "RGB"  # RGB, L or CMYK
    progressive: bool = False

    def seed(self) -> int:
        """The seed of its random numbers, from its name."""
        return int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:4], "big")

    def image(self) -> Image.Image:
        """Draw it: an image of H × W in its mode (8 bits a channel)."""
        canvas = Canvas(*self.size, self.seed())
        self.draw(canvas)
        image = canvas.image()
        return image if self.mode == "RGB" else image.convert(self.mode)


DAWN = [(0.0, "4a6a9a"), (0.5, "c8b4b8"), (1.0, "f8d8b0")]
DUSK = [(0.0, "3a3a6c"), (0.5, "b86a7a"), (1.0, "f8b068")]
NOON = [(0.0, "3a78c0"), (0.6, "8cbce4"), (1.0, "d8ecf4")]
PALE = [(0.0, "8cb0cc"), (1.0, "eef0e8")]
NIGHT = [(0.0, "050a1c"), (0.6, "10203c"), (1.0, "243a58")]
ROSE = [(0.0, "6a78b0"), (0.55, "e0a8b4"), (1.0, "fce0c8")]
MINT = [(0.0, "20505c"), (0.6, "88c0b0"), (1.0, "f4ecc0")]
GREY = [(0.0, "8a98a4"), (1.0, "e4e8e8")]

WARM_WALL = ("d8b888", "4a3424")
COOL_WALL = ("a8bcc8", "2c3c4c")
DARK_WALL = ("4a4038", "120e0c")
SAGE_WALL = ("b8c4a0", "4a5840")
PINK_WALL = ("e8c0b4", "7c5058")
BLUE_WALL = ("88a8d0", "24344c")

PICTURES: tuple[Picture, ...] = (
    Picture(
        "ranges at dawn",
        WIDE,
        partial(land.ranges, stops=DAWN, far="a8b4cc", near="1c3044", sun=(0.7, 0.27)),
    ),
    Picture(
        "ranges at dusk",
        FILM,
        partial(land.ranges, stops=DUSK, far="d08878", near="2a1830", sun=(0.35, 0.3)),
    ),
    Picture(
        "green ranges",
        STRIP,
        partial(land.ranges, stops=MINT, far="a0c8b4", near="10302c", layers=6),
    ),
    Picture(
        "ranges in grey",
        TALL,
        partial(land.ranges, stops=GREY, far="c0c8cc", near="20282c", layers=8),
        "L",
    ),
    Picture("peaks at noon", WIDE, partial(land.peaks, stops=NOON, haze="b8d0e8")),
    Picture("alpenglow", FILM, partial(land.peaks, stops=ROSE, haze="e8c0c8", light=-1.0)),
    Picture(
        "dunes at noon", WIDE, partial(land.dunes, stops=NOON, lit="f0c888", dark="c88848"), "CMYK"
    ),
    Picture(
        "red dunes", TALL, partial(land.dunes, stops=DAWN, lit="e8864c", dark="a84824", light=-1.0)
    ),
    Picture("canyon", WIDE, partial(land.canyon, stops=NOON)),
    Picture(
        "islands",
        WIDE,
        partial(land.islands, stops=NOON, shallow="48c4c0", deep="0c4c84", haze="b8dcec"),
    ),
    Picture(
        "islands at dawn",
        SMALL,
        partial(land.islands, stops=ROSE, shallow="88b8b8", deep="3c5880", haze="ecd0c8"),
    ),
    Picture(
        "river",
        WIDE,
        partial(land.river, stops=DAWN, grass="7c9a48", woods="24401c", haze="dcd0c4"),
    ),
    Picture(
        "autumn river",
        TALL,
        partial(land.river, stops=PALE, grass="b89440", woods="8c3c14", haze="dcdcd4"),
    ),
    Picture(
        "sunset", WIDE, partial(shore.sunset, stops=DUSK, sun_x=0.6, warm="ffb060", tint="1c2c50")
    ),
    Picture("moonrise", TALL, partial(shore.moonrise, stops=NIGHT, at=(0.6, 0.24), size=0.08)),
    Picture(
        "sails",
        WIDE,
        partial(
            shore.sails, stops=NOON, tint="1c5c88", cloth=["fbf6ea", "e86848", "fbf6ea", "f0c040"]
        ),
    ),
    Picture(
        "sails at dusk",
        SQUARE,
        partial(shore.sails, stops=DUSK, tint="3c3c6c", cloth=["f8d8b8", "c8485c"], count=3),
    ),
    Picture(
        "lighthouse", TALL, partial(shore.lighthouse, stops=NOON, night=False, stripes="c83028")
    ),
    Picture(
        "lighthouse at night",
        FILM,
        partial(shore.lighthouse, stops=NIGHT, night=True, stripes="28487c"),
    ),
    Picture("bridge in fog", FILM, partial(shore.bridge, stops=DAWN, steel="c84830", fog="ecdcd0")),
    Picture(
        "iceberg",
        FILM,
        partial(shore.iceberg, stops=[(0.0, "6c98b8"), (1.0, "e0e8ec")], tint="1c5470"),
    ),
    Picture(
        "spruces in fog",
        WIDE,
        partial(woods.fog_forest, stops=[(0.0, "a8b8b8"), (1.0, "e4e8e0")], near="142c24"),
    ),
    Picture(
        "spruces with sunbeams",
        TALL,
        partial(
            woods.fog_forest, stops=[(0.0, "e8c888"), (1.0, "f8ecc8")], near="2c3014", beams=True
        ),
    ),
    Picture(
        "snow", WIDE, partial(woods.snowfall, stops=[(0.0, "94a8c0"), (1.0, "e0e6ee")], glow=None)
    ),
    Picture(
        "cabin in the snow",
        FILM,
        partial(
            woods.snowfall,
            stops=[(0.0, "1c2c54"), (0.6, "4c5c8c"), (1.0, "8c8cb0")],
            glow="ffc860",
            flakes=300,
        ),
    ),
    Picture(
        "autumn birches",
        TALL,
        partial(
            woods.birches,
            stops=[(0.0, "f0dca0"), (1.0, "d8a858")],
            leaves=["e8a818", "f0c838", "d87818", "c85018"],
        ),
    ),
    Picture(
        "aurora", FILM, partial(woods.northern_lights, stops=NIGHT, low="40f090", high="8040c0")
    ),
    Picture(
        "violet aurora",
        TALL,
        partial(woods.northern_lights, stops=NIGHT, low="38d8c8", high="d040a0", bands=4),
    ),
    Picture(
        "waterfall", TALL, partial(woods.waterfall, rock="6c6860", leaf="4c7c34", pool="28646c")
    ),
    Picture(
        "shower",
        FILM,
        partial(woods.storm, stops=[(0.0, "48545c"), (1.0, "e8d8a8")], field="c8b448"),
    ),
    Picture(
        "tulips and mill",
        WIDE,
        partial(
            fields.tulips,
            stops=NOON,
            colours=["d82838", "f0c020", "e868a0", "f4f0e8", "8838a0"],
            mill=True,
        ),
    ),
    Picture(
        "lavender",
        FILM,
        partial(
            fields.lavender,
            stops=[(0.0, "4c5890"), (0.6, "d890a0"), (1.0, "fcc888")],
            colours=["6848a8", "7c58b8"],
            leaf="485040",
        ),
        progressive=True,
    ),
    Picture(
        "balloons",
        WIDE,
        partial(
            fields.balloons,
            stops=ROSE,
            hues=[
                ["d83030", "f8d040", "f4f0e0"],
                ["2858a8", "f0f0f0"],
                ["e87020", "f8c840", "883050"],
                ["208878", "f0e0a0"],
                ["c83858", "f8f0e0", "303c78"],
            ],
            hills="3c4c6c",
        ),
    ),
    Picture(
        "balloons at noon",
        TALL,
        partial(
            fields.balloons,
            stops=NOON,
            hues=[["f8b020", "e85020"], ["38a0a0", "f8f4e0", "e85868"], ["6840a0", "d8b8e8"]],
            hills="3c6c48",
        ),
    ),
    Picture(
        "heap clouds",
        WIDE,
        partial(fields.heaps, stops=NOON, meadow="7cac48", light="ffffff", shade="94a8c4"),
    ),
    Picture(
        "rainbow",
        FILM,
        partial(fields.rainbow, stops=[(0.0, "3c4858"), (1.0, "98a4ac")], meadow="d8a840"),
    ),
    Picture(
        "skyline",
        FILM,
        partial(
            town.skyline,
            stops=[(0.0, "0c1030"), (0.6, "3c2c5c"), (1.0, "c86868")],
            window="ffd890",
            tint="101830",
        ),
    ),
    Picture(
        "skyline with moon",
        (500, 260),
        partial(town.skyline, stops=NIGHT, window="ffe0a0", tint="081020", moon=True),
    ),
    Picture(
        "rain on the window",
        FILM,
        partial(
            town.rainy_window,
            stops=[(0.0, "141c30"), (0.6, "283048"), (1.0, "101420")],
            lights=["ffb040", "f05030", "ffe0a0", "50b0d0", "f08050"],
        ),
    ),
    Picture(
        "roofs",
        WIDE,
        partial(
            town.roofs,
            stops=[(0.0, "4c5880"), (0.6, "c89898"), (1.0, "f0c8a0")],
            walls=["e8d8b8", "d8a878", "c87858", "e8e0d0", "a8b0a8"],
            roof="9c4830",
        ),
    ),
    Picture(
        "fruit bowl",
        WIDE,
        partial(
            fruit.bowl,
            ware="e8e4dc",
            trim="2c5494",
            first="efe8da",
            second="dcd0bc",
            wall=COOL_WALL,
            green=False,
        ),
    ),
    Picture(
        "fruit on gingham",
        SQUARE,
        partial(
            fruit.bowl,
            ware="5c8c8c",
            trim="e0d8b8",
            first="f4efe6",
            second="b83838",
            wall=WARM_WALL,
            green=True,
        ),
    ),
    Picture("lemons", WIDE, partial(fruit.lemons, first="3c6a9c", second="5484b4", wall=BLUE_WALL)),
    Picture(
        "pears", FILM, partial(fruit.pears, first="3c2818", second="6c4a2c", wall=DARK_WALL), "CMYK"
    ),
    Picture(
        "pumpkins",
        FILM,
        partial(
            fruit.pumpkins,
            codes=["d86818", "e8dcc0", "587048", "e89028", "c84818"],
            first="5c4430",
            second="8c6c4c",
            wall=SAGE_WALL,
        ),
    ),
    Picture(
        "tea",
        WIDE,
        partial(
            cups.tea,
            base="e8ece8",
            trim="2c6080",
            drink="8c3c0c",
            cover=cloth("c8b898", "b8a684"),
            wall=SAGE_WALL,
            pot=True,
        ),
    ),
    Picture(
        "coffee",
        SMALL,
        partial(
            cups.tea,
            base="a83c2c",
            trim="f0e0c0",
            drink="2c1408",
            cover=ware.OAK,
            wall=WARM_WALL,
            pot=False,
        ),
    ),
    Picture(
        "books and apple",
        UPRIGHT,
        partial(
            books.books,
            codes=["7c2820", "28485c", "3c5434", "8c6428", "4c3050", "a04828"],
            cover=ware.WOOD,
            wall=DARK_WALL,
            upright=False,
        ),
    ),
    Picture(
        "bottles",
        WIDE,
        partial(
            glass.bottles,
            codes=["3c8c50", "d8a040", "4090c8", "c8e4d8", "b84848", "8858a8"],
            cover=ware.LINEN,
            wall=("f4ecd8", "988c80"),
            back=True,
        ),
    ),
    Picture(
        "candles",
        FILM,
        partial(
            candles.candles,
            wax=["e8d8b8", "b03028", "f0e8d8", "c89848", "784058"],
            cover=ware.WOOD,
            wall=("3c2c28", "0c0a10"),
        ),
    ),
    Picture(
        "daisies",
        TALL,
        partial(
            flowers.vase,
            ware="3c6898",
            trim="e8e4d8",
            petals=["f8f4ec", "f8f4ec", "f0c8d8"],
            kind="daisies",
            cover=ware.LINEN,
            wall=SAGE_WALL,
        ),
    ),
    Picture(
        "sunflowers",
        UPRIGHT,
        partial(
            flowers.vase,
            ware="c8a068",
            trim="8c4c28",
            petals=["f0b010", "f4c428", "e89810"],
            kind="sunflowers",
            cover=ware.WOOD,
            wall=BLUE_WALL,
        ),
    ),
    Picture(
        "cactus",
        TALL,
        partial(
            cactus.cactus,
            skins=["4c8c54"],
            pot="c06840",
            trim="e8d0a8",
            cover=cloth("e8c8b0", "dcb8a0"),
            wall=PINK_WALL,
            round_one=False,
        ),
    ),
    Picture(
        "fish bowl",
        SQUARE,
        partial(
            glass.fish_bowl,
            fish=["f06818", "f8a028", "e84820"],
            cover=planks("7c5c40", "a88460"),
            wall=("b8d4d0", "486870"),
            gravel=["d8c8a8", "a89880", "e8e0d0", "887868"],
        ),
    ),
    Picture(
        "shells",
        SMALLER,
        partial(
            beach.shells, first="c8a878", second="e8d0a4", wall=("d8ecec", "88b8c4"), star="d86038"
        ),
    ),
    Picture(
        "mushrooms",
        WIDE,
        partial(
            forest_floor.mushrooms,
            cap="c42018",
            first="3c5c20",
            second="789034",
            wall=("889c60", "182414"),
        ),
    ),
    Picture(
        "tiles",
        (320, 320),
        partial(flat.tiles, codes=["e8e4dc", "303030", "989490", "686460"], grout="c8c4bc"),
        "L",
    ),
    Picture(
        "stones",
        TALL,
        partial(
            beach.cairn,
            codes=["6c7074", "98908c", "50565c", "b0a698"],
            cover=ware.SLATE,
            wall=("c8d0d4", "5c6870"),
        ),
        "L",
    ),
    Picture(
        "marbles",
        WIDE,
        partial(
            glass.marbles,
            codes=["c82838", "2858b8", "f0c030", "f4f0e8", "289068"],
            cover=ware.SLATE,
            wall=WARM_WALL,
        ),
    ),
    Picture(
        "leaves",
        SMALLER,
        partial(
            flat.leaves, codes=["c83818", "e88820", "f0c030", "8c3018", "a8a030"], ground="4c3c2c"
        ),
        progressive=True,
    ),
    Picture(
        "agate",
        SMALLER,
        partial(
            flat.agate, codes=["28486c", "88a8c0", "e8dcd0", "c87848", "f0e4d8"], centre=(0.5, 0.5)
        ),
    ),
    Picture(
        "tulips in a vase",
        TALL,
        partial(
            flowers.vase,
            ware="e8e4dc",
            trim="88a048",
            petals=["e84860", "f8a040", "f0d050"],
            kind="tulips",
            cover=checks("f0ece4", "c8d0a8", 0.3),
            wall=PINK_WALL,
        ),
    ),
    Picture(
        "row of books",
        WIDE,
        partial(
            books.books,
            codes=["2c4c6c", "8c3028", "486848", "c89848", "5c3c5c", "284840", "a86838"],
            cover=ware.OAK,
            wall=SAGE_WALL,
            upright=True,
        ),
    ),
    Picture(
        "round cactus",
        SQUARE,
        partial(
            cactus.cactus,
            skins=["5c9048"],
            pot="4878a0",
            trim="f0e8d8",
            cover=ware.OAK,
            wall=WARM_WALL,
            round_one=True,
        ),
    ),
)
