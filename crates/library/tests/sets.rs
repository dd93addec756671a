//! Prompt sets: rows, edits that can be taken back, and copies.

#![allow(clippy::unwrap_used)]

mod common;

use common::{NOW, World, later, new_id, world};
use tarim_library::{Id, NewSet};

fn texts(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

fn set(world: &World, rows: &[&[&str]]) -> Id {
    let id = new_id();
    let new = NewSet {
        id,
        name: "头像 avatars".to_owned(),
        columns: "[]".to_owned(),
        settings: "{}".to_owned(),
        created: NOW,
    };
    world.library.create_set(&new, rows.iter().map(|row| texts(row))).unwrap();
    id
}

/// The first cells of all rows.
fn firsts(world: &World, set: Id) -> Vec<String> {
    let rows = world.library.set_rows(set, 0, 1000).unwrap();
    rows.into_iter().map(|row| row.cells.into_iter().next().unwrap_or_default()).collect()
}

#[test]
fn edits_are_taken_back_and_made_again_also_after_a_restart() {
    let world = world();
    let id = set(&world, &[&["a", "1"], &["b"], &["c"]]);
    let rows: Vec<i64> = world.library.set_rows(id, 0, 10).unwrap().iter().map(|row| row.row).collect();
    let library = &world.library;
    library
        .edit_set(id, "paste", later(1), |edit| {
            edit.set_cells(rows[1], texts(&["B", "", "x", ""]))?;
            edit.insert(Some(rows[0]), vec![texts(&["new"]), texts(&["newer"])])?;
            edit.set_columns(r#"["prompt"]"#.to_owned())
        })
        .unwrap();
    assert_eq!(firsts(&world, id), ["a", "new", "newer", "B", "c"]);
    library.edit_set(id, "delete", later(2), |edit| edit.delete(&rows[..1])).unwrap();
    library.edit_set(id, "move", later(3), |edit| edit.shift(&[rows[2]], None)).unwrap();
    assert_eq!(firsts(&world, id), ["c", "new", "newer", "B"]);
    // Nothing was done, so there is nothing to take back.
    library.edit_set(id, "nothing", later(4), |edit| edit.set_cells(rows[2], texts(&["c"]))).unwrap();

    let world = world.reopened();
    let library = &world.library;
    assert_eq!(library.set(id).unwrap().undo.as_deref(), Some("move"));
    assert_eq!(library.undo_set(id, later(5)).unwrap().as_deref(), Some("move"));
    assert_eq!(library.undo_set(id, later(5)).unwrap().as_deref(), Some("delete"));
    assert_eq!(firsts(&world, id), ["a", "new", "newer", "B", "c"]);
    assert_eq!(library.undo_set(id, later(5)).unwrap().as_deref(), Some("paste"));
    assert_eq!(firsts(&world, id), ["a", "b", "c"]);
    assert_eq!(library.set(id).unwrap().columns, "[]");
    assert_eq!(library.undo_set(id, later(5)).unwrap(), None);
    assert_eq!(library.redo_set(id, later(6)).unwrap().as_deref(), Some("paste"));
    assert_eq!(firsts(&world, id), ["a", "new", "newer", "B", "c"]);
    assert_eq!(library.set(id).unwrap().columns, r#"["prompt"]"#);
    // Something else instead: what was taken back is gone.
    library.edit_set(id, "clear", later(7), |edit| edit.set_cells(rows[0], Vec::new())).unwrap();
    let found = library.set(id).unwrap();
    assert_eq!((found.undo.as_deref(), found.redo), (Some("clear"), None));
    assert_eq!(library.set_rows(id, 3, 1).unwrap()[0].cells, ["B", "", "x"]);
}

#[test]
fn room_between_rows_never_runs_out() {
    let world = world();
    let id = set(&world, &[&["first"], &["last"]]);
    let first = world.library.set_rows(id, 0, 1).unwrap()[0].row;
    for n in 0..120 {
        world
            .library
            .edit_set(id, "insert", later(n), |edit| edit.insert(Some(first), vec![texts(&[&n.to_string()])]))
            .unwrap();
    }
    let expected: Vec<String> = std::iter::once("first".to_owned())
        .chain((0..120).rev().map(|n| n.to_string()))
        .chain(["last".to_owned()])
        .collect();
    assert_eq!(firsts(&world, id), expected);
    for _ in 0..120 {
        world.library.undo_set(id, later(999)).unwrap();
    }
    assert_eq!(firsts(&world, id), ["first", "last"]);
}

#[test]
fn a_failed_edit_leaves_nothing() {
    let world = world();
    let id = set(&world, &[&["a"]]);
    let error = world.library.edit_set(id, "insert", NOW, |edit| {
        edit.append(vec![texts(&["b"])])?;
        edit.insert(Some(99), vec![texts(&["c"])])
    });
    assert_eq!(error.unwrap_err().code(), "not_found");
    assert_eq!(firsts(&world, id), ["a"]);
    assert_eq!(world.library.set(id).unwrap().undo, None);
}

#[test]
fn sets_are_copied_trashed_and_deleted() {
    let world = world();
    let id = set(&world, &[&["a"], &["b"]]);
    let library = &world.library;
    let copy = new_id();
    let new = NewSet {
        id: copy,
        name: "copy".to_owned(),
        columns: "[1]".to_owned(),
        settings: "{}".to_owned(),
        created: later(1),
    };
    library.duplicate_set(id, &new).unwrap();
    assert_eq!(firsts(&world, copy), ["a", "b"]);
    library.rename_set(id, " 角色 ", later(2)).unwrap();
    assert_eq!(library.delete_set(id).unwrap_err().code(), "not_found");
    library.trash_set(id, true, later(3)).unwrap();
    assert_eq!(library.sets(true).unwrap()[0].name, "角色");
    library.trash_set(id, false, later(3)).unwrap();
    assert_eq!(library.sets(false).unwrap().len(), 2);
    library.trash_set(id, true, later(3)).unwrap();
    library.delete_set(id).unwrap();
    assert_eq!(library.sets(false).unwrap().iter().map(|set| set.rows).collect::<Vec<_>>(), [2]);
    assert_eq!(library.set(id).unwrap_err().code(), "not_found");
}

#[test]
fn rows_are_read_in_chunks() {
    let world = world();
    let id = set(&world, &[]);
    let rows: Vec<Vec<String>> = (0..2500).map(|n| texts(&[&n.to_string()])).collect();
    world.library.edit_set(id, "import", NOW, |edit| edit.append(rows)).unwrap();
    let (mut place, mut seen) = (None, 0);
    loop {
        let chunk = world.library.set_rows_behind(id, place, 1000).unwrap();
        let Some(last) = chunk.last() else { break };
        assert_eq!(last.cells[0], (seen + chunk.len() - 1).to_string());
        (place, seen) = (Some(last.place()), seen + chunk.len());
    }
    assert_eq!(seen, 2500);
    let middle = world.library.set_rows(id, 1200, 1).unwrap()[0].row;
    assert_eq!(world.library.set_row_index(id, middle).unwrap(), 1200);
}
