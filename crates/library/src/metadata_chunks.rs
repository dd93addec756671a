//! Changing what a picture's file says of itself, and nothing else in it.

use std::{
    fs::File,
    io::{self, BufReader, Read, Write},
    path::{Path, PathBuf},
};

use crate::{
    files::{self, IfExists, write_whole},
    metadata::Metadata,
    picture::{self, XMP_KEYWORD},
    pixels::{Format, LoadError, PNG_SIGNATURE},
    xmp,
};

/// The ending of a sidecar, behind the whole name: `fox.jpg.xmp`.
pub(crate) const SIDECAR_ENDING: &str = ".xmp";
/// The largest sidecar that is read, in bytes.
const MAX_SIDECAR: u64 = 8 << 20;

/// Where the metadata went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrittenTo {
    /// Into the file.
    File,
    /// Into a sidecar beside it, because the format holds none that Tarim can change, or because the file is damaged.
    Sidecar,
}

/// Puts metadata into a picture's file, or into a sidecar `<name>.xmp` beside it where the format cannot hold them. Of a
/// PNG, one chunk is exchanged and all others, pixels and recipe included, are copied byte for byte, after their
/// checksums were found right. What other programs wrote into the XMP packet stays.
pub fn update_metadata(path: &Path, metadata: &Metadata) -> Result<WrittenTo, LoadError> {
    let io = |source| LoadError::Io { path: path.to_owned(), source };
    let info = picture::read(path)?;
    let sidecar = sidecar_of(path);
    let beside = read_sidecar(path);
    if info.format == Format::Png && beside.is_none() {
        let packet = xmp::with_metadata(info.xmp.as_deref(), metadata);
        match replace_packet(path, &packet) {
            Ok(()) => return Ok(WrittenTo::File),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {}
            Err(error) => return Err(io(error)),
        }
    }
    let packet = xmp::with_metadata(beside.as_deref().or(info.xmp.as_deref()), metadata);
    write_whole::<io::Error>(&sidecar, IfExists::Replace, |file| file.write_all(packet.as_bytes()))
        .map_err(io)?;
    Ok(WrittenTo::Sidecar)
}

/// The packet beside a picture, which says what is newer than the one inside.
pub(crate) fn read_sidecar(path: &Path) -> Option<String> {
    let file = File::open(sidecar_of(path)).ok()?;
    let mut text = String::new();
    file.take(MAX_SIDECAR).read_to_string(&mut text).ok()?;
    Some(text)
}

/// When a picture's file or its sidecar was changed last, in nanoseconds since 1970.
pub(crate) fn modified_ns(path: &Path, stat: &std::fs::Metadata) -> i64 {
    let sidecar = std::fs::metadata(sidecar_of(path)).map_or(0, |stat| files::modified_ns(&stat));
    files::modified_ns(stat).max(sidecar)
}

pub(crate) fn sidecar_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(SIDECAR_ENDING);
    name.into()
}

/// Copies a PNG with another XMP packet. `InvalidData` is a PNG that is damaged.
fn replace_packet(path: &Path, packet: &str) -> io::Result<()> {
    let mut source = BufReader::new(File::open(path)?);
    let permissions = source.get_ref().metadata()?.permissions();
    write_whole::<io::Error>(path, IfExists::Replace, |target| {
        copy_chunks(&mut source, target, packet)?;
        Ok(())
    })?;
    // As they were; the new file has the default ones.
    std::fs::set_permissions(path, permissions)
}

fn copy_chunks(source: &mut impl Read, target: &mut dyn Write, packet: &str) -> io::Result<()> {
    let damaged = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut signature = [0; PNG_SIGNATURE.len()];
    source.read_exact(&mut signature).map_err(|_| damaged("no PNG"))?;
    target.write_all(&signature)?;
    let mut written = false;
    loop {
        let mut head = [0; 8];
        source.read_exact(&mut head).map_err(|_| damaged("cut short"))?;
        let [a, b, c, d, kind @ ..] = head;
        let size = u64::from(u32::from_be_bytes([a, b, c, d]));
        let mut start = Vec::new();
        source.by_ref().take(size.min(XMP_KEYWORD.len() as u64 + 1)).read_to_end(&mut start)?;
        let is_packet = &kind == b"iTXt" && start.strip_suffix(b"\0") == Some(XMP_KEYWORD.as_bytes());
        if !written && (is_packet || &kind == b"IDAT" || &kind == b"IEND") {
            write_chunk(
                target,
                *b"iTXt",
                &[XMP_KEYWORD.as_bytes(), b"\0\0\0\0\0", packet.as_bytes()].concat(),
            )?;
            written = true;
        }
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&kind);
        hasher.update(&start);
        if !is_packet {
            target.write_all(&head)?;
            target.write_all(&start)?;
        }
        let mut left = size - start.len() as u64;
        let mut buffer = [0; 16 << 10];
        while left > 0 {
            let part = &mut buffer[..left.min(16 << 10) as usize];
            source.read_exact(part).map_err(|_| damaged("cut short"))?;
            hasher.update(part);
            if !is_packet {
                target.write_all(part)?;
            }
            left -= part.len() as u64;
        }
        let mut checksum = [0; 4];
        source.read_exact(&mut checksum).map_err(|_| damaged("cut short"))?;
        if hasher.finalize() != u32::from_be_bytes(checksum) {
            return Err(damaged("a wrong checksum"));
        }
        if !is_packet {
            target.write_all(&checksum)?;
        }
        if &kind == b"IEND" {
            // What some programs put behind the end stays there too.
            io::copy(source, target)?;
            return Ok(());
        }
    }
}

fn write_chunk(target: &mut dyn Write, kind: [u8; 4], data: &[u8]) -> io::Result<()> {
    let size = u32::try_from(data.len()).map_err(io::Error::other)?;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&kind);
    hasher.update(data);
    target.write_all(&size.to_be_bytes())?;
    target.write_all(&kind)?;
    target.write_all(data)?;
    target.write_all(&hasher.finalize().to_be_bytes())
}
