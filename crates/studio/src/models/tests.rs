use std::fs;

use super::*;

fn starter() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/starter")
}

fn models(config: &Path) -> Models {
    Models::new(config, Some(starter()), Vec::new())
}

#[test]
fn the_starter_model_is_there_at_once() {
    let config = tempfile::tempdir().unwrap();
    let models = models(config.path());
    let found = models.find(None).unwrap();
    assert_eq!(found.name, "starter");
    assert_eq!(found.facts.hash.as_ref().map(String::len), Some(64), "small models are hashed at once");
    assert!(config.path().join("models.json").is_file());
    assert_eq!(models.find(Some(&found.id)).unwrap().path, starter());
    let draft = default_draft(&found.facts);
    assert_eq!((draft.width, draft.height, draft.steps), (Some(256), Some(256), Some(20)));
    assert!(draft.prompt.is_none() && draft.seed.is_none() && draft.init_picture.is_none());

    models.scan(&[]);
    let overview = models.overview();
    assert_eq!((overview.models.len(), overview.folders.len(), overview.scanning), (1, 1, false));
    assert!(overview.folders[0].built_in && overview.folders[0].problem.is_none());
    assert!(overview.models[0].kind.starts_with("Stable Diffusion 1"), "{overview:?}");
}

/// A safetensors file of one float tensor a name.
fn weights(names: &[&str]) -> Vec<u8> {
    let tensors: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(n, name)| {
            format!(r#""{name}":{{"dtype":"F32","shape":[1],"data_offsets":[{},{}]}}"#, n * 4, n * 4 + 4)
        })
        .collect();
    let mut header = format!("{{{}}}", tensors.join(","));
    while header.len() % 8 != 0 {
        header.push(' ');
    }
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(vec![0; names.len() * 4]);
    bytes
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn what_is_wrong_is_said() {
    let config = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, content: &[u8]| fs::write(folder.path().join(name), content).unwrap();
    put("lora.safetensors", &weights(&["lora_unet_down.lora_down.weight"]));
    put("xl.safetensors", &weights(&["conditioner.embedders.1.model.ln_final.weight", "x.weight"]));
    put("pickle.ckpt", b"\x80\x02}q\0.");
    put("cut.safetensors", &weights(&["model.diffusion_model.a"])[..20]);
    put("text.safetensors", b"hello");
    let half = folder.path().join("half");
    copy(&starter(), &half);
    fs::remove_dir_all(half.join("vae")).unwrap();
    let odd = folder.path().join("odd-recommendations");
    copy(&starter(), &odd);
    fs::write(odd.join("tarim.json"), "{").unwrap();

    let models = models(config.path());
    models.scan(&[folder.path().to_owned(), folder.path().join("missing")]);
    let overview = models.overview();
    let problem = |name: &str| {
        let model = overview.models.iter().find(|model| model.name == name);
        let model = model.unwrap_or_else(|| panic!("{name} in {overview:?}"));
        let problem = model.problem.as_ref().unwrap();
        assert!(problem.hint.is_some(), "{problem:?}");
        (model.usable(), problem.code.as_str())
    };
    assert_eq!(problem("lora"), (false, "model_lora"));
    assert_eq!(problem("xl"), (false, "model_sdxl"));
    assert_eq!(problem("pickle"), (false, "model_pickle"));
    assert_eq!(problem("cut"), (false, "model_damaged"));
    assert!(!problem("text").0);
    assert_eq!(problem("half"), (false, "model_incomplete"));
    assert_eq!(problem("odd-recommendations"), (true, "model_recommendations"));
    assert!(overview.models[0].usable(), "usable models come first");
    assert_eq!(overview.folders[2].problem.as_ref().unwrap().code, "model_folder_unreadable");

    let broken = overview.models.iter().find(|model| model.name == "half").unwrap();
    assert_eq!(models.find(Some(&broken.id)).unwrap_err().kind, ErrorKind::Model);
    assert_eq!(models.find(Some("nobody")).unwrap_err().kind, ErrorKind::NotFound);

    // Mended behind our back, it can be used without another search.
    copy(&starter().join("vae"), &half.join("vae"));
    assert_eq!(models.find(Some(&broken.id)).unwrap().name, "half");
}

#[test]
fn hashes_are_remembered_while_files_stay_the_same() {
    let config = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    copy(&starter(), &model);
    let models = Models::new(config.path(), None, Vec::new());
    let first = models.hash(&model).unwrap();
    let read = |models: &Models| {
        let mut reads = 0;
        let count = &mut |_, _| {
            reads += 1;
            true
        };
        let hash = models.hash_while(&model, count).unwrap().unwrap();
        (hash, reads > 0)
    };
    assert_eq!(read(&models), (first.clone(), false));
    let again = Models::new(config.path(), None, Vec::new());
    assert_eq!(read(&again), (first.clone(), false));
    let config_file = model.join("scheduler/scheduler_config.json");
    let text = fs::read_to_string(&config_file).unwrap() + "\n";
    fs::write(&config_file, text).unwrap();
    assert_eq!(again.hash_while(&model, &mut |_, _| false).unwrap(), None);
    let (second, was_read) = read(&again);
    assert!(was_read && second != first);
    assert!(models.find(None).is_err(), "no starter model and no search yet");
}

#[test]
fn tokenizers() {
    let config = tempfile::tempdir().unwrap();
    let models = models(config.path());
    let first = models.tokenizer(None).unwrap();
    assert!(Arc::ptr_eq(&first, &models.tokenizer(None).unwrap()));
    assert!(models.tokenizer(Some("nobody")).is_err());
}
