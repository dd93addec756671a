//! Prompt sets over the wire: each command as it should be asked and as it should not, and the files that come of it.
#![allow(clippy::unwrap_used)]

mod common;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{Home, SETS};
use serde_json::{Value, json};
use tarim_api::{Body, ErrorCode, commands, resource};

const NOBODY: &str = "0190163d-8694-739b-aea5-966c26f8ad90";

fn bytes(home: &Home, address: &str) -> Vec<u8> {
    match resource(&home.studio, address).unwrap_or_else(|error| panic!("{address}: {error:?}")).body {
        Body::Bytes(bytes) => bytes.to_vec(),
        Body::File(path) => std::fs::read(path).unwrap(),
    }
}

fn until_finished(home: &Home, batch: &Value) {
    home.wait_until("the run has finished", || {
        home.get("get_batch", &json!({"id": batch}))["batch"]["state"] == "finished"
    });
}

#[test]
fn a_set_from_a_file_to_pictures_and_back() {
    let home = Home::new();
    let csv = "提示词,size,Steps,mood\na fox,64x64,1,calm\na {red|blue} crane,64x64,1,\nbad,1x1,1,\n";
    let read = home.get("import_set", &json!({"file_name": "角色.csv", "bytes": STANDARD.encode(csv)}));
    assert_eq!((&read["rows"], &read["format"]), (&json!(3), &json!("csv")), "{read}");
    let id = read["set"]["summary"]["id"].clone();
    let one = json!({"id": id});
    assert_eq!(home.get("list_sets", &json!({}))["sets"][0]["name"], "角色");
    assert_eq!(home.get("get_set", &one)["columns"][0], json!({"name": "提示词", "field": "prompt"}));

    let page = home.get("page_rows", &json!({"id": id, "limit": 10}));
    assert_eq!(page["rows"][1]["cells"][0], "a {red|blue} crane");
    let check = home.get("check_rows", &json!({"id": id, "limit": 10}));
    assert_eq!(
        (&check["problems"][0]["row"], &check["problems"][0]["column"]),
        (&json!(3), &json!("size")),
        "{check}"
    );
    assert_eq!(check["pictures"].as_array().unwrap().len(), 2);

    let rows: Vec<_> = page["rows"].as_array().unwrap().iter().map(|row| row["row"].clone()).collect();
    let edits = json!([
        {"do": "cells", "cells": [{"row": rows[2], "column": 1, "text": "64x64"}]},
        {"do": "add_column", "name": "template_mode"},
        {"do": "paste", "row": rows[1], "column": 4, "lines": [["combinatorial"]]},
        {"do": "insert_rows", "rows": [["first", "64x64", "1"]]},
        {"do": "append_rows", "rows": [["last"], ["gone"]]},
    ]);
    let edited = home.get("edit_set", &json!({"id": id, "label": "paste", "edits": edits}));
    let added = edited["added"].as_array().unwrap();
    assert_eq!((added.len(), &edited["set"]["undo"]), (3, &json!("paste")), "{edited}");
    let edits = json!([
        {"do": "delete_rows", "rows": [added[2]]},
        {"do": "fill_down", "rows": [rows[0], added[1]], "columns": [1, 2]},
        {"do": "move_rows", "rows": [added[1]]},
        {"do": "clear", "rows": [added[1]], "columns": [3]},
        {"do": "rename_column", "column": 3, "name": "备注"},
        {"do": "move_column", "column": 3, "to": 0},
        {"do": "duplicate_rows", "rows": [rows[0]]},
    ]);
    let edited = home.get("edit_set", &json!({"id": id, "label": "more", "edits": edits}));
    assert_eq!(
        (&edited["set"]["summary"]["rows"], &edited["set"]["columns"][0]["field"]),
        (&json!(6), &json!("notes"))
    );
    assert_eq!(home.get("undo_set", &one)["redo"], "more");
    assert_eq!(home.get("redo_set", &one)["undo"], "more");
    let changed = home.get("change_set", &json!({"id": id, "defaults": {"draft": {"guidance_scale": 2}, "styles": [], "tags": ["set"]}, "names": "[date]/[seed]"}));
    assert_eq!(
        (&changed["defaults"]["tags"][0], &changed["names"]),
        (&json!("set"), &json!("[date]/[seed]"))
    );

    let plan = home.get("plan_set", &one);
    assert_eq!(
        (&plan["ready"], &plan["new"], &plan["pictures"]),
        (&json!(6), &json!(7), &json!("7")),
        "{plan}"
    );
    assert!(plan["free_bytes"].as_f64().unwrap() > 0.0 && plan["models"][0]["name"] == "starter");
    let batch =
        home.get("run_set", &json!({"id": id, "options": {"tags": ["night"], "name": "a night"}}))["batch"]
            .clone();
    assert_eq!((&batch["name"], &batch["pictures"]), (&json!("a night"), &json!(7)));
    until_finished(&home, &batch["id"]);
    let pictures = home.get("page_batch", &json!({"id": batch["id"], "limit": 100}));
    assert_eq!(pictures["pictures"].as_array().unwrap().len(), 7);
    let picture = home.get("get_picture", &json!({"id": pictures["pictures"][0]["id"]}));
    assert_eq!(picture["summary"]["tags"], json!(["night", "set"]), "{picture}");
    assert_eq!(home.get("list_batches", &json!({"set": id}))["batches"][0]["done"], 7);
    assert_eq!(home.get("plan_set", &one)["existing"], 7);

    // Files.
    let name = id.as_str().unwrap();
    assert!(String::from_utf8(bytes(&home, &format!("set/{name}?format=csv"))).unwrap().contains("crane"));
    assert!(bytes(&home, &format!("set/{name}?format=xlsx")).starts_with(b"PK"));
    let run = batch["id"].as_str().unwrap();
    let report: Value = serde_json::from_slice(&bytes(&home, &format!("report/{run}?format=json"))).unwrap();
    assert_eq!((&report["done"], &report["failed"]), (&json!(7), &json!(0)));
    assert!(
        String::from_utf8(bytes(&home, &format!("report/{run}?format=md"))).unwrap().starts_with("# a night")
    );
    bytes(&home, &format!("report/{run}"));
    for address in ["set/x", "report/x", "grid/x", "set/../etc"] {
        assert_eq!(resource(&home.studio, address).unwrap_err().code, ErrorCode::NotFound);
    }

    // Runs.
    home.get("pause_queue", &json!({"paused": true}));
    let again = home.get("run_set", &json!({"id": id, "options": {"again": true}}))["batch"]["id"].clone();
    let change = json!({"id": again, "finish_by": 1, "spare_battery": true, "spare_user": true});
    assert_eq!(home.get("change_batch", &change)["hold"], "time");
    assert_eq!(home.get("pause_batch", &json!({"id": again, "paused": true}))["hold"], "paused");
    assert_eq!(home.get("cancel_batch", &json!({"id": again}))["cancelled"], 7);
    assert_eq!(home.get("retry_batch", &json!({"id": again, "cancelled": true}))["waiting"], 7);
    home.get("cancel_batch", &json!({"id": again}));
    home.get("dismiss_batch", &json!({"id": again}));
    assert_eq!(home.get("list_batches", &json!({}))["batches"].as_array().unwrap().len(), 1);

    // As a whole.
    assert_eq!(home.get("rename_set", &json!({"id": id, "name": "renamed"}))["summary"]["name"], "renamed");
    let copy = home.get("duplicate_set", &json!({"id": id, "name": "copy"}))["summary"]["id"].clone();
    home.get("trash_set", &one);
    home.get("restore_set", &one);
    home.get("trash_set", &json!({"id": copy}));
    assert_eq!(home.get("list_sets", &json!({"trashed": true}))["sets"].as_array().unwrap().len(), 1);
    home.get("delete_set", &json!({"id": copy}));
}

#[test]
fn a_comparison_over_the_wire() {
    let home = Home::new();
    let axis = json!({"field": "Steps", "values": "1-3"});
    let read = home.get("read_axis", &json!({"axis": axis}));
    assert_eq!(read["values"].as_array().unwrap().len(), 3, "{read}");
    assert_eq!(
        home.get("read_axis", &json!({"axis": {"field": "Stepz", "values": "1"}}))["problems"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let defaults = json!({"draft": {"prompt": "a fox", "width": 64, "height": 64}, "styles": [], "tags": []});
    let set = home
        .get("create_set", &json!({"name": "grid", "kind": "grid", "defaults": defaults, "axes": [axis]}));
    let batch = home.get("run_set", &json!({"id": set["summary"]["id"]}))["batch"]["id"].clone();
    until_finished(&home, &batch);
    let grid = home.get("get_grid", &json!({"id": batch}));
    assert!(grid["pictures"].as_array().unwrap().iter().all(|id| id != ""), "{grid}");
    let run = batch.as_str().unwrap();
    assert!(bytes(&home, &format!("grid/{run}?format=png")).starts_with(b"\x89PNG"));
    assert!(String::from_utf8(bytes(&home, &format!("grid/{run}?format=html"))).unwrap().contains("Steps"));
}

#[test]
fn templates_are_previewed() {
    let home = Home::new();
    let preview = |text: &str, mode: &str| {
        home.get("preview_template", &json!({"text": text, "mode": mode, "examples": 9}))
    };
    let found = preview("a {red|blue} {fox|hare}", "combinatorial");
    assert_eq!(
        (&found["combinations"], found["examples"].as_array().unwrap().len()),
        (&json!("4"), 4),
        "{found}"
    );
    assert_eq!(preview("plain", "random")["is_template"], false);
    let wrong = preview("雪 __nothing__", "random");
    assert_eq!(
        (&wrong["remarks"][0]["from"], &wrong["remarks"][0]["to"]),
        (&json!(2), &json!(13)),
        "{wrong}"
    );
    std::fs::create_dir_all(home.studio.wildcard_folder()).unwrap();
    std::fs::write(home.studio.wildcard_folder().join("颜色.txt"), "red\nblue\n").unwrap();
    assert_eq!(home.get("list_wildcards", &json!({}))["wildcards"][0], json!({"name": "颜色", "values": 2}));
    assert_eq!(preview("a __颜色__ fox", "combinatorial")["combinations"], "2");
}

#[test]
fn what_cannot_be_done_says_so() {
    let home = Home::new();
    for command in SETS {
        assert!(commands().contains(&command), "{command}");
        let needs_id = !matches!(
            command,
            "list_sets"
                | "create_set"
                | "import_set"
                | "preview_template"
                | "list_wildcards"
                | "read_axis"
                | "list_batches"
        );
        if needs_id {
            let mut request =
                json!({"id": NOBODY, "name": "x", "label": "x", "edits": [], "limit": 1, "paused": true});
            home.refused(command, &request, ErrorCode::NotFound);
            request["id"] = json!("../etc/passwd");
            home.refused(command, &request, ErrorCode::BadInput);
        }
        home.refused(command, &json!(7), ErrorCode::BadInput);
    }
    home.refused("import_set", &json!({"file_name": "a.csv", "bytes": "***"}), ErrorCode::BadInput);
    home.refused("import_set", &json!({"file_name": "a.csv", "bytes": ""}), ErrorCode::BadInput);
    home.refused("create_set", &json!({"name": " "}), ErrorCode::BadInput);
    let set = home.get("create_set", &json!({"name": "empty"}))["summary"]["id"].clone();
    assert_eq!(home.get("plan_set", &json!({"id": set}))["refused"]["code"], "bad_input");
    home.refused("run_set", &json!({"id": set}), ErrorCode::BadInput);
    let edit = json!({"id": set, "label": "x", "edits": [{"do": "delete_column", "column": 99}]});
    home.refused("edit_set", &edit, ErrorCode::NotFound);
    home.refused("delete_set", &json!({"id": set}), ErrorCode::NotFound);
}
