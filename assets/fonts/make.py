"""Makes `NotoSansSC-Tarim.otf`: the glyphs of Noto Sans CJK SC that the labels of grids need.

    pip install fonttools
    python make.py /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc NotoSansSC-Tarim.otf

It keeps ASCII, Latin-1, Latin Extended-A, general punctuation, Greek, Cyrillic, kana, bopomofo, full-width forms, the
characters of GB 2312 and those of Big5's first level; no layout features but vertical metrics and kerning are needed.
"""

import sys

from fontTools import subset
from fontTools.ttLib import TTCollection


def gb2312():
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                yield ord(bytes([row, cell]).decode("gb2312"))
            except UnicodeDecodeError:
                pass


def big5_level_1():
    for lead in range(0xA4, 0xC7):
        for trail in [*range(0x40, 0x7F), *range(0xA1, 0xFF)]:
            try:
                yield ord(bytes([lead, trail]).decode("big5"))
            except UnicodeDecodeError:
                pass


RANGES = [
    (0x20, 0x7E), (0xA0, 0x17F), (0x370, 0x3FF), (0x400, 0x45F), (0x2010, 0x205E), (0x20AC, 0x20AC), (0x2100, 0x2122),
    (0x2150, 0x216B), (0x2190, 0x2193), (0x2200, 0x2265), (0x2500, 0x254B), (0x25A0, 0x25CF), (0x3000, 0x303F),
    (0x3041, 0x30FF), (0x3105, 0x312F), (0xFF01, 0xFF5E), (0xFFE0, 0xFFE5),
]


def main(source, target):
    wanted = {0xFFFD}
    wanted.update(gb2312())
    wanted.update(big5_level_1())
    for first, last in RANGES:
        wanted.update(range(first, last + 1))
    fonts = TTCollection(source)
    font = next(font for font in fonts if font["name"].getDebugName(1) == "Noto Sans CJK SC")
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.desubroutinize = False
    options.name_IDs = [0, 1, 2, 3, 5, 7, 13, 14]
    options.notdef_outline = True
    options.recalc_timestamp = False
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE", "GPOS", "GSUB", "GDEF"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=wanted)
    subsetter.subset(font)
    for name in font["name"].names:
        if name.nameID in (1, 3):
            # The licence reserves no name, but a changed font should not pass for the original.
            name.string = "Noto Sans SC Tarim"
    subset.save_font(font, target, options)


main(sys.argv[1], sys.argv[2])
