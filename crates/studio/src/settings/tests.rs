use std::fs;

use super::*;

fn defaults() -> Settings {
    Settings::new(std::env::temp_dir().join("Pictures"))
}

#[test]
fn changes_are_kept_and_unknown_members_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.json");
    fs::write(&file, r#"{"theme":"dark","of_the_future":{"a":[1]},"default_model":"m1"}"#).unwrap();
    let (store, problems) = Store::open(folder.path(), defaults());
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!((store.get().theme, store.get().default_model.as_deref()), (Theme::Dark, Some("m1")));
    store.change(|settings| settings.language = Language::ZhHans).unwrap();

    let text: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(text["of_the_future"]["a"][0], 1);
    assert_eq!((text["language"].as_str(), text["theme"].as_str()), (Some("zh-Hans"), Some("dark")));
    let (again, problems) = Store::open(folder.path(), defaults());
    assert!(problems.is_empty());
    assert_eq!(again.get(), store.get());
}

#[test]
fn a_bad_member_costs_that_member_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.json");
    fs::write(&file, r#"{"theme":"sepia","language":"en","device":"warp","release_after_minutes":-1}"#)
        .unwrap();
    let (store, problems) = Store::open(folder.path(), defaults());
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert_eq!(store.get(), Settings { language: Language::En, ..defaults() });
}

#[test]
fn a_damaged_file_is_put_aside() {
    for content in ["{\"theme\":", "[]", "\0\0\0\0"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("settings.json");
        fs::write(&file, content).unwrap();
        let (store, problems) = Store::open(folder.path(), defaults());
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].code, "settings_damaged");
        assert_eq!(store.get(), defaults());
        assert_eq!(fs::read_to_string(folder.path().join("settings.json.damaged")).unwrap(), content);
        assert!(!file.exists());
    }
}

#[test]
fn what_cannot_be_used_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path(), defaults());
    let before = store.get();
    let refused: [fn(&mut Settings); 5] = [
        |settings| settings.library_folder = "here".into(),
        |settings| settings.library_folder = std::env::temp_dir().join("Tarim/.tarim/inputs"),
        |settings| settings.model_folders = vec!["models".into()],
        |settings| settings.preview_every = 5000,
        |settings| settings.name_template = "x".repeat(501),
    ];
    for change in refused {
        assert_eq!(store.change(change).unwrap_err().kind, ErrorKind::BadInput);
        assert_eq!(store.get(), before);
    }
    // A file where the library should go.
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(store.change(|settings| settings.library_folder = file.join("library")).is_err());
    assert_eq!(store.get(), before);
    let library = folder.path().join("new/library");
    store.change(|settings| settings.library_folder.clone_from(&library)).unwrap();
    assert!(library.is_dir());
}

#[test]
fn two_processes_keep_each_others_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (one, _) = Store::open(folder.path(), defaults());
    let (two, _) = Store::open(folder.path(), defaults());
    one.change(|settings| settings.theme = Theme::Grey).unwrap();
    let both = two.change(|settings| settings.language = Language::ZhHant).unwrap();
    assert_eq!((both.theme, both.language), (Theme::Grey, Language::ZhHant));
    assert_eq!(two.get(), both);

    // A file that is damaged while the program runs costs nothing.
    fs::write(folder.path().join("settings.json"), "{").unwrap();
    let after = two.change(|settings| settings.welcomed = true).unwrap();
    assert_eq!(after, Settings { welcomed: true, ..both });
    assert_eq!(Store::open(folder.path(), defaults()).0.get(), after);
}

#[test]
fn what_another_process_changes_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, _) = Store::open(folder.path(), Settings::new(folder.path().join("pictures")));
    let (theirs, _) = Store::open(folder.path(), Settings::new(folder.path().join("pictures")));
    assert_eq!(ours.reload(), None);
    theirs.change(|settings| settings.release_after_minutes = 77).unwrap();
    let (before, after) = ours.reload().unwrap();
    assert_eq!((before.release_after_minutes, after.release_after_minutes), (10, 77));
    assert_eq!(ours.get(), after);
    assert_eq!(ours.reload(), None);
    // Our own change is no news, and neither is a file that somebody is still editing.
    ours.change(|settings| settings.release_after_minutes = 78).unwrap();
    assert_eq!(ours.reload(), None);
    let file = folder.path().join("settings.json");
    fs::write(&file, "{ \"theme\": ").unwrap();
    assert_eq!(ours.reload(), None);
    assert_eq!((ours.get().release_after_minutes, file.exists()), (78, true));
}
