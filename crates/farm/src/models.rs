//! Models on the farm: shared by a submitter who allows it, fetched by workers that allow it, in parts that are checked
//! one by one, so that an interrupted transfer goes on where it stopped.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::client::Farm;
use crate::error::FarmError;
use crate::pixels::sha256;
use crate::protocol::{Manifest, ManifestFile, Token, VERSION};
use crate::shelves::Shelves;

/// Bytes of a part.
const PART: u64 = 8 << 20;
/// What a model being fetched is called in the folder.
const PARTIAL: &str = ".partial";

/// A file of a model on the submitter's disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFile {
    /// Its path below the model's folder with `/` between its parts; the file's name where the model is a file.
    pub path: String,
    /// Where it is.
    pub file: PathBuf,
}

/// The files of a model: itself, or those of its folder that `wanted` names.
pub fn model_files<'a>(model: &Path, wanted: impl Iterator<Item = &'a Path>) -> Vec<ModelFile> {
    let of = |file: &Path| {
        let below = file.strip_prefix(model).ok().filter(|below| !below.as_os_str().is_empty());
        let path = match below {
            Some(below) => below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/"),
            None => file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        };
        ModelFile { path, file: file.to_owned() }
    };
    wanted.map(of).collect()
}

/// Where a worker keeps models that it fetches, and how much it may keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchOptions {
    /// The folder; each model lies in a folder of its own, named by its hash.
    pub folder: PathBuf,
    /// The most bytes in it. The models used longest ago make room.
    pub quota: u64,
}

impl Farm {
    /// Puts a model on the farm for workers to fetch. Parts that are there already are not sent again. `progress` is told
    /// bytes done and in all, and says whether to go on; `false` comes back when not.
    pub fn share_model(
        &self,
        hash: &Token,
        name: &str,
        folder: bool,
        files: &[ModelFile],
        progress: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<bool, FarmError> {
        self.wait(self.inner.shelves.share(hash, name, folder, files, progress))
    }
}

impl Shelves {
    /// What a shared model consists of.
    pub(crate) async fn manifest(&self, model: &Token) -> Result<Option<Manifest>, FarmError> {
        let bytes =
            match self.get_object(&self.models, "a model's list of parts", &manifest_name(model)).await {
                Ok(bytes) => bytes,
                Err(FarmError::Missing(_)) => return Ok(None),
                Err(error) => return Err(error),
            };
        let manifest: Option<Manifest> = serde_json::from_slice(&bytes).ok();
        Ok(manifest.filter(|manifest| manifest.version == VERSION && manifest.hash == *model))
    }

    async fn share(
        &self,
        hash: &Token,
        name: &str,
        folder: bool,
        files: &[ModelFile],
        progress: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<bool, FarmError> {
        if self.manifest(hash).await?.is_some() {
            return Ok(true);
        }
        let unreadable = |file: &ModelFile| {
            let what = format!("the model's file `{}` could not be read", file.file.display());
            move |error| FarmError::io(what.clone(), error)
        };
        let mut total = 0;
        for file in files {
            total += fs::metadata(&file.file).map_err(unreadable(file))?.len();
        }
        let mut done = 0;
        let mut listed = Vec::new();
        for (index, file) in files.iter().enumerate() {
            let reader = File::open(&file.file).map_err(unreadable(file))?;
            let (mut whole, mut size, mut parts) = (Sha256::new(), 0, Vec::new());
            loop {
                let mut part = Vec::new();
                (&reader).take(PART).read_to_end(&mut part).map_err(unreadable(file))?;
                if part.is_empty() {
                    break;
                }
                whole.update(&part);
                size += part.len() as u64;
                let digest = sha256(&part);
                let object = part_name(hash, index, parts.len());
                // Named by its place and checked by its digest: a part of an interrupted transfer counts.
                let there = self.models.store.info(&object).await.ok().filter(|info| !info.deleted);
                if there.is_none_or(|info| info.description.as_deref() != Some(digest.as_str())) {
                    self.put_part(&object, &digest, &part).await?;
                }
                parts.push(digest);
                done += part.len() as u64;
                if !progress(done, total) {
                    return Ok(false);
                }
            }
            let sha256 = Token::hex(&whole.finalize());
            listed.push(ManifestFile { path: file.path.clone(), size, sha256, part_size: PART, parts });
        }
        let name = name.to_owned();
        let manifest = Manifest { version: VERSION, hash: hash.clone(), name, folder, files: listed };
        check(&manifest)?;
        let bytes = serde_json::to_vec(&manifest)
            .map_err(|error| FarmError::Model { name: manifest.name.clone(), reason: error.to_string() })?;
        self.put_object(&self.models, "a model's list of parts", &manifest_name(hash), &bytes).await?;
        Ok(true)
    }

    async fn put_part(&self, object: &str, digest: &Token, part: &[u8]) -> Result<(), FarmError> {
        self.patiently("store a model", || async {
            let meta = async_nats::jetstream::object_store::ObjectMetadata {
                name: object.to_owned(),
                description: Some(digest.to_string()),
                ..Default::default()
            };
            let mut reader = part;
            let put = self.models.store.put(meta, &mut reader).await;
            put.map(drop).map_err(|error| FarmError::server("store a model", &error))
        })
        .await
    }

    /// Fetches a model into a folder and gives its path. Parts of an interrupted transfer are checked and kept.
    pub(crate) async fn fetch_model(
        &self,
        manifest: &Manifest,
        options: &FetchOptions,
        progress: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<PathBuf, FarmError> {
        check(manifest)?;
        let place = place(options, manifest);
        if place.exists() {
            return Ok(place);
        }
        let total: u64 = manifest.files.iter().map(|file| file.size).sum();
        make_room(options, total, manifest)?;
        let partial = options.folder.join(PARTIAL).join(manifest.hash.as_str());
        let mut done = 0;
        for (index, file) in manifest.files.iter().enumerate() {
            let path = partial.join(&file.path);
            let wrong = |error| FarmError::io(format!("`{}` could not be written", path.display()), error);
            fs::create_dir_all(path.parent().unwrap_or(&partial)).map_err(wrong)?;
            let mut target = File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(wrong)?;
            let (mut whole, mut at) = (Sha256::new(), 0);
            for (number, digest) in file.parts.iter().enumerate() {
                let size = file.part_size.min(file.size - at);
                target.seek(SeekFrom::Start(at)).map_err(wrong)?;
                let mut part = Vec::new();
                (&target).take(size).read_to_end(&mut part).map_err(wrong)?;
                if sha256(&part) != *digest {
                    let name = part_name(&manifest.hash, index, number);
                    part = self.get_object(&self.models, "a part of a model", &name).await?;
                    if part.len() as u64 != size || sha256(&part) != *digest {
                        return Err(FarmError::Damaged {
                            what: format!("part {number} of `{}`", file.path),
                            reason: "its digest is another one".to_owned(),
                        });
                    }
                    target.seek(SeekFrom::Start(at)).map_err(wrong)?;
                    target.write_all(&part).map_err(wrong)?;
                }
                whole.update(&part);
                at += size;
                done += size;
                progress(done, total);
            }
            target.set_len(file.size).map_err(wrong)?;
            target.sync_all().map_err(wrong)?;
            if Token::hex(&whole.finalize()) != file.sha256 {
                let reason = "its digest is another one".to_owned();
                return Err(FarmError::Damaged { what: format!("the file `{}`", file.path), reason });
            }
        }
        let wrong = |error| FarmError::io(format!("`{}` could not be made", place.display()), error);
        let home = options.folder.join(manifest.hash.as_str());
        if manifest.folder {
            fs::create_dir_all(&home).map_err(wrong)?;
            fs::rename(&partial, &place).map_err(wrong)?;
        } else {
            let _ = fs::remove_dir_all(&home);
            fs::rename(&partial, &home).map_err(wrong)?;
        }
        Ok(place)
    }
}

fn manifest_name(model: &Token) -> String {
    format!("{model}/manifest")
}

fn part_name(model: &Token, file: usize, part: usize) -> String {
    format!("{model}/{file}/{part}")
}

/// Where a fetched model lies: its own name in a folder named by its hash, so that the recipe's name of it stays.
fn place(options: &FetchOptions, manifest: &Manifest) -> PathBuf {
    let home = options.folder.join(manifest.hash.as_str());
    match manifest.files.first() {
        Some(file) if !manifest.folder => home.join(&file.path),
        _ => home.join(&manifest.name),
    }
}

/// Nothing in a list of parts may reach outside of its folder, and all of it together must be the model that it claims to be.
fn check(manifest: &Manifest) -> Result<(), FarmError> {
    let wrong = |reason: &str| FarmError::Model { name: manifest.name.clone(), reason: reason.to_owned() };
    let plain = |path: &str| {
        !path.is_empty()
            && !path.contains(['\\', ':', '\0'])
            && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
    };
    if !plain(&manifest.name) || manifest.name.contains('/') {
        return Err(wrong("its name is no file name"));
    }
    let mut lines = Vec::new();
    for file in &manifest.files {
        if !plain(&file.path) {
            return Err(wrong("one of its files would lie outside of its folder"));
        }
        let parts = file.size.div_ceil(file.part_size.max(1));
        if file.part_size == 0 || file.part_size > 4 * PART || file.parts.len() as u64 != parts {
            return Err(wrong("its list of parts does not fit its size"));
        }
        lines.push((file.path.as_str(), &file.sha256));
    }
    let found = match (manifest.folder, manifest.files.as_slice()) {
        (false, [file]) => file.sha256.clone(),
        (true, _) => {
            // As `tarim-checkpoint` hashes a folder.
            lines.sort();
            let lines: Vec<String> =
                lines.into_iter().map(|(path, sha)| format!("{sha}  {path}\n")).collect();
            sha256(lines.concat().as_bytes())
        }
        _ => return Err(wrong("a model that is a file must be one file")),
    };
    if found == manifest.hash { Ok(()) } else { Err(wrong("its files are not those of its hash")) }
}

/// Takes note that a model is being used, so that others make room first.
pub(crate) fn touch(options: &FetchOptions, model: &Token) {
    let home = options.folder.join(model.as_str());
    // Without this only the order of removal is another one.
    let _ = File::open(home).and_then(|home| home.set_modified(std::time::SystemTime::now()));
}

/// Removes the models used longest ago until there is room for another one.
fn make_room(options: &FetchOptions, needed: u64, manifest: &Manifest) -> Result<(), FarmError> {
    let full = |reason: String| FarmError::Model { name: manifest.name.clone(), reason };
    if needed > options.quota {
        return Err(full(format!("it has {needed} bytes; fetched models may take {}", options.quota)));
    }
    let mut held: Vec<(std::time::SystemTime, PathBuf, u64)> = Vec::new();
    for entry in fs::read_dir(&options.folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // Only what this worker put there itself is ever removed.
        if name.len() != 64 || !name.bytes().all(|c| c.is_ascii_hexdigit()) {
            continue;
        }
        let used = entry.metadata().and_then(|data| data.modified()).unwrap_or(std::time::UNIX_EPOCH);
        held.push((used, entry.path(), size_of(&entry.path())));
    }
    held.sort();
    let mut total: u64 = held.iter().map(|(_, _, bytes)| bytes).sum::<u64>();
    for (_, path, bytes) in held {
        if total + needed <= options.quota {
            break;
        }
        if fs::remove_dir_all(&path).is_ok() {
            total -= bytes;
        }
    }
    if total + needed > options.quota {
        return Err(full(format!("{needed} bytes do not fit beside the {total} that cannot be removed")));
    }
    Ok(())
}

fn size_of(path: &Path) -> u64 {
    let Ok(data) = fs::symlink_metadata(path) else { return 0 };
    if !data.is_dir() {
        return data.len();
    }
    fs::read_dir(path).into_iter().flatten().flatten().map(|entry| size_of(&entry.path())).sum()
}

/// Models that were fetched before: each is known by its folder's name.
pub(crate) fn fetched(options: &FetchOptions) -> Vec<(Token, String, PathBuf)> {
    let mut found = Vec::new();
    for home in fs::read_dir(&options.folder).into_iter().flatten().flatten() {
        let name = home.file_name().to_string_lossy().into_owned();
        let hash = Some(name).filter(|name| name.len() == 64 && name.bytes().all(|c| c.is_ascii_hexdigit()));
        let Some(hash) = hash.and_then(|hash| Token::new(hash).ok()) else { continue };
        let mut inside = fs::read_dir(home.path()).into_iter().flatten().flatten();
        if let Some(model) = inside.next() {
            let name = model.file_name().to_string_lossy().into_owned();
            found.push((hash, name, model.path()));
        }
    }
    found
}
