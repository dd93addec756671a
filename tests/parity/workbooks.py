"""Records tests/goldens/sets: workbooks as openpyxl, odfpy and Excel's encryption make them, for the reader of prompt sets.

Needs `openpyxl`, `odfpy` and `msoffcrypto-tool`.
"""

import datetime
import io
from pathlib import Path

import msoffcrypto.format.ooxml
import openpyxl
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import LineBreak, P, S, Tab

GOLDENS = Path(__file__).resolve().parents[1] / "goldens" / "sets"
HEADER = ["提示词", "Negative prompt", "steps", "CFG", "seed", "enabled", "date", "name"]


def excel():
    book = openpyxl.Workbook()
    book.active.title = "Empty"
    hidden = book.create_sheet("Hidden")
    hidden.append(["prompt"])
    hidden.append(["not this one"])
    hidden.sheet_state = "hidden"
    sheet = book.create_sheet("头像")
    sheet["A2"] = "Avatars"
    for column, name in enumerate(HEADER, 1):
        sheet.cell(4, column, name)
    rows = [
        ["a fox, red", "blurry", 20, 7.5, 42, True, datetime.date(2024, 1, 5), "fox"],
        ["水墨 \"画\"\n第二行", None, 30.0, 0.1 + 0.2, 4294967295, False, datetime.datetime(2024, 1, 5, 13, 30), "007"],
        [None] * 8,
        ["  spaced  ", "=1+1", 25, 5, 9007199254740991, None, None, "#N/A"],
    ]
    for line, row in enumerate(rows, 5):
        for column, value in enumerate(row, 1):
            cell = sheet.cell(line, column, value)
            if value == "=1+1":
                cell.data_type = "s"
    book.create_sheet("Other").append(["prompt"])
    file = io.BytesIO()
    book.save(file)
    (GOLDENS / "openpyxl.xlsx").write_bytes(file.getvalue())
    empty = openpyxl.Workbook()
    empty.save(GOLDENS / "empty.xlsx")
    locked = io.BytesIO()
    file.seek(0)
    msoffcrypto.format.ooxml.OOXMLFile(file).encrypt("secret", locked)
    (GOLDENS / "password.xlsx").write_bytes(locked.getvalue())


def open_document():
    document = OpenDocumentSpreadsheet()
    document.spreadsheet.addElement(Table(name="Empty"))
    table = Table(name="头像")
    blank = TableRow(numberrowsrepeated=2)
    blank.addElement(TableCell(numbercolumnsrepeated=16384))
    table.addElement(blank)

    def row(cells, repeated=1):
        line = TableRow(numberrowsrepeated=repeated)
        for cell in cells:
            line.addElement(cell)
        table.addElement(line)

    def text(value, **more):
        cell = TableCell(valuetype="string", **more)
        for line in value.split("\n"):
            cell.addElement(P(text=line))
        return cell

    row([text(name) for name in HEADER])
    number = TableCell(valuetype="float", value="20")
    number.addElement(P(text="20.00"))
    date = TableCell(valuetype="date", datevalue="2024-01-05")
    date.addElement(P(text="05.01.24"))
    spaced = TableCell(valuetype="string")
    paragraph = P(text="a")
    paragraph.addElement(S(c=3))
    paragraph.addText("fox")
    paragraph.addElement(Tab())
    paragraph.addText("& <b>")
    paragraph.addElement(LineBreak())
    paragraph.addText("next")
    spaced.addElement(paragraph)
    row([text("a fox\nred"), text("x", numbercolumnsrepeated=1), number, TableCell(valuetype="percentage", value="0.5"),
         TableCell(valuetype="float", value="4294967295"), TableCell(valuetype="boolean", booleanvalue="true"), date, text("007")])
    row([spaced], repeated=2)
    tail = TableRow(numberrowsrepeated=1048000)
    tail.addElement(TableCell(numbercolumnsrepeated=16384))
    table.addElement(tail)
    document.spreadsheet.addElement(table)
    document.save(GOLDENS / "odfpy.ods")


GOLDENS.mkdir(exist_ok=True)
excel()
open_document()
