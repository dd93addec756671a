use std::fs;

use super::*;

fn store(content: &str) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(FILE), content).unwrap();
    let store = Store::new(folder.path());
    (folder, store)
}

fn style(name: &str, prompt: &str, negative: &str) -> Style {
    Style { name: name.into(), prompt: prompt.into(), negative_prompt: negative.into() }
}

#[test]
fn a1111_files() {
    let (_folder, styles) = store(
        "\u{feff}name,prompt,negative_prompt\r\nNone,,\r\n# ---- mine ----,,\r\nink,\"{prompt}, ink, \"\"sumi\"\"\",colour\r\n\
         水墨,\"水墨画，\n留白\",\r\n",
    );
    let list = styles.list();
    assert_eq!(
        list.styles,
        [
            style("None", "", ""),
            style("ink", "{prompt}, ink, \"sumi\"", "colour"),
            style("水墨", "水墨画，\n留白", ""),
        ]
    );
    assert!(list.problems.is_empty(), "{list:?}");
    let (_folder, old) = store("name,text\nfoggy,in fog\n");
    assert_eq!(old.list().styles, [style("foggy", "in fog", "")]);
    assert_eq!(old.save(&style("foggy", "in fog", "sun"), None).unwrap().styles.len(), 1);
    assert_eq!(old.list().styles, [style("foggy", "in fog", "sun")]);
    let (_folder, twice) = store("name,prompt,negative_prompt\na,1,\nb,2,\na,3,\n");
    assert_eq!(twice.list().styles, [style("b", "2", ""), style("a", "3", "")]);
    assert_eq!(twice.list().problems.len(), 1);
}

#[test]
fn changes_keep_everything_else() {
    let (folder, styles) =
        store("name,prompt,favourite,negative_prompt\r\n# mine,,,\r\na,1,yes,x\r\nb,2,no,y\r\n");
    styles.save(&style("c", "3", ""), None).unwrap();
    styles.save(&style("a2", "1, 5", "x"), Some("a")).unwrap();
    styles.delete("b").unwrap();
    assert_eq!(
        fs::read_to_string(folder.path().join(FILE)).unwrap(),
        "\u{feff}name,prompt,favourite,negative_prompt\r\n# mine,,,\r\na2,\"1, 5\",yes,x\r\nc,3,,\r\n"
    );
    assert_eq!(styles.delete("b").unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(styles.save(&style("c", "", ""), Some("a2")).unwrap_err().kind, ErrorKind::Conflict);
    for name in ["", " ", "#x", " x", "a\nb", &"x".repeat(201)] {
        assert_eq!(styles.save(&style(name, "", ""), None).unwrap_err().kind, ErrorKind::BadInput);
    }
}

#[test]
fn applied_as_a1111_does() {
    let (_folder, styles) = store(
        "name,prompt,negative_prompt\na,\"{prompt} by moonlight, {prompt}\",\nb,in ink,blurry\nempty,,\n",
    );
    let apply = |prompt: &str, negative: &str, names: &[&str]| {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        styles.apply(prompt, negative, &names)
    };
    let pair = |prompt: &str, negative: &str| (prompt.to_owned(), negative.to_owned());
    assert_eq!(apply(" fox ", "", &["b"]).unwrap(), pair("fox, in ink", "blurry"));
    assert_eq!(
        apply("fox", "bad", &["a", "b"]).unwrap(),
        pair("fox by moonlight, fox, in ink", "bad, blurry")
    );
    assert_eq!(apply("", "", &["b", "empty"]).unwrap(), pair("in ink", "blurry"));
    assert_eq!(apply("fox", "", &["c"]).unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(apply("fox", "", &["a"; 30]).unwrap_err().kind, ErrorKind::BadInput);
}

#[test]
fn what_cannot_be_read_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    let styles = Store::new(folder.path());
    assert_eq!(styles.list(), Styles::default());
    for content in [&b"name,prompt\r\n\xb9\xfa,x\r\n"[..], b"title,words\r\na,b\r\n"] {
        fs::write(&file, content).unwrap();
        assert_eq!(styles.list().problems.len(), 1);
        assert!(styles.save(&style("a", "b", ""), None).is_err());
        assert_eq!(fs::read(&file).unwrap(), content);
    }
}
