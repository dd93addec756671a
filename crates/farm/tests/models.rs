//! Models on the farm.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::fs;
use std::time::Duration;

use sha2::{Digest, Sha256};
use support::{Server, WorkerPlan, collect, connect, recipe_with, token};
use tarim_farm::{ModelFile, Submission, Token};

fn sha(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// A model of a few parts, different for each seed.
fn model(seed: u64, bytes: usize) -> (Vec<u8>, Token) {
    let content: Vec<u8> = (0..bytes as u64).map(|n| (n.wrapping_mul(n ^ seed) >> 7) as u8).collect();
    let hash = token(sha(&content));
    (content, hash)
}

#[test]
fn a_shared_model_is_fetched_by_workers_that_may_and_room_is_made_for_the_next() {
    let server = Server::start();
    let farm = connect(&server, "me");
    let events = farm.follow();
    let folder = tempfile::tempdir().unwrap();
    let (first, first_hash) = model(1, 20 << 20);
    let path = folder.path().join("first.safetensors");
    fs::write(&path, &first).unwrap();
    let files = [ModelFile { path: "first.safetensors".to_owned(), file: path }];

    let job = |name: &str, hash: &Token| Submission::new(token(name), recipe_with(1, hash.as_str(), 1));
    farm.submit(&[job("one", &first_hash)]).unwrap();
    assert!(!farm.places(std::slice::from_ref(&first_hash)).unwrap()[0].can_be_drawn());

    // An interrupted transfer goes on where it stopped.
    assert!(
        !farm
            .share_model(&first_hash, "first.safetensors", false, &files, &mut |done, _| done < (9 << 20))
            .unwrap()
    );
    let before = farm.status().unwrap().model_bytes;
    assert!(before > 15 << 20, "two parts are there: {before}");
    assert!(farm.share_model(&first_hash, "first.safetensors", false, &files, &mut |_, _| true).unwrap());
    assert!(farm.status().unwrap().model_bytes < 22 << 20);

    // One that may not fetch leaves it alone; one that may does.
    let refuses = WorkerPlan { models: Vec::new(), ..WorkerPlan::default() }.start(&server, "refuses");
    refuses.wait_for("Ready");
    let cache = folder.path().join("cache");
    // Left behind by a transfer that was cut off, with a part that is wrong.
    let partial = cache.join(".partial").join(first_hash.as_str());
    fs::create_dir_all(&partial).unwrap();
    let mut half = first[..12 << 20].to_vec();
    half[3] ^= 1;
    fs::write(partial.join("first.safetensors"), half).unwrap();
    let fetch = Some(format!("{}:{}", cache.display(), 30 << 20));
    let fetches = WorkerPlan { models: Vec::new(), fetch, ..WorkerPlan::default() }.start(&server, "fetches");
    let ends = collect(&farm, &events, 1, Duration::from_mins(1));
    assert_eq!(ends.pictures[&token("one")].worker, "fetches");
    let fetched = cache.join(first_hash.as_str()).join("first.safetensors");
    assert_eq!(sha(&fs::read(&fetched).unwrap()), first_hash.as_str());
    let place = &farm.places(std::slice::from_ref(&first_hash)).unwrap()[0];
    assert_eq!((place.shared, place.workers.as_slice()), (true, &["fetches".to_owned()][..]));

    // A folder; the first one must go to make room for it.
    let (weights, _) = model(2, 15 << 20);
    let home = folder.path().join("second");
    fs::create_dir_all(home.join("unet")).unwrap();
    fs::write(home.join("unet/weights.safetensors"), &weights).unwrap();
    fs::write(home.join("model_index.json"), "{}").unwrap();
    let list = format!("{}  model_index.json\n{}  unet/weights.safetensors\n", sha(b"{}"), sha(&weights));
    let second_hash = token(sha(list.as_bytes()));
    let files = ["unet/weights.safetensors", "model_index.json"]
        .map(|path| ModelFile { path: path.to_owned(), file: home.join(path) });
    assert!(farm.share_model(&second_hash, "second", true, &files, &mut |_, _| true).unwrap());
    farm.submit(&[job("two", &second_hash)]).unwrap();
    let ends = collect(&farm, &events, 1, Duration::from_mins(1));
    assert_eq!(ends.pictures[&token("two")].worker, "fetches");
    assert!(cache.join(second_hash.as_str()).join("second/unet/weights.safetensors").is_file());
    drop(fetches);

    // A list that claims another hash is not accepted from anybody.
    let error = farm.share_model(&first_hash.clone(), "second", true, &files, &mut |_, _| true);
    assert!(error.unwrap(), "the first is there already");
    let lie = farm.share_model(&token("c".repeat(64)), "second", true, &files, &mut |_, _| true).unwrap_err();
    assert!(lie.to_string().ends_with("its files are not those of its hash"), "{lie}");
}
