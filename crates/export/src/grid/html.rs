//! The grid as one page that zooms: everything is inside of it, and it asks for nothing from outside.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::{Grid, GridError};

/// The largest page that is made, in bytes: what browsers still open.
pub const MOST_HTML_BYTES: u64 = 512 << 20;
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A cell of the page.
#[derive(Clone, Debug)]
pub struct HtmlCell {
    /// The picture's file.
    pub bytes: Vec<u8>,
    /// Its media type.
    pub media_type: &'static str,
    /// What is said of it when it is looked at: seed, model, ….
    pub caption: String,
}

/// Writes the page. `cell` gives the pictures, x fastest and z slowest.
pub fn write_html(
    grid: &Grid,
    language: &str,
    cell: &mut dyn FnMut(usize) -> Option<HtmlCell>,
    mut out: impl Write,
) -> Result<(), GridError> {
    grid.check()?;
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    let mut written = 0_u64;
    write!(
        out,
        "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; \
         style-src 'sha256-{}'; script-src 'sha256-{}'\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{}</title><style>{STYLE}</style></head>\n<body>\
         <header><h1>{}</h1><p>{}</p><label>−<input id=\"zoom\" type=\"range\" min=\"48\" max=\"1024\" value=\"256\" \
         aria-label=\"zoom\">+</label></header>\n<main>",
        escape(language),
        hash(STYLE),
        hash(SCRIPT),
        escape(&grid.title),
        escape(&grid.title),
        escape(&grid.caption)
    )?;
    for z in 0..grid.count(2) {
        write!(out, "<section>")?;
        heading(&mut out, &grid.label(2, z))?;
        write!(out, "<table><thead><tr><th></th>")?;
        for x in 0..grid.count(0) {
            write!(out, "<th scope=\"col\">{}</th>", escape(&grid.label(0, x)))?;
        }
        write!(out, "</tr></thead><tbody>")?;
        for y in 0..grid.count(1) {
            write!(out, "<tr><th scope=\"row\">{}</th>", escape(&grid.label(1, y)))?;
            for x in 0..grid.count(0) {
                let Some(found) = cell(grid.index(x, y, z)) else {
                    write!(out, "<td class=\"none\"></td>")?;
                    continue;
                };
                let labels = [grid.label(0, x), grid.label(1, y), grid.label(2, z), found.caption];
                let labels: Vec<_> =
                    labels.iter().filter(|label| !label.is_empty()).map(String::as_str).collect();
                let picture = STANDARD.encode(&found.bytes);
                written += picture.len() as u64;
                if written > MOST_HTML_BYTES {
                    return Err(GridError::PageTooLarge);
                }
                write!(
                    out,
                    "<td><button type=\"button\"><img loading=\"lazy\" decoding=\"async\" alt=\"{}\" src=\"data:{};base64,{picture}\"></button></td>",
                    escape(&labels.join("\n")),
                    escape(found.media_type)
                )?;
            }
            write!(out, "</tr>")?;
        }
        writeln!(out, "</tbody></table></section>")?;
    }
    writeln!(
        out,
        "</main><dialog id=\"large\"><img id=\"shown\" alt=\"\"><p id=\"said\"></p></dialog><script>{SCRIPT}</script></body></html>"
    )?;
    Ok(())
}

fn heading(out: &mut impl Write, label: &str) -> std::io::Result<()> {
    if label.is_empty() { Ok(()) } else { write!(out, "<h2>{}</h2>", escape(label)) }
}

/// A text for between tags and in attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' => escaped.push_str("&#10;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
