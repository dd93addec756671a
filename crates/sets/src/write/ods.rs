//! OpenDocument spreadsheets: an archive with its type first, a list of its parts, and one part with the sheet.

use std::io::{Cursor, Write};

use quick_xml::{
    Writer,
    events::{BytesEnd, BytesStart, BytesText, Event},
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{WriteError, WriteOptions, number};
use crate::table::{Column, Table};

const TYPE: &str = "application/vnd.oasis.opendocument.spreadsheet";
const MANIFEST: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2">
<manifest:file-entry manifest:full-path="/" manifest:version="1.2" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>
<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>
</manifest:manifest>
"#;

pub(super) fn write(table: &Table, options: &WriteOptions) -> Result<Vec<u8>, WriteError> {
    let content =
        content(table, options.sheet.as_deref().unwrap_or("Prompts")).map_err(WriteError::failed)?;
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    // Programs look for the type at a fixed place, so it comes first and as it is.
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let deflated = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, options, bytes) in [
        ("mimetype", stored, TYPE.as_bytes()),
        ("META-INF/manifest.xml", deflated, MANIFEST.as_bytes()),
        ("content.xml", deflated, content.as_slice()),
    ] {
        archive.start_file(name, options).map_err(WriteError::failed)?;
        archive.write_all(bytes).map_err(WriteError::failed)?;
    }
    Ok(archive.finish().map_err(WriteError::failed)?.into_inner())
}

fn content(table: &Table, sheet: &str) -> std::io::Result<Vec<u8>> {
    let mut xml = Writer::new(br#"<?xml version="1.0" encoding="UTF-8"?>"#.to_vec());
    let mut root = BytesStart::new("office:document-content");
    for (prefix, name) in [("office", "office"), ("table", "table"), ("text", "text")] {
        let uri = format!("urn:oasis:names:tc:opendocument:xmlns:{name}:1.0");
        root.push_attribute((format!("xmlns:{prefix}").as_str(), uri.as_str()));
    }
    root.push_attribute(("office:version", "1.2"));
    let parts = [
        root,
        BytesStart::new("office:body"),
        BytesStart::new("office:spreadsheet"),
        BytesStart::new("table:table").with_attributes([("table:name", sheet)]),
    ];
    for part in &parts {
        xml.write_event(Event::Start(part.borrow()))?;
    }
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    row(&mut xml, &names, &[])?;
    for line in &table.rows {
        let cells: Vec<&str> = line.cells.iter().map(String::as_str).collect();
        row(&mut xml, &cells, &table.columns)?;
    }
    for part in parts.iter().rev() {
        xml.write_event(Event::End(part.to_end()))?;
    }
    Ok(xml.into_inner())
}

fn row(xml: &mut Writer<Vec<u8>>, cells: &[&str], columns: &[Column]) -> std::io::Result<()> {
    xml.write_event(Event::Start(BytesStart::new("table:table-row")))?;
    for (index, cell) in cells.iter().enumerate() {
        let mut start = BytesStart::new("table:table-cell");
        if cell.is_empty() {
            xml.write_event(Event::Empty(start))?;
            continue;
        }
        if number(columns.get(index).and_then(|column| column.field), cell).is_some() {
            start.push_attribute(("office:value-type", "float"));
            start.push_attribute(("office:value", *cell));
        } else {
            start.push_attribute(("office:value-type", "string"));
        }
        xml.write_event(Event::Start(start))?;
        for paragraph in cell.replace("\r\n", "\n").split('\n') {
            xml.write_event(Event::Start(BytesStart::new("text:p")))?;
            text(xml, paragraph)?;
            xml.write_event(Event::End(BytesEnd::new("text:p")))?;
        }
        xml.write_event(Event::End(BytesEnd::new("table:table-cell")))?;
    }
    if cells.is_empty() {
        xml.write_event(Event::Empty(BytesStart::new("table:table-cell")))?;
    }
    xml.write_event(Event::End(BytesEnd::new("table:table-row")))
}

/// A paragraph's text. OpenDocument folds spaces, so those at the ends and beside others, and tabs, are elements.
fn text(xml: &mut Writer<Vec<u8>>, paragraph: &str) -> std::io::Result<()> {
    let mut plain = String::new();
    let mut chars = paragraph.chars().peekable();
    while let Some(c) = chars.next() {
        let lone =
            !plain.is_empty() && !plain.ends_with(' ') && chars.peek().is_some_and(|next| *next != ' ');
        match c {
            ' ' if !lone => {
                flush(xml, &mut plain)?;
                xml.write_event(Event::Empty(BytesStart::new("text:s")))?;
            }
            '\t' => {
                flush(xml, &mut plain)?;
                xml.write_event(Event::Empty(BytesStart::new("text:tab")))?;
            }
            // XML has no other control characters.
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => plain.push(c),
        }
    }
    flush(xml, &mut plain)
}

fn flush(xml: &mut Writer<Vec<u8>>, plain: &mut String) -> std::io::Result<()> {
    if !plain.is_empty() {
        xml.write_event(Event::Text(BytesText::new(plain)))?;
        plain.clear();
    }
    Ok(())
}
