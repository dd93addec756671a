//! Workbooks that other programs made (`tests/parity/workbooks.py`), and some that are meant to harm.

#![allow(clippy::unwrap_used, clippy::expect_used)] // what fails here is the test

use std::{
    fs,
    io::{Cursor, Write},
    path::Path,
};

use tarim_sets::{Code, Format, ReadError, ReadOptions, ReadSet, read};

fn golden(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/sets").join(name)).unwrap()
}

fn rows(set: &ReadSet) -> Vec<String> {
    set.table.rows.iter().map(|row| format!("{}: {}", row.number.unwrap(), row.cells.join(" | "))).collect()
}

#[test]
fn a_workbook_of_openpyxl() {
    let set = read(&golden("openpyxl.xlsx"), "a.xlsx", &ReadOptions::default()).unwrap();
    assert_eq!((set.format, set.sheet.as_deref()), (Format::Xlsx, Some("头像")));
    assert_eq!(set.sheets, ["Empty", "Hidden", "头像", "Other"]);
    assert!(set.table.columns.iter().filter(|column| column.field.is_none()).count() == 1);
    assert_eq!(
        rows(&set),
        [
            "5: a fox, red | blurry | 20 | 7.5 | 42 | true | 2024-01-05 | fox",
            "6: 水墨 \"画\"\n第二行 |  | 30 | 0.3 | 4294967295 | false | 2024-01-05 13:30:00 | 007",
            "8:   spaced   | =1+1 | 25 | 5 | 9007199254740991",
        ]
    );
    assert!(set.problems.iter().any(|problem| problem.code == Code::CellError && problem.row == Some(8)));
    let named = ReadOptions { sheet: Some("Hidden".into()), ..ReadOptions::default() };
    assert_eq!(rows(&read(&golden("openpyxl.xlsx"), "", &named).unwrap()), ["2: not this one"]);
    let missing = ReadOptions { sheet: Some("Sheet9".into()), ..ReadOptions::default() };
    assert!(matches!(read(&golden("openpyxl.xlsx"), "", &missing), Err(ReadError::NoSheet { .. })));
}

#[test]
fn a_spreadsheet_of_odfpy() {
    let set = read(&golden("odfpy.ods"), "a.ods", &ReadOptions::default()).unwrap();
    assert_eq!((set.format, set.sheet.as_deref()), (Format::Ods, Some("头像")));
    assert_eq!(
        rows(&set),
        [
            "4: a fox\nred | x | 20 | 0.5 | 4294967295 | true | 2024-01-05 | 007",
            "5: a   fox\t& <b>\nnext",
            "6: a   fox\t& <b>\nnext",
        ]
    );
}

#[test]
fn workbooks_that_cannot_be_read() {
    let error = |bytes: &[u8]| read(bytes, "a.xlsx", &ReadOptions::default()).unwrap_err();
    assert_eq!(error(&golden("password.xlsx")), ReadError::Password);
    assert!(matches!(error(&golden("empty.xlsx")), ReadError::Empty { what } if what.contains("Sheet")));
    let whole = golden("openpyxl.xlsx");
    assert!(matches!(error(&whole[..whole.len() / 2]), ReadError::Damaged { .. }));
    assert!(matches!(error(&archive(&[("readme.txt", b"hello")])), ReadError::Damaged { .. }));
}

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn repeated_cells_and_rows_do_not_fill_the_memory() {
    let content = r#"<office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x"><office:body><office:spreadsheet>
        <table:table table:name="a"><table:table-row><table:table-cell><text:p>prompt</text:p></table:table-cell></table:table-row>
        <table:table-row table:number-rows-repeated="1000000"><table:table-cell table:number-columns-repeated="16000"><text:p>x</text:p></table:table-cell></table:table-row>
        </table:table></office:spreadsheet></office:body></office:document-content>"#;
    let bytes = archive(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", content.as_bytes()),
    ]);
    let set = read(&bytes, "a.ods", &ReadOptions::default()).unwrap();
    assert!(set.table.rows.len() < 10_000);
    assert!(set.problems.iter().any(|problem| problem.code == Code::TooLarge));
}

#[test]
fn archives_that_unpack_to_too_much_are_refused() {
    let zeros = vec![b' '; 300 << 20];
    let bytes = archive(&[("xl/workbook.xml", &zeros)]);
    assert!(bytes.len() < 2 << 20);
    assert!(matches!(read(&bytes, "a.xlsx", &ReadOptions::default()), Err(ReadError::TooLarge { .. })));
}

#[test]
fn a_cell_far_away_does_not_fill_the_memory() {
    let sheet = br#"<worksheet><dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>prompt</t></is></c></row>
        <row r="2"><c r="A2" t="inlineStr"><is><t>a fox</t></is></c></row>
        <row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>far</t></is></c></row></sheetData></worksheet>"#;
    let types = br#"<Types><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#;
    let relations = br#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
    let root = br#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
    let workbook = br#"<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>"#;
    let bytes = archive(&[
        ("[Content_Types].xml", types),
        ("_rels/.rels", root),
        ("xl/workbook.xml", workbook),
        ("xl/_rels/workbook.xml.rels", relations),
        ("xl/worksheets/sheet1.xml", sheet),
    ]);
    let set = read(&bytes, "a.xlsx", &ReadOptions::default()).unwrap();
    assert_eq!(rows(&set), ["2: a fox"]);
    assert!(set.problems.iter().any(|problem| problem.code == Code::TooLarge));
}
