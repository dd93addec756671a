//! Files that appear whole or not at all, and names that nobody else has.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// Temporary files begin with this, so that what a killed process left can be found and swept.
const TEMPORARY_PREFIX: &str = ".tarim-";
const TEMPORARY_SUFFIX: &str = ".tmp";

/// What to do if a file of that name exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IfExists {
    /// Leave it and fail.
    Refuse,
    /// Put the new file in its place.
    Replace,
}

/// Writes a file in four steps: a temporary file in the same folder, the content, a sync, and the name. Whoever looks
/// at `path` sees the old state or the whole new file; if a step fails, the temporary file is removed.
pub(crate) fn write_whole<E: From<io::Error>>(
    path: &Path,
    if_exists: IfExists,
    content: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), E> {
    let folder = folder_of(path);
    if if_exists == IfExists::Refuse && path.symlink_metadata().is_ok() {
        // Found again below, by the rename; here it saves the work.
        return Err(io::Error::from(io::ErrorKind::AlreadyExists).into());
    }
    let temporary = temporary_file(folder)?;
    let mut writer = BufWriter::new(temporary);
    content(&mut writer)?;
    let temporary = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
    temporary.as_file().sync_all()?;
    put_in_place(temporary, path, if_exists)?;
    sync_folder(folder)?;
    Ok(())
}

/// Whether files can be made in a folder: makes one and removes it.
pub(crate) fn check_writable(folder: &Path) -> io::Result<()> {
    temporary_file(folder).map(drop)
}

/// Renames a file unless there is one of that name.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    if to.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    fs::rename(from, to)?;
    sync_folder(folder_of(to))
}

/// Writes a file that can be made again: whole, but without waiting for the disk.
pub(crate) fn write_cache(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut temporary = temporary_file(folder_of(path))?;
    temporary.write_all(content)?;
    put_in_place(temporary, path, IfExists::Replace)
}

/// How old a temporary file must be to be a killed process's, in milliseconds.
const ABANDONED_MS: i64 = 60 * 60 * 1000;

/// Removes what killed processes left in a folder and those below it. Files of processes that are at work are younger.
pub(crate) fn sweep(folder: &Path, now_ms: i64) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let mut swept = 0;
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if kind.is_dir() {
            // Thumbnails are many, and theirs are swept when they are made again.
            if name != "thumbnails" {
                swept += sweep(&entry.path(), now_ms);
            }
        } else if kind.is_file() && name.starts_with(TEMPORARY_PREFIX) && name.ends_with(TEMPORARY_SUFFIX) {
            let old =
                entry.metadata().is_ok_and(|stat| modified_ns(&stat) / 1_000_000 < now_ms - ABANDONED_MS);
            if old && fs::remove_file(entry.path()).is_ok() {
                swept += 1;
            }
        }
    }
    swept
}

/// When a file was changed last, in nanoseconds since 1970.
pub(crate) fn modified_ns(stat: &fs::Metadata) -> i64 {
    let since = |time: std::time::SystemTime| time.duration_since(std::time::UNIX_EPOCH).ok();
    let modified = stat.modified().ok().and_then(since).unwrap_or_default();
    i64::try_from(modified.as_nanos()).unwrap_or(i64::MAX)
}

/// The folder that a file is or will be in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn temporary_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY_PREFIX).suffix(TEMPORARY_SUFFIX);
    #[cfg(unix)]
    {
        // Temporary files are the owner's alone by default, pictures are like any other file.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder).map_err(|error| match error.raw_os_error() {
        Some(_) => error,
        // With the temporary file's name in it, which helps nobody.
        None => error.kind().into(),
    })
}

fn put_in_place(temporary: NamedTempFile, path: &Path, if_exists: IfExists) -> io::Result<()> {
    let renamed = match if_exists {
        IfExists::Replace => temporary.persist(path),
        IfExists::Refuse => match temporary.persist_noclobber(path) {
            // Some file systems (exFAT, some network shares) know neither renaming without replacing nor hard
            // links. There a look before the rename must do.
            Err(error)
                if error.error.kind() != io::ErrorKind::AlreadyExists && path.symlink_metadata().is_err() =>
            {
                error.file.persist(path)
            }
            result => result,
        },
    };
    // Dropping the error removes the temporary file.
    renamed.map(drop).map_err(|error| error.error)
}

/// Makes a new name durable. Windows has no such call and does it by itself.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// The first free name of the form `stem-0001.png` after all that the folder holds.
///
/// Another process may take it at any time: [`picture::write_new`](crate::picture::write_new) takes that into account.
pub(crate) fn next_free_name(folder: &Path, stem: &str) -> io::Result<PathBuf> {
    let stem = file_stem(stem);
    let prefix = format!("{stem}-");
    let mut last = 0_u64;
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        let number = name.strip_prefix(&prefix).and_then(|rest| rest.split('.').next());
        if let Some(number) = number.filter(|digits| digits.len() < 18).and_then(|digits| digits.parse().ok())
        {
            last = last.max(number);
        }
    }
    Ok(folder.join(format!("{stem}-{:04}.png", last + 1)))
}

/// A text as the first part of a file name that every system takes.
pub(crate) fn file_stem(text: &str) -> String {
    let safe = |c: char| if c.is_control() || r#"<>:"/\|?*"#.contains(c) { '_' } else { c };
    let mut stem: String = text.chars().map(safe).collect();
    // 255 bytes is the usual limit, and number, ending and what users add need some.
    while stem.len() > 180 {
        stem.pop();
    }
    let stem = stem.trim_matches(|c: char| c.is_whitespace() || c == '.');
    if stem.is_empty() { "picture".to_owned() } else { stem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let put = |text: &'static str, if_exists| {
            write_whole::<io::Error>(&path, if_exists, |file| file.write_all(text.as_bytes()))
        };
        put("one", IfExists::Refuse).unwrap();
        assert_eq!(put("two", IfExists::Refuse).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        put("three", IfExists::Replace).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");

        // A disk that fills up after some bytes.
        let full = write_whole::<io::Error>(&path, IfExists::Replace, |file| {
            file.write_all(&vec![0; 100_000])?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(full.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert_eq!(names(folder.path()), ["a.png"]);
    }

    #[test]
    fn a_name_taken_meanwhile_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let result = write_whole::<io::Error>(&path, IfExists::Refuse, |file| {
            fs::write(&path, "other")?;
            file.write_all(b"mine")
        });
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"other");
        assert_eq!(names(folder.path()), ["a.png"]);
    }

    #[cfg(unix)]
    #[test]
    fn readable_like_other_files() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |name| fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        write_whole::<io::Error>(&folder.path().join("a"), IfExists::Refuse, |_| Ok(())).unwrap();
        fs::write(folder.path().join("b"), "").unwrap();
        assert_eq!(mode("a"), mode("b"));
    }

    #[test]
    fn free_names() {
        let folder = tempfile::tempdir().unwrap();
        let check = |stem: &str, expected: &str| {
            let path = next_free_name(folder.path(), stem).unwrap();
            assert_eq!(path.file_name().unwrap().to_str().unwrap(), expected);
        };
        check("fox", "fox-0001.png");
        for name in
            ["fox-0001.png", "fox-0007.json", "fox-x.png", "fox-99999999999999999999.png", "foxy-0100.png"]
        {
            fs::write(folder.path().join(name), "").unwrap();
        }
        check("fox", "fox-0008.png");
        check("../etc/passwd", "_etc_passwd-0001.png");
        check("楼兰", "楼兰-0001.png");
        check(" . ", "picture-0001.png");
        assert!(next_free_name(folder.path(), &"楼".repeat(1000)).unwrap().as_os_str().len() < 400);
    }
}
