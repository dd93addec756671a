//! Small files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::{Result, StudioError};

/// Replaces a file by new content: a temporary file beside it, synced, then renamed. Makes the folder when needed.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> Result<()> {
    let wrong = |error: io::Error| StudioError::io(format!("`{}` cannot be written", path.display()), &error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(wrong)?;
    let mut temporary =
        tempfile::Builder::new().prefix(".tarim-").suffix(".tmp").tempfile_in(folder).map_err(wrong)?;
    temporary.write_all(content).map_err(wrong)?;
    temporary.as_file().sync_all().map_err(wrong)?;
    temporary.persist(path).map_err(|error| wrong(error.error))?;
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(wrong)?;
    }
    Ok(())
}

/// A small file's content; `None` when there is no such file.
pub(crate) fn read_small(path: &Path, most_bytes: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut content = Vec::new();
    file.take(most_bytes + 1).read_to_end(&mut content)?;
    if content.len() as u64 > most_bytes {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {most_bytes} bytes"),
        ));
    }
    Ok(Some(content))
}

/// Moves a damaged file out of the way, to the first free name of the form `<name>.damaged`, `<name>.damaged-2`, …
pub(crate) fn put_aside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let names = (1..1000).map(|number| match number {
        1 => path.with_file_name(format!("{name}.damaged")),
        _ => path.with_file_name(format!("{name}.damaged-{number}")),
    });
    for aside in names {
        if aside.symlink_metadata().is_err() {
            fs::rename(path, &aside)?;
            return Ok(aside);
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_whole_and_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/a.json");
        write_whole(&path, b"one").unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(read_small(&path, 10).unwrap().unwrap(), b"two");
        assert!(read_small(&path, 2).is_err());
        assert_eq!(put_aside(&path).unwrap(), path.with_file_name("a.json.damaged"));
        write_whole(&path, b"three").unwrap();
        assert_eq!(put_aside(&path).unwrap(), path.with_file_name("a.json.damaged-2"));
        assert_eq!(read_small(&path, 2).unwrap(), None);
    }
}
